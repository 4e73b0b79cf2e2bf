// Says for people why a trace is not there, what that rests on, and what to do next.

import { element, field, section, time } from "./elements.js";
import { plain } from "./plain.js";

const PREFIX = "urn:tracekeeper:problem:trace-";
const SENTENCE = 400; // characters
const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;
const WHOLE_INSTANT = new RegExp(`^${INSTANT.source}$`);

/** By the problem's type: what it means, and what to do; without a next step the problem's own is said. */
const ABSENT = {
  "not-found": { heading: "There was no such trace", next: "Check the id and the time; copy the id anew from where you have it." },
  expired: {
    heading: "The trace has expired",
    next: "Look for an export that holds it.",
    link: ["/portal?view=exports", "Exports", "Evidence.Read"],
  },
  "too-recent": { heading: "It is too recent: the trace may still be arriving" },
  "sampled-out": { heading: "The trace was perhaps sampled out" },
  vanished: { heading: "The trace has vanished: it was there, and its rows are gone too early" },
  unknown: { heading: "Nobody can say whether there was such a trace", next: "Say below when it should have been." },
};

/** Whether a refusal says why a trace is not there. */
export function isAbsence(refusal) {
  return refusal.type?.startsWith(PREFIX) && Object.hasOwn(ABSENT, refusal.type.slice(PREFIX.length));
}

/**
 * Make what tells of a trace that is not there.
 *
 * @param {Refusal} refusal For which isAbsence.
 * @param {object} me Who is signed in.
 * @param {function({around: string, agent: string}): void} again Asks again, with what else is known of it.
 */
export function absence(refusal, me, again) {
  const { heading, next, link } = ABSENT[refusal.type.slice(PREFIX.length)];
  const [href, text, role] = link ?? [];
  const told = section(heading,
    sentence("p", refusal.detail),
    refusal.evidence.length > 0 ? element("h3", { textContent: "What this rests on" }) : null,
    element("ul", {}, ...refusal.evidence.map((one) => sentence("li", one))),
    element("h3", { textContent: "What to do next" }),
    sentence("p", next ?? refusal.nextStep),
    link && me.roles.includes(role) ? element("p", {}, element("a", { href, textContent: text })) : null,
    element("p", { className: "muted" }, "Correlation id ", element("code", { textContent: plain(refusal.correlationId) })));
  told.classList.add("refused", "absent");
  told.querySelector("h2").tabIndex = -1;
  return [told, asking(again)];
}

/** Make a sentence in which instants are in the reader's zone. */
function sentence(tag, text) {
  const parts = plain(text, SENTENCE).split(INSTANT);
  return element(tag, {}, ...parts.map((part) => (WHOLE_INSTANT.test(part) ? time(part) : part)));
}

function asking(again) {
  const around = element("input", { type: "datetime-local", step: "1" });
  const agent = element("input", { maxLength: 128, autocomplete: "off", spellcheck: false });
  const form = element("form", {},
    element("div", { className: "toolbar" },
      field("When it should have been (your time)", around), field("Its agent, if you know it", agent),
      element("button", { className: "primary", textContent: "Ask again" })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const at = around.value ? new Date(around.value).toISOString() : "";
    again({ around: at, agent: agent.value.trim() });
  });
  return section("Ask again with what you know", form);
}
