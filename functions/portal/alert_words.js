// How an alert is said in a few words. Any text of it may come out of a trace: it is cut, and kept in its direction.

import { badge, cut, element, foreign, inUtc, time } from "./elements.js";

/** The worst first. */
export const SEVERITIES = ["critical", "high", "medium", "low"];

const STATE_KINDS = { open: "medium", acknowledged: "low", resolved: "good", pending: "calm" };
const MINUTE = 60_000; // ms
const CLOCK = { hour: "numeric", minute: "2-digit" };

/** Whether an alert is not over. */
export function isActive(alert) {
  return alert.state === "open" || alert.state === "acknowledged";
}

/** Make the badge of how bad an alert is. */
export function severityBadge({ severity }) {
  return badge(severity, SEVERITIES.includes(severity) ? severity : "calm");
}

/** Make the badge of an alert's state. */
export function stateBadge({ state }) {
  return badge(state, STATE_KINDS[state] ?? "calm");
}

/** Make what an alert is about: the agent first, then the rest of its key. */
export function subject({ key }, most) {
  const { Agent: agent, ...others } = key;
  const values = [agent, ...Object.values(others)].filter(Boolean);
  return element("span", {}, ...values.flatMap((value, n) => [n > 0 ? ", " : "", foreign(value, most)]));
}

/** Give the name of an alert's check as words. */
export function checkWords({ check_id: check }) {
  return check.replaceAll("_", " ");
}

/** Give four figures of a number, as cards do: 0.00132, 95.45, 12,346. */
export function figures(value) {
  if (value === null || value === undefined) {
    return "–";
  }
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
  return Number(value).toLocaleString(undefined, digits);
}

/** Give a number with its unit: "1 run", "2 runs". */
export function quantity(value, unit) {
  const said = figures(value);
  return [said, said === "1" ? unit?.replace(/s$/, "") : unit].filter(Boolean).join(" ");
}

/** Give a column of a check as words: PromptVersion is "Prompt version". */
export function label(column) {
  const words = cut(column, 60).replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Give how long it is from one instant to another, in the largest unit that fits: 12 min, 5 h, 3 days. */
export function span(from, to = new Date()) {
  const minutes = Math.max(0, Math.round((new Date(to) - new Date(from)) / MINUTE));
  if (minutes < 120) {
    return `${minutes} min`;
  }
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} days`;
}

/** Make words that don't stand out. */
export function quietly(words) {
  return element("span", { className: "muted", textContent: words });
}

/** Make an instant in the reader's zone without its year, where that is the present one; UTC as everywhere. */
export function moment(instant) {
  const made = time(instant);
  const at = new Date(instant);
  if (!inUtc()) {
    const year = at.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
    made.textContent = at.toLocaleString(undefined, { ...year, month: "short", day: "numeric", ...CLOCK });
  }
  return made;
}

/** Make the time of day of an instant that stands beside its day. */
export function clock(instant) {
  const at = new Date(instant);
  const told = [at.toLocaleTimeString(undefined, CLOCK), `${at.toISOString().slice(11, 19)} UTC`];
  const [textContent, title] = inUtc() ? told.toReversed() : told;
  return element("time", { dateTime: at.toISOString(), textContent, title });
}

/** Make an instant with how long ago it was, or how far it is; null where there is none. */
export function when(instant) {
  if (!instant) {
    return null;
  }
  const words = element("span", { className: "muted alert-together", textContent: `(${distance(instant)})` });
  return element("span", {}, moment(instant), " ", words);
}

/** Give how long ago an instant was, or how far it is. */
export function distance(instant) {
  const now = new Date();
  const at = new Date(instant);
  if (Math.abs(at - now) < MINUTE) {
    return "just now";
  }
  return at > now ? `in ${span(now, at)}` : `${span(at, now)} ago`;
}
