// The overview: how the watch is, what it can see, what is open, and how much of a week each check has evaluated.

import { ask } from "./api.js";
import { heatMap, legend } from "./charts.js";
import { doubts } from "./costs_figures.js";
import {
  badge, counted, element, empty, facts, foreign, loading, money, number, refused, section, time,
} from "./elements.js";

const DAYS = 7;
const STANDING_STILL = 5 * 60_000; // ms without a tick, as GET health has it
const SEVERITIES = ["critical", "high", "medium", "low"];

/** What a check's state is called, the worst first. */
const STATES = {
  failed: ["Failed", "critical"],
  blind: ["Blind", "high"],
  late: ["Late", "medium"],
  never: ["Not run yet", "calm"],
  ok: ["OK", "good"],
};
const ORDER = Object.keys(STATES);

const CELLS = {
  evaluated: ["", "evaluated"],
  late: ["L", "evaluated late"],
  blind: ["B", "blind"],
  gap: ["G", "gap"],
  none: ["·", "nothing was due"],
};

/** Kinds of errors and of interruptions, for people; others are named as they are. */
const CAUSES = {
  "not running": "the watch was not running",
  "nothing to judge": "hardly any window of that day could be judged",
  PartialResult: "the answer was cut short",
  QueryRejected: "the query was rejected",
  ResultTooLarge: "the answer was too large",
  SourceBlind: "what it needs could not be seen",
  SourceRefused: "reading was refused",
  SourceThrottled: "the source was busy",
  SourceUnavailable: "the source did not answer",
  StorageError: "its record can't be read",
};

const SIGHT = {
  pass: ["Seen", "good"],
  late: ["Late", "medium"],
  moved: ["Moved", "high"],
  not_allowed: ["Not allowed", "critical"],
  unknown: ["Not known", "calm"],
};
const NEEDS = { spans: "Spans", content: "Content" };

export async function show(main, asked, me) {
  const checks = ask("checks");
  const coverage = ask(`coverage?days=${DAYS}`);
  const alerts = ask("alerts?state=open");
  main.append(
    element("h1", { textContent: "Overview" }),
    element("div", { className: "grid tiles" },
      part("Checks", Promise.all([checks, coverage, alerts]), watch),
      part("Open alerts", alerts, open),
      part("What can be seen", checks, sight),
      me.roles.includes("Costs.Read") ? part("Cost of 7 days", costs(), cost) : null,
      part("Configuration", ask("configuration"), configuration)),
    part("Checks over 7 days", Promise.all([checks, coverage]), week),
  );
}

/** Make a part of the page that is filled once its answer is there. */
function part(heading, answer, fill) {
  const waits = loading();
  const made = section(heading, waits);
  answer.then(fill).then((nodes) => waits.replaceWith(...nodes))
    .catch((refusal) => waits.replaceWith(refused(refusal)));
  return made;
}

/** Give a check's state: as GET checks has it, with blind and late told apart. */
function stateOf(check, behind) {
  if (check.state === "failing") {
    return check.error === "SourceBlind" ? "blind" : "failed";
  }
  return check.state === "ok" && behind ? "late" : check.state;
}

function judged([{ checks }, { checks: covered }]) {
  const seen = new Map(covered.map((one) => [one.id, one]));
  return checks.map((check) => {
    const { behind = false, cells = [] } = seen.get(check.id) ?? {};
    return { ...check, cells, current: stateOf(check, behind) };
  });
}

