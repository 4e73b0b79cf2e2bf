// Says what a trace was before it is looked at step by step: findings first, then how sure all of it is.

import { counted, duration, element, money, number, section, time } from "./elements.js";
import { plain } from "./plain.js";
import { removedBecause } from "./step_words.js";

const MOST_FINDINGS = 50;
const SENTENCE = 400; // characters

/** Make the facts above all others: when, how long, how much. */
export function headFacts(answer, trace) {
  const { cost, facts: told } = answer.timeline;
  const failed = trace.steps.filter((step) => step.span.success === false).length;
  const sum = (name) => trace.steps.reduce((so, { told: step }) => so + (step[name] ?? 0) * step.stands_for, 0);
  return element("dl", { className: "figures" }, ...[
    ["Began", trace.begin === null ? "–" : time(new Date(trace.begin).toISOString(), { seconds: true })],
    ["Took", duration(trace.length)],
    ["Steps", number(trace.steps.length)],
    ["Failed steps", failed > 0 ? `✕ ${number(failed)}` : "none"],
    ["Tokens in", number(sum("input_tokens"))],
    ["Tokens out", number(sum("output_tokens"))],
    ["Cost", costs(cost)],
    ...told.map(({ name, value }) => [capital(plain(name, 40)), plain(value, 80)]),
  ].map(([name, value]) => element("div", {}, element("dt", { textContent: name }), element("dd", {}, value))));
}

/** Make what our checks say about it, in sentences. */
export function findings({ findings: said }) {
  if (said.length === 0) {
    return section("What our checks say", element("p", { textContent: "No control has anything to say against it." }));
  }
  const more = said.length - MOST_FINDINGS;
  return section("What our checks say",
    element("ul", { className: "findings" }, ...said.slice(0, MOST_FINDINGS).map((one) =>
      element("li", { textContent: plain(one, SENTENCE) }))),
    more > 0 ? element("p", { className: "muted", textContent: `And ${number(more)} more.` }) : null);
}

/** Make what tells whether all of it is here, and what was removed. */
export function howSure(answer) {
  const { redactions, complete, spans, events } = answer;
  const rows = `${counted(spans.length, "span")} and ${counted(events.length, "event")}`;
  const removed = Object.entries(redactions.removed);
  const sum = removed.reduce((so, [, count]) => so + count, 0);
  return section("How complete, and what was removed",
    element("p", {}, complete
      ? `Complete: ${rows}, as many as the workspace counted.`
      : element("strong", { textContent: `✕ Incomplete: the workspace counted more than these ${rows}.` })),
    element("p", {}, `Sanitized under policy ${plain(redactions.policy_version)}, profile ${plain(redactions.profile)}: `
      + `${counted(sum, "value")} removed or replaced. `, "SHA-256 of the policy: ",
    element("code", { textContent: plain(redactions.policy_sha256) })),
    removed.length === 0 ? null : element("details", {}, element("summary", { textContent: "What was removed, by rule" }),
      element("ul", {}, ...removed.map(([reason, count]) =>
        element("li", { textContent: `${number(count)} × ${plain(removedBecause(reason))}` })))));
}

function costs(cost) {
  if (cost.calls === 0) {
    return "no model call";
  }
  const unknown = cost.calls - cost.priced;
  const some = unknown > 0 ? `, ${number(unknown)} of ${counted(cost.calls, "call")} not known` : "";
  return cost.priced > 0 ? `${money(cost.amount, cost.currency)}${some}` : "not known";
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
