// One export: how far it is, what it holds, what a person can do about it now, and how to check the bundle.

import { ask } from "./api.js";
import { announce, element, facts, number, refused, section, time } from "./elements.js";
import { cancelling, deciding } from "./export_actions.js";
import { download } from "./export_download.js";
import { follow } from "./export_following.js";
import { verifying } from "./export_verifying.js";
import {
  completeBadge, count, isOver, requesterWords, selectorWords, stateBadge, stateWords,
} from "./export_words.js";

/** Show an export, and follow it until it is over. */
export async function showExport(main, id, me) {
  const title = element("h1", { tabIndex: -1 }, "Export ", element("code", { textContent: id.slice(0, 8) }));
  const body = element("div", { className: "export" });
  const trouble = element("div");
  let shown = null;
  let progress = null;
  let following = null;

  /** Show what became of it. What is in the page stays there as long as it is true: nobody loses the focus. */
  function draw(now) {
    trouble.replaceChildren();
    if (shown?.state === now.state) {
      progress.tell(now);
      return;
    }
    const inside = body.contains(document.activeElement);
    if (shown) {
      announce(`The export is ${stateWords(now)}.`);
    }
    shown = now;
    progress = makeProgress(now);
    body.replaceChildren(...parts(now, me, progress, acted));
    if (inside) {
      title.focus();
    }
  }

  /** Go on with what an action of this person's has made of it. */
  function acted(changed) {
    draw(changed);
    title.focus();
    following.restart(changed);
  }

  const first = await ask(`exports/${id}`);
  main.replaceChildren(element("p", {}, element("a", { href: "/portal?view=exports", textContent: "All exports" })), title, trouble, body);
  draw(first);
  following = follow(first, draw, (refusal) => trouble.replaceChildren(refused(refusal)));
}

function parts(now, me, progress, acted) {
  return [
    standing(now, progress),
    missing(now),
    element("div", { className: "grid" }, now.state === "done" && now.bundle ? download(now, me) : null, asked(now)),
    now.state === "awaiting_approval" ? deciding(now, me, acted) : "",
    isOver(now) ? "" : cancelling(now, acted),
    now.state === "done" && now.bundle ? verifying(now) : "",
  ].filter(Boolean);
}

function asked(now) {
  return section("What was asked", facts([
    ["Traces", selectorWords(now.selector)],
    ["Profile", now.profile],
    ["Reason", element("bdi", { textContent: now.reason })],
    ["Ticket", element("bdi", { textContent: now.ticket })],
    ["Asked for", element("span", {}, time(now.requested_at), " by ", requesterWords(now))],
    ["Requester", now.asked_by_you ? null : element("code", {}, element("bdi", { textContent: now.requester }))],
    ["Reaches", reach(now.limited_to)],
    ["Decision", decision(now.decision)],
  ]));
}

function standing(now, progress) {
  const words = STANDING[now.state]?.(now) ?? [];
  return element("section", { className: "standing", ariaLabel: "State" },
    element("p", {}, stateBadge(now), " ", completeBadge(now) ?? "", " ", ...words), progress.node);
}

const STANDING = {
  awaiting_approval: (now) => ["A second person must approve it before it is made. Without that it is given up ", time(now.expires_at), "."],
  queued: (now) => ["Its job will begin in a moment. What is not ready is given up ", time(now.expires_at), "."],
  running: () => ["The telemetry is being read, slice by slice."],
  done: ({ counts, late_rows: late, finished_at: at }) => [
    counts ? `${count(counts.traces, "trace")}, ${count(counts.spans, "span")}, ${count(counts.rows, "row")}; ` : "", "finished ", time(at), ".",
    late ? ` ${count(late, "row")} of its traces came in after it was asked for and ${late === 1 ? "is" : "are"} not in it.` : "",
  ],
  failed: ended,
  cancelled: ended,
  refused: ended,
  expired: ended,
};

function ended({ failure, finished_at: at }) {
  return [element("bdi", { textContent: failure ?? "There is no bundle." }), " ", time(at)];
}

function missing({ counts, missing: sentences }) {
  if (!counts || counts.complete) {
    return "";
  }
  const known = sentences.length > 0
    ? element("ul", {}, ...sentences.map((one) => element("li", { textContent: one })))
    : element("p", {}, "What is missing stands in ", element("code", { textContent: "data/completeness.json" }), " of the bundle.");
  return element("section", { className: "alarm", ariaLabel: "Incomplete" },
    element("h2", { textContent: "This bundle is INCOMPLETE" }),
    element("p", { textContent: "It is signed and can be verified, and it can't show what it lacks:" }), known);
}

function reach(limit) {
  if (!limit) {
    return null;
  }
  const agents = limit.agents ? `agents ${limit.agents.join(", ")}` : "";
  const tenants = limit.tenants === null ? "" : count(limit.tenants, "tenant");
  return element("bdi", { textContent: `Only ${[agents, tenants].filter(Boolean).join("; ")}` });
}

function decision(made) {
  return made && element("span", {}, made.approved ? "Approved " : "Refused ", time(made.at), " by ",
    element("code", { textContent: made.by }), ": ", element("bdi", { textContent: made.reason }));
}

/** Make the bar of slices; quarters are announced, so that who listens is not talked to all the time. */
function makeProgress(export_) {
  const bar = element("progress", { max: 1 });
  const words = element("p", { className: "muted" });
  const node = element("div", { className: "progress", hidden: true }, bar, words);
  let quarter = 0;
  const tell = ({ state, progress }) => {
    node.hidden = state !== "running";
    const { slices = 0, done = 0 } = progress ?? {};
    words.textContent = progressWords(slices, done);
    bar.ariaLabel = "Slices read";
    if (slices === 0) {
      bar.removeAttribute("value");
      return;
    }
    bar.max = slices;
    bar.value = done;
    const reached = Math.floor((4 * done) / slices);
    if (reached > quarter) {
      announce(words.textContent);
    }
    quarter = reached;
  };
  tell(export_);
  return { node, tell };
}

function progressWords(slices, done) {
  if (slices === 0) {
    return "It is being found out what has to be read.";
  }
  return done < slices
    ? `${number(done)} of ${count(slices, "slice")} read.`
    : `All ${count(slices, "slice")} read. The bundle is being put together and signed.`;
}