function watch([checks, coverage, { last_tick: lastTick }]) {
  const rows = judged([checks, coverage]);
  const states = rows.map(({ current }) => current);
  const unseen = ({ state: kind }) => kind === "gap" || kind === "blind";
  const partial = rows.filter(({ cells }) => cells.some(unseen)).length;
  const count = (state) => states.filter((one) => one === state).length;
  const still = lastTick && Date.now() - new Date(lastTick) > STANDING_STILL;
  const troubles = ORDER.filter((state) => state !== "ok" && count(state) > 0);
  return [
    figure(`${count("ok")} of ${states.length}`, "checks are well"),
    troubles.length ? element("p", { className: "badges" },
      ...troubles.map((state) => badge(`${count(state)} ${STATES[state][0].toLowerCase()}`, STATES[state][1]))) : null,
    partial ? element("p", { textContent: `${number(partial)} did not see all of the last ${DAYS} days.` }) : null,
    element("p", { className: "muted" }, lastTick ? "The watch last looked " : "The watch has not looked yet.",
      lastTick ? time(lastTick, { ago: true }) : null),
    still ? element("p", {}, badge("Standing still", "critical")) : null,
  ].filter(Boolean);
}

function open({ alerts, unreadable }) {
  const by = Object.groupBy(alerts, ({ severity }) => severity);
  const acknowledged = alerts.filter(({ state }) => state === "acknowledged").length;
  const lines = SEVERITIES.filter((severity) => by[severity]).map((severity) => element("li", {},
    badge(severity, severity),
    element("a", { href: `/portal?view=alerts&state=open&severity=${severity}` },
      counted(by[severity].length, "alert"),
      element("span", { className: "sr-only", textContent: ` of severity ${severity}` }))));
  return [
    figure(number(alerts.length), acknowledged ? `open, ${acknowledged} of them acknowledged` : "open"),
    lines.length ? element("ul", { className: "plain" }, ...lines) : null,
    unreadable.length ? element("p", {},
      badge(`${counted(unreadable.length, "record")} can't be read`, "critical")) : null,
  ].filter(Boolean);
}

function sight({ sight: seen }) {
  if (!seen) {
    return [element("p", { className: "muted", textContent: "Nobody has looked yet." })];
  }
  const lines = Object.keys(NEEDS).map((need) => {
    const { answer, why, since } = seen.needs[need] ?? {};
    const [word, kind] = SIGHT[answer] ?? ["Not asked", "calm"];
    return element("li", {}, badge(word, kind), element("span", { textContent: NEEDS[need] }),
      since ? element("span", { className: "muted why" }, "since ", time(since)) : null,
      why ? element("span", { className: "muted why", textContent: why }) : null);
  });
  return [
    element("ul", { className: "plain" }, ...lines),
    element("p", { className: "muted" }, "Asked ", time(seen.asked_at, { ago: true })),
  ];
}

/** Ask what the last seven days (UTC), today included, have cost. */
function costs() {
  return ask(`costs?start=${day(1 - DAYS)}&end=${day(1)}&by=agent`);
}

function day(offset) {
  const at = new Date();
  at.setUTCDate(at.getUTCDate() + offset);
  return at.toISOString().slice(0, 10);
}

function cost({ total, groups, currency, start, end }) {
  const [from, to] = [start, end].map((instant) => instant.slice(0, 10));
  return [
    figure(money(total.cost + total.provisioned_cost, currency), `of ${counted(total.calls, "call")}`),
    groups.length ? facts(groups.slice(0, 3).map((one) => [
      one.group === null ? "no agent named" : foreign(one.group, 60),
      money(one.cost + one.provisioned_cost, currency)])) : null,
    ...doubts(total).map((textContent) => element("p", { className: "muted", textContent })),
    element("p", {}, element("a", {
      href: `/portal?view=costs&start=${from}&end=${to}&by=agent`, textContent: "All costs" })),
  ].filter(Boolean);
}

