// What an alert's check found: the value over time, which releases were at work, and the traces.

import { clock, figures, moment, quantity, quietly } from "./alert_words.js";
import { counted, element, foreign, number, section, table } from "./elements.js";
import { lineChart } from "./line_chart.js";

const TRACE_ID = /^[0-9a-f]{32}$/;
const FIRST_ROWS = 12;
const FIRST_TRACES = 8;

/** Make the section with the value against its limit, as a chart and as a table. */
export function valueOverTime(alert) {
  const { findings, unit } = alert;
  if (findings.length === 0) {
    return null;
  }
  const values = findings.map(({ value }) => value);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const label = `Value over time: ${counted(findings.length, "finding")}, the latest ${quantity(values.at(-1), unit)}, `
    + `between ${quantity(lowest, unit)} and ${quantity(highest, unit)}. The table has them all.`;
  const points = findings.map((finding) => ({
    start: new Date(finding.window.start),
    end: new Date(finding.window.end),
    value: finding.value,
    limit: finding.threshold,
    hollow: finding.late,
    said: `${clock(finding.window.start).textContent}–${clock(finding.window.end).textContent}: `
      + `${quantity(finding.value, unit)}${finding.late ? ", found late" : ""}`,
  }));
  return section("Value over time",
    lineChart(points, { label, format: figures }),
    element("p", { className: "muted" }, notes(alert)),
    element("details", {}, element("summary", { textContent: `As a table: ${counted(findings.length, "finding")}` }),
      more(findings.toReversed(), FIRST_ROWS, "findings", (rows) => findingsTable(rows, unit))));
}

function notes({ findings, findings_dropped: dropped, unit }) {
  return [
    unit ? `In ${unit}. ` : "",
    "Each point is a window with a finding; where there is none nothing was found, or it could not be judged.",
    findings.some(({ late }) => late) ? " Hollow points were found later, in rows that came late." : "",
    dropped > 0 ? ` Of earlier findings ${number(dropped)} are no longer kept.` : "",
  ].join("");
}

function findingsTable(rows, unit) {
  return table({
    caption: "Findings, the latest first",
    columns: [
      { name: "Window", heading: true, cell: ({ window }) => stretch(window) },
      { name: "Value", numeric: true, cell: ({ value }) => quantity(value, unit) },
      { name: "Limit", numeric: true, cell: ({ threshold }) => figures(threshold) },
      { name: "Occurrences", numeric: true, cell: ({ violations }) => number(violations) },
      { name: "Traces", numeric: true, cell: ({ trace_ids: traces }) => number(traces.length) },
      { name: "Notes", cell: remarks },
    ],
    rows,
  });
}

function remarks({ late, withdrawn }) {
  return [
    late ? "found late" : "",
    withdrawn.length > 0 ? `${counted(withdrawn.length, "trace")} refuted by later rows` : "",
  ].filter(Boolean).join(", ");
}

/** Make the section that tells which releases the findings were of; null where no finding names one. */
export function releases({ findings, unit }) {
  const groups = [];
  for (const { shows, window, value } of findings) {
    const [release, prompt] = [shows.Release ?? "", shows.PromptVersion ?? ""];
    const last = groups.at(-1);
    if (last && last.release === release && last.prompt === prompt) {
      Object.assign(last, { until: window.end, count: last.count + 1, latest: value });
    } else if (release || prompt) {
      groups.push({ release, prompt, since: window.start, until: window.end, count: 1, latest: value });
    }
  }
  if (groups.length === 0) {
    return null;
  }
  return section("Releases", table({
    caption: "Releases that the findings were of, the latest first",
    columns: [
      { name: "Release", heading: true, cell: ({ release }) => foreign(release || "–", 80) },
      { name: "Prompt version", cell: ({ prompt }) => foreign(prompt || "–", 80) },
      { name: "Last value", numeric: true, cell: ({ latest }) => quantity(latest, unit) },
      { name: "Findings", numeric: true, cell: ({ count }) => number(count) },
      { name: "From", cell: ({ since }) => moment(since) },
      { name: "To", cell: ({ until }) => moment(until) },
    ],
    rows: groups.toReversed(),
  }));
}

/** Make the section with links to an alert's traces, the latest first. */
export function traces({ id, findings }) {
  const known = new Map();
  for (const { window, trace_ids: names, withdrawn } of findings.toReversed()) {
    for (const name of names.filter((one) => !known.has(one))) {
      known.set(name, { name, at: window.end, refuted: withdrawn.includes(name) });
    }
  }
  const rows = [...known.values()];
  if (rows.length === 0) {
    return section("Traces", element("p", {}, quietly("The findings name no traces.")));
  }
  const item = (row) => element("li", {}, traceLink(id, row.name), " ", moment(row.at),
    row.refuted ? quietly(" refuted by later rows") : "");
  return section("Traces", more(rows, FIRST_TRACES, "traces", (some) =>
    element("ul", { className: "alert-list alert-traces" }, ...some.map(item))));
}

function traceLink(alert, name) {
  return TRACE_ID.test(name)
    ? element("a", { href: `/portal?view=trace&alert=${alert}&trace=${name}` }, element("code", { textContent: name }))
    : foreign(name, 64);
}

/** Show the first of many rows, and the others when asked. */
function more(rows, first, what, make) {
  const place = element("div", {}, make(rows.slice(0, first)));
  if (rows.length > first) {
    const button = element("button", { type: "button", textContent: `Show all ${number(rows.length)} ${what}` });
    button.addEventListener("click", () => {
      const all = make(rows);
      if (!all.hasAttribute("tabindex")) {
        all.tabIndex = -1;
      }
      place.replaceChildren(all);
      all.focus();
    });
    place.append(button);
  }
  return place;
}

function stretch({ start, end }) {
  return element("span", { className: "alert-together" }, moment(start), "–", clock(end));
}
