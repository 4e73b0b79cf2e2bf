// Shows one step of a trace: what it says of itself, what hangs on it, and what was removed from it.

import { duration, element, facts, number, table, time } from "./elements.js";
import { leftOut, plain } from "./plain.js";
import { outcome, price, removedBecause, tokens } from "./step_words.js";

const LONGEST = 2_000; // characters of one value
const MOST_EVENTS = 50;

/**
 * Make the details of a step.
 *
 * @param {object} step As readTrace gives it.
 * @param {{steps: object[], events: object[], currency: string, choose: function(number): void}} trace All steps, the
 *   events of this one, the currency of costs, and what chooses another step.
 */
export function stepDetails(step, { steps, events, currency, choose }) {
  const { span, told } = step;
  const above = steps[step.parent];
  return [
    element("h3", { textContent: step.label, tabIndex: -1 }),
    step.notes.length > 0 ? element("ul", {}, ...step.notes.map((note) => element("li", { textContent: note }))) : null,
    facts([
      ["Outcome", outcome(step)],
      ["Began", time(span.time, { seconds: true })],
      ["After", duration(step.start)],
      ["Took", duration(span.duration_ms)],
      ["Call", told.calls > 1 ? `${told.call} of ${told.calls}${told.retry ? ", a retry" : ""}` : null],
      ["Tokens", tokens(step)],
      ["Cost", price(step, currency)],
      ["Data", told.data_age && plain(told.data_age)],
      ["Stands for", told.stands_for > 1 ? `${told.stands_for} such steps, by sampling` : null],
      ["Service", span.service && plain(span.service)],
      ["Release", span.release && plain(span.release)],
      ["Part of", above ? goTo(above, choose) : null],
      ["Span id", element("code", { textContent: plain(span.span_id) || "–" })],
    ]),
    attributes("Attributes", span.attributes),
    removed(span.removed),
    ...hanging(events),
  ].filter(Boolean);
}

function goTo(step, choose) {
  const button = element("button", { type: "button", className: "link", textContent: step.label });
  button.addEventListener("click", () => choose(step.index));
  return button;
}

function attributes(caption, named) {
  return table({
    caption,
    columns: [
      { name: "Attribute", cell: ([name]) => plain(name), heading: true },
      { name: "Value", cell: ([, value]) => shown(value) },
    ],
    rows: Object.entries(named),
    empty: "It has no attributes that may be shown.",
  });
}

function shown(value) {
  const more = leftOut(value, LONGEST);
  const text = element("bdi", { textContent: plain(value, LONGEST) });
  return more === 0 ? text : element("span", {}, text,
    element("span", { className: "muted", textContent: ` ${number(more)} more characters are not shown` }));
}

function removed(counts) {
  const reasons = Object.entries(counts);
  if (reasons.length === 0) {
    return element("p", { className: "muted", textContent: "Nothing was removed from it." });
  }
  const sum = reasons.reduce((so, [, count]) => so + count, 0);
  return element("details", {},
    element("summary", { textContent: `${number(sum)} ${sum === 1 ? "value" : "values"} removed from it or replaced` }),
    element("ul", {}, ...reasons.map(([reason, count]) =>
      element("li", { textContent: `${number(count)} × ${plain(removedBecause(reason))}` }))));
}

function hanging(events) {
  if (events.length === 0) {
    return [];
  }
  const listed = events.slice(0, MOST_EVENTS).map((event) => element("details", {},
    element("summary", {}, plain(event.name), " ", time(event.time, { seconds: true })),
    attributes(`Attributes of ${plain(event.name)}`, event.attributes), removed(event.removed)));
  const more = events.length - listed.length;
  return [
    element("h4", { textContent: `${number(events.length)} ${events.length === 1 ? "event" : "events"} on it` }),
    ...listed,
    more > 0 ? element("p", { className: "muted", textContent: `${number(more)} more are not shown.` }) : null,
  ];
}
