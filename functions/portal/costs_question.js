// What the costs page is asked: a report, a period of whole days in UTC, and what to break it down by.

const DAY = 86_400_000; // ms
const LONGEST = 31; // days, as the API has it
const INSTANT = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/;

/** The reports, by the value of the parameter `report`. */
export const REPORTS = new Map([
  ["costs", "Costs"],
  ["waste", "Waste"],
  ["telemetry", "Telemetry"],
]);

/** The breakdowns that every site has; dimensions come on top of them. */
export const BREAKDOWNS = ["owner", "agent", "release", "group", "environment", "tenant", "model"];

/**
 * Read the question in an address. What is missing is this week's costs by agent.
 *
 * @param {URLSearchParams} asked
 * @param {Date} now
 * @returns {{report: string, by: string, start: string, end: string}} `start` and `end` as the API takes them: a day
 *   (2026-11-23) or a time with an offset, the end exclusive.
 */
export function readQuestion(asked, now) {
  const [, usual] = periods(now)[0];
  const [start, end] = [asked.get("start"), asked.get("end")];
  const given = [start, end].every((one) => INSTANT.test(one ?? "") && !Number.isNaN(Date.parse(one)));
  return {
    report: REPORTS.has(asked.get("report")) ? asked.get("report") : "costs",
    by: asked.get("by") || "agent",
    ...(given ? { start, end } : usual),
  };
}

/**
 * Give the periods that people ask for most, the usual one first.
 *
 * @param {Date} now
 * @returns {Array<[string, {start: string, end: string}]>} Today is the last day of a period that is not over.
 */
export function periods(now) {
  const today = Math.floor(now / DAY) * DAY;
  const monday = today - ((new Date(today).getUTCDay() + 6) % 7) * DAY;
  const first = (months) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1);
  return [
    ["This week", between(monday, today + DAY)],
    ["Last week", between(monday - 7 * DAY, monday)],
    ["This month", between(first(0), today + DAY)],
    ["Last month", between(first(-1), first(0))],
  ];
}

/** Give the first and the last day (2026-11-23) that a question is about. */
export function daysOf({ start, end }) {
  return [day(Date.parse(start)), day(Date.parse(end) - 1)];
}

/**
 * Give the period from a first to a last day, both in it.
 *
 * @throws {RangeError} Of a wrong period, with what is wrong in words.
 */
export function periodOf(first, last) {
  const [from, to] = [Date.parse(first), Date.parse(last)];
  if (to < from) {
    throw new RangeError("The last day lies before the first.");
  }
  if (to - from >= LONGEST * DAY) {
    throw new RangeError(`At most ${LONGEST} days.`);
  }
  return between(from, to + DAY);
}

/** Give the address of the page for a question; it keeps the breakdown where a report has none. */
export function addressOf({ report, by, start, end }) {
  return `/portal?${new URLSearchParams({ view: "costs", report, by, start, end })}`;
}

/** Give the path of the API for a question, below /api/v1/. */
export function pathOf({ report, by, start, end }, format = "json") {
  const what = report === "costs" ? { by } : { report };
  return `costs?${new URLSearchParams({ start, end, ...what, format })}`;
}

/** What a breakdown is called. */
export function breakdownName(by) {
  const name = by.replace(/^dimension:/, "").replaceAll("_", " ");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function between(start, end) {
  return { start: day(start), end: day(end) };
}

function day(instant) {
  return new Date(instant).toISOString().slice(0, 10);
}