function configuration({ in_force: inForce, refused: wrong }) {
  const known = facts([
    ["In force", element("code", { textContent: inForce.configuration.slice(0, 12), title: inForce.configuration })],
    ["Since", time(inForce.since)],
    ["Overlay", inForce.overlay
      ? element("code", { textContent: inForce.overlay.slice(0, 12), title: inForce.overlay }) : "none"],
  ]);
  if (!wrong) {
    return [known];
  }
  const mistakes = wrong.mistakes.slice(0, 3).map(({ file, line, rule, fix }) => element("li", {},
    foreign([file, line ? `line ${line}` : "", rule].filter(Boolean).join(", ")), " ",
    element("span", { className: "muted" }, foreign(fix))));
  return [
    known,
    element("p", {}, badge("Refused", "critical"), ` ${counted(wrong.count, "mistake")} since `, time(wrong.at)),
    element("ul", { className: "mistakes" }, ...mistakes),
  ];
}

function figure(value, what) {
  return element("p", { className: "figure" }, element("b", { textContent: value }), ` ${what}`);
}

function week([checks, coverage]) {
  const rows = judged([checks, coverage]).sort((one, other) =>
    ORDER.indexOf(one.current) - ORDER.indexOf(other.current)
    || share(one) - share(other)
    || other.open_alerts - one.open_alerts
    || one.title.localeCompare(other.title));
  const length = coverage.cell_hours * 3_600_000;
  const first = new Date(coverage.since).getTime();
  const count = (new Date(coverage.until) - first) / length;
  const starts = Array.from({ length: count }, (_, n) => new Date(first + n * length));
  const map = heatMap({
    caption: "State of each check, and what it evaluated in the last 7 days.",
    starts,
    rows,
    columns: [
      { name: "Check", heading: true, cell: ({ id, title }) => element("span", { textContent: title, title: id }) },
      { name: "State", cell: state },
      { name: "Last run", cell: ({ last_evaluation: last }) => time(last?.at, { ago: true }) },
      { name: "Open", numeric: true, cell: openOf },
    ],
    last: { name: "Evaluated", numeric: true, cell: (row) => percent(share(row)) },
    cells: ({ title, cells }) => cells.map((cell, n) => ({
      kind: cell.state, letter: CELLS[cell.state][0], words: words(title, cell, starts[n], length) })),
  });
  return rows.length ? [
    legend(Object.entries(CELLS).map(([kind, [letter, said]]) => ({ kind, letter, words: said }))),
    map,
  ] : [empty("There are no checks.")];
}

function state({ current, error, consecutive_failures: failures }) {
  const [word, kind] = STATES[current];
  const why = current === "failed" ? `${cause(error)}${failures > 1 ? `, ${failures} times` : ""}` : "";
  return element("div", { className: "state" }, badge(word, kind),
    why ? element("span", { className: "muted why", textContent: why }) : null);
}

function openOf({ id, open_alerts: count }) {
  return count === 0 ? "0" : element("a", {
    href: `/portal?view=alerts&state=open&check=${encodeURIComponent(id)}` },
  number(count), element("span", { className: "sr-only", textContent: " open alerts" }));
}

/** Give the evaluated part of what was due in all cells; null where nothing was. */
function share({ cells }) {
  const due = cells.filter((cell) => cell.share !== null);
  return due.length ? due.reduce((sum, cell) => sum + cell.share, 0) / due.length : null;
}

function percent(value) {
  if (value === null) {
    return "–";
  }
  return `${value === 1 ? "100" : number(Math.min(value * 100, 99.9), 1)} %`; // what lacks a window is not all
}

function words(title, { state: kind, share: part, causes }, start, length) {
  const end = new Date(start.getTime() + length);
  const clock = { hour: "2-digit", minute: "2-digit" };
  const when = `${start.toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short" })}, `
    + `${start.toLocaleTimeString(undefined, clock)} to ${end.toLocaleTimeString(undefined, clock)}`;
  const seen = ["gap", "blind"].includes(kind) ? `${percent(part)} evaluated` : "";
  const said = [CELLS[kind][1], seen, ...causes.map(cause)];
  return `${title}. ${when}: ${said.filter(Boolean).join("; ")}.`;
}

function cause(kind) {
  return Object.hasOwn(CAUSES, kind) ? CAUSES[kind] : String(kind);
}
