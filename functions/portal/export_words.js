// How an export is said in a few words. What a selector holds was typed by people: it is cut, and inert.

import { badge, cut, element, foreign, number, time } from "./elements.js";

const STATES = {
  awaiting_approval: ["waits for approval", "medium"],
  queued: ["queued", "low"],
  running: ["running", "low"],
  done: ["done", "good"],
  failed: ["failed", "critical"],
  cancelled: ["cancelled", "calm"],
  refused: ["refused", "high"],
  expired: ["given up", "calm"],
};
const UNDERWAY = ["awaiting_approval", "queued", "running"];
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
const LISTED = 3;
const [SHORT, LONG] = [8, 64]; // characters of an id

/** The states that an export can have: [state, its words]. */
export const STATE_WORDS = Object.entries(STATES).map(([state, [words]]) => [state, words]);

/** Whether nothing further becomes of an export. */
export function isOver({ state }) {
  return !UNDERWAY.includes(state);
}

/** Give the words of an export's state. */
export function stateWords({ state }) {
  return STATES[state]?.[0] ?? state;
}

/** Make the badge of an export's state. */
export function stateBadge({ state }) {
  const [words, kind] = STATES[state] ?? [state, "calm"];
  return badge(words, kind);
}

/** Make the badge that says whether a bundle is complete; null where there is none. */
export function completeBadge({ counts }) {
  if (!counts) {
    return null;
  }
  return counts.complete ? badge("complete", "good") : badge("INCOMPLETE", "critical");
}

/** Make what says which traces an export is about; in a list ids are cut short. */
export function selectorWords(selector, { short = false } = {}) {
  const id = (text) => code(text, short ? SHORT : LONG);
  const [kind] = ["alert_id", "trace_ids", "conversation_id", "window", "sample", "cases"].filter((one) => one in selector);
  return element("span", {}, ...(WORDS[kind]?.(selector[kind], id, selector) ?? ["traces"]));
}

/** Give who asked, as far as the API says. */
export function requesterWords({ asked_by_you: yours, requester }) {
  if (yours) {
    return "you";
  }
  return String(requester).startsWith("tracekeeper:") ? "the service itself" : "somebody else";
}

/** Give a number of bytes as text; of 1,000 each. */
export function bytes(size) {
  let [amount, unit] = [Number(size), 0];
  while (amount >= 1000 && unit < UNITS.length - 1) {
    [amount, unit] = [amount / 1000, unit + 1];
  }
  return `${number(amount, unit === 0 || amount >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

/** Give a count and its noun. */
export function count(amount, one, several = `${one}s`) {
  return `${number(amount)} ${amount === 1 ? one : several}`;
}

const WORDS = {
  alert_id: (alert, id, { trace_ids: ids }) => [count(ids?.length ?? 0, "trace"), " of the alert ", id(alert)],
  trace_ids: (ids, id) => [count(ids.length, "trace"), ": ", ...listed(ids.map(id))],
  conversation_id: (conversation, id) => ["The conversation ", id(conversation)],
  window: (window) => ["All traces ", ...between(window)],
  sample: (sample) => ["A sample of ", count(sample.size, "run"), ...(sample.stratum ? [" by ", foreign(sample.stratum, 40)] : []),
    " ", ...between(sample)],
  cases: (cases, id) => [count(cases.length, "case"), ": ", ...listed(cases.map(id))],
};

function between({ start, end, agent, release, tenant, dimensions = {} }) {
  const filters = [["agent", agent], ["release", release], ["tenant", tenant], ...Object.entries(dimensions)]
    .filter(([, value]) => value !== null && value !== undefined);
  return ["from ", time(start), " to ", time(end),
    ...filters.flatMap(([name, value]) => [", ", foreign(name, 40), " ", foreign(value, 80)])];
}

function listed(nodes) {
  const more = nodes.length - LISTED;
  return [...nodes.slice(0, LISTED).flatMap((node, n) => (n > 0 ? [", ", node] : [node])),
    ...(more > 0 ? [` and ${number(more)} more`] : [])];
}

function code(text, most) {
  return element("code", {}, element("bdi", { textContent: cut(text, most) }));
}
