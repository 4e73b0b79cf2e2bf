// Says whether the ledger holds: what was checked of its chain, and the newest signed head.

import { element, facts, number } from "./elements.js";

const SIGNATURES = {
  holds: ["signed, and the signature is of the key that signs now", "good"],
  broken: ["THE SIGNATURE IS NOT OF THE KEY THAT IT NAMES", "bad"],
  missing: ["not signed yet", "open"],
  other_key: ["signed with another key than the one that signs now, as after the key was rotated: check it with that key", "open"],
  unchecked: ["its signature could not be checked: the key could not be asked for", "open"],
};

/** Make what shows a chain's state. */
export function chainStatus(chain) {
  if (chain.state !== "holds") {
    return broken("What the newest head says was not signed with the key that it names: it, or its signature, was written anew.",
      "Keep the ledger as it is and find out who can write to the container “evidence”. What is listed below can't be relied on.",
      details(chain));
  }
  const [, kind] = SIGNATURES[chain.head?.signature] ?? ["", "open"];
  return element("section", { className: `chain ${kind === "good" ? "" : "open"}`, ariaLabel: "The chain" },
    element("h2", { textContent: kind === "good" ? "The chain holds" : "The chain holds, and its newest head is not certain" }),
    details(chain), whole());
}

/** Make what tells of a chain that is broken, from the API's problem. */
export function chainBroken({ detail, nextStep, correlationId }) {
  return broken(detail, nextStep,
    element("p", { textContent: "Nothing is listed, since no entry can be relied on." }), whole(),
    element("p", { className: "muted" }, "Correlation id ", element("code", { textContent: correlationId })));
}

function broken(what, nextStep, ...more) {
  return element("section", { className: "alarm", role: "alert" },
    element("h2", { textContent: "THE LEDGER DOES NOT HOLD" }),
    element("p", {}, element("strong", { textContent: what })), element("p", { textContent: nextStep }), ...more);
}

function details({ lines, checked, hash, head }) {
  const all = checked === lines;
  return facts([
    ["Checked now", all ? `all ${number(lines)} lines` : `the last ${number(checked)} of ${number(lines)} lines; a head covers those before`],
    ["Last line", element("code", { textContent: hash })],
    ["Newest head", head
      ? `of ${head.day} (UTC), over ${number(head.lines)} lines; ${SIGNATURES[head.signature]?.[0] ?? head.signature}`
      : "none in the last 14 days: that the ledger's end was cut off would not be noticed"],
  ]);
}

function whole() {
  return element("p", { className: "muted" }, "All of it, with every head and seal: ",
    element("code", { textContent: "tracekeeper ledger verify --key pub.pem" }));
}
