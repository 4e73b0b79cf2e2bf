// How to check a bundle without trusting whoever made it: docs/evidence.md in short, with this bundle's names.

import { element, section } from "./elements.js";

/** Make the section. */
export function verifying({ bundle, public_key_url: published, counts }) {
  const { name, sha256, key_id: key } = bundle;
  return section("How to verify",
    element("p", { textContent: "None of the first four steps needs our software. In a terminal, in the folder of the download:" }),
    element("ol", { className: "steps" },
      step("Get the operator's public key, by another way than the bundle.", ...keyWords(published, key)),
      step("Is it what was downloaded, and each file as it was written?",
        commands(`echo "${sha256}  ${name}" | sha256sum --check`, `unzip -q ${name} && cd bundle`,
          "sha256sum --check manifest-sha256.txt", "sha256sum --check tagmanifest-sha256.txt")),
      step("Who signed it? “Verified OK” says that whoever holds the private key signed exactly these files.",
        commands("openssl dgst -sha256 -verify ../pub.pem -signature signatures/tagmanifest.sig.der tagmanifest-sha256.txt")),
      step("Is there anything that nobody listed? The output must be signatures/tagmanifest.jws, signatures/tagmanifest.sig.der and tagmanifest-sha256.txt.",
        commands("LC_ALL=C comm -23 <(find * -type f | LC_ALL=C sort) <(cut -c67- *manifest-sha256.txt | LC_ALL=C sort)")),
      step("Or all of it, and whether its files agree with each other, with our command, without a network:",
        commands(`tracekeeper verify ${name} --key pub.pem`))),
    element("p", { className: "muted" }, "Then open ", element("code", { textContent: "data/report.html" }),
      ": it answers the question first. ",
      counts && !counts.complete ? "It says INCOMPLETE, and so does the command: verified is not complete." : ""));
}

function keyWords(published, key) {
  const where = published
    ? ["It is published at ", element("a", { href: published, rel: "noopener noreferrer", textContent: published }), ". "]
    : ["Nobody has said here where it is published: ask those who answer for this system, not the person who gave you the bundle. "];
  const whose = key ? ["Its thumbprint (RFC 7638) must be ", element("code", { textContent: key }), "."] : ["This bundle is NOT SIGNED."];
  return [element("p", {}, ...where, ...whose)];
}

function step(words, ...more) {
  return element("li", {}, element("p", { textContent: words }), ...more);
}

function commands(...lines) {
  return element("pre", { tabIndex: 0 }, element("code", { textContent: lines.join("\n") }));
}
