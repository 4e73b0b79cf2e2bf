// Gives a finished bundle to a person: by one link, or part by part into one file where it is large.

import { fetchParts, sha256 } from "./bundle_parts.js";
import { announce, element, field, refused, section } from "./elements.js";
import { bytes } from "./export_words.js";
import { save } from "./saving.js";

const WHOLE = 64 * 1024 * 1024; // bytes; the API gives no more in one answer
const MOST_IN_MEMORY = 512 * 1024 * 1024; // bytes that this page gathers where the browser can't write to a file

/** Make the section with the download. */
export function download(export_, me) {
  const { bundle, profile } = export_;
  if (profile === "content" && !me.roles.includes("Evidence.ReadContent")) {
    return section("Download", element("p", { textContent: "A bundle with content is given to who has the role Evidence.ReadContent too." }));
  }
  return section("Download",
    bundle.size <= WHOLE ? link(export_) : inParts(export_),
    element("p", { className: "muted" }, "SHA-256 ", element("code", { textContent: bundle.sha256 })),
    checking(export_));
}

function link({ id, bundle }) {
  return element("p", {}, element("a", {
    className: "button primary", href: `/api/v1/exports/${id}/bundle`, textContent: `Download ${bytes(bundle.size)}`,
  }));
}

function inParts(export_) {
  const { bundle } = export_;
  const toFile = "showSaveFilePicker" in window;
  if (!toFile && bundle.size > MOST_IN_MEMORY) {
    return element("div", {},
      element("p", { textContent: `The bundle has ${bytes(bundle.size)}. This browser can't write to a file while it downloads, and more than ${bytes(MOST_IN_MEMORY)} do not fit into a page. Use a browser that can, or a terminal:` }),
      terminal(export_));
  }
  const start = element("button", { type: "button", className: "primary", textContent: `Download ${bytes(bundle.size)}` });
  const stop = element("button", { type: "button", textContent: "Stop", hidden: true });
  const bar = element("progress", { max: bundle.size, value: 0, ariaLabel: "Downloaded", hidden: true });
  const said = element("p");
  start.addEventListener("click", () => run(export_, { start, stop, bar, said }, toFile ? intoFile : intoMemory));
  return element("div", { className: "large" },
    element("p", { className: "buttons" }, start, " ", stop), bar, said,
    element("details", {}, element("summary", { textContent: "Or with curl" }), terminal(export_)));
}

async function run(export_, { start, stop, bar, said }, gather) {
  const stopping = new AbortController();
  stop.onclick = () => stopping.abort();
  const busy = (is) => {
    start.hidden = is;
    stop.hidden = !is;
    bar.hidden = !is;
  };
  const came = (at) => {
    bar.value = at;
    said.textContent = `${bytes(at)} of ${bytes(export_.bundle.size)}`;
  };
  said.replaceChildren();
  let into = null;
  try {
    into = await gather(export_.bundle.name);
    busy(true);
    stop.focus();
    came(0);
    announce("The download has begun.");
    await fetchParts(export_, into.take, came, stopping.signal);
    said.textContent = "Checking its SHA-256 …";
    const file = await into.file();
    const held = await verdict(file, export_);
    said.replaceChildren(held.node);
    if (held.fits !== false) {
      await into.keep(file);
    }
    announce(held.node.textContent);
  } catch (fault) {
    await into?.drop();
    said.replaceChildren(fault.name === "AbortError" ? "Stopped: nothing was kept." : refused(fault));
  }
  busy(false);
  start.focus();
}

/** Let the person choose a file, and write to it as parts come. */
async function intoFile(name) {
  const handle = await window.showSaveFilePicker({ suggestedName: name, types: [{ accept: { "application/zip": [".zip"] } }] });
  const writing = await handle.createWritable();
  return {
    take: (data) => writing.write(data),
    file: async () => {
      await writing.close();
      return handle.getFile();
    },
    keep: () => {},
    drop: () => writing.abort().catch(() => {}), // what was written so far is in no file yet
  };
}

/** Gather the parts in the page; the browser saves them once they are whole and checked. */
async function intoMemory(name) {
  const parts = [];
  return {
    take: (data) => { parts.push(data); },
    file: async () => new Blob(parts, { type: "application/zip" }),
    keep: (file) => save(name, file),
    drop: () => { parts.length = 0; },
  };
}

/** Say whether a file is the bundle. @returns {{fits: boolean|null, node: Node}} null: it could not be checked. */
async function verdict(file, { bundle }) {
  const digest = file.size === bundle.size ? await sha256(file) : "";
  if (digest === null) {
    return { fits: null, node: element("p", { textContent: "It is there, and too large for this browser to check. Compare its SHA-256 in a terminal." }) };
  }
  const fits = digest === bundle.sha256;
  return {
    fits,
    node: fits
      ? element("p", { className: "fits", textContent: "Checked: its SHA-256 is that of the bundle." })
      : element("p", { className: "alarm", textContent: "NOT THE BUNDLE: its SHA-256 is another one. Keep no such file, and download it again." }),
  };
}

/** Make what checks a file that a person has already; it stays on their machine. */
function checking(export_) {
  const input = element("input", { type: "file", accept: ".zip" });
  const said = element("div", { role: "status" });
  input.addEventListener("change", async () => {
    said.replaceChildren();
    if (input.files.length > 0) {
      said.replaceChildren("Checking …");
      const held = await verdict(input.files[0], export_).catch(() => null);
      said.replaceChildren(held?.node ?? "The file can't be read: choose it again.");
    }
  });
  return element("div", { className: "checking" }, field("Check a file that you have", input, "It is compared here and sent nowhere."), said);
}

function terminal({ id, bundle }) {
  const { name, size } = bundle;
  return element("pre", { tabIndex: 0 }, element("code", { textContent: [
    "# TOKEN: an access token for this app",
    `for ((at = 0; at < ${size}; at += 8388608)); do`,
    `  curl --fail --silent --show-error --retry 9 -H "Authorization: Bearer $TOKEN" -H "Range: bytes=$at-$((at + 8388607))" \\`,
    `    -o part ${location.origin}/api/v1/exports/${id}/bundle && cat part || break`,
    `done > ${name}`,
    `echo "${bundle.sha256}  ${name}" | sha256sum --check`,
  ].join("\n") }));
}
