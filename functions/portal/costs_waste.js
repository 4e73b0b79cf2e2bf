// What model calls cost in vain: calls for retries, for searches made twice, and for prompts that grew.

import { barred } from "./costs_figures.js";
import { element, foreign, money, number, section } from "./elements.js";
import { sortable } from "./sortable.js";

const KINDS = [
  {
    kind: "retries",
    name: "Retries",
    what: "A tool was called again after it had failed. Lost is the model call that asked for it.",
    times: "retries",
  },
  {
    kind: "duplicate_retrievals",
    name: "Searches made again",
    what: "The same search, with the same arguments, was made twice in a run. Lost is the model call that asked for it.",
    times: "searches",
  },
  {
    kind: "context_bloat",
    name: "Prompts that grew",
    what: "Prompts were longer than is usual for the agent in the week before. Lost is what the rest of them cost.",
    times: "calls",
  },
];

/**
 * Draw a report.
 *
 * @param {object} report The API's answer, of the schema Waste.
 * @param {object} me Of GET api/v1/me.
 * @returns {Node[]}
 */
export function wasteReport(report, me) {
  const most = Math.max(...KINDS.map(({ kind }) => report[kind].lost));
  return [
    section(
      "Paid in vain",
      element("p", { className: "muted", textContent: "One call may be in several kinds: don't add them up." }),
      sortable({
        caption: "What each kind of waste cost",
        columns: [
          { name: "Kind", cell: (one) => one.name, value: (one) => one.name, heading: true },
          {
            name: "Lost",
            cell: (one) => barred(money(report[one.kind].lost, report.currency), report[one.kind].lost / most),
            value: (one) => report[one.kind].lost,
            numeric: true,
          },
          {
            name: "Times",
            cell: (one) => `${number(report[one.kind].times)} ${one.times}`,
            value: (one) => report[one.kind].times,
            numeric: true,
          },
        ],
        rows: KINDS,
      }),
      ...unknowns(report),
    ),
    ...KINDS.map((one) => dearest(one, report, me)),
  ];
}

function dearest({ kind, name, what }, { [kind]: losses, currency }, me) {
  const most = Math.max(...losses.top.map((loss) => loss.lost));
  const ofTool = kind !== "context_bloat";
  return section(name, element("p", { textContent: what }), sortable({
    caption: `${name}: the dearest`,
    columns: [
      { name: "Agent", cell: (loss) => foreign(loss.agent ?? "not said"), value: (loss) => loss.agent, heading: true },
      ...(ofTool ? [{ name: "Tool", cell: (loss) => tool(loss.tool), value: (loss) => loss.tool }] : []),
      {
        name: "Lost",
        cell: (loss) => barred(money(loss.lost, currency), loss.lost / most),
        value: (loss) => loss.lost,
        numeric: true,
      },
      ...(ofTool
        ? [{ name: "Times", cell: (loss) => number(loss.times), value: (loss) => loss.times, numeric: true }]
        : []),
      { name: "Model calls", cell: (loss) => number(loss.calls), value: (loss) => loss.calls, numeric: true },
      {
        name: "Without cost",
        cell: (loss) => number(loss.without_cost),
        value: (loss) => loss.without_cost,
        numeric: true,
      },
      { name: "Traces", cell: (loss) => traces(loss.trace_ids, me) },
    ],
    rows: losses.top,
    empty: "None in this period.",
  }));
}

function tool(name) {
  return element("span", { className: "costs-tool" }, foreign(name ?? "not said"));
}

function traces(ids, me) {
  const readable = me.roles.includes("Traces.Read");
  return element("span", { className: "costs-traces" }, ...ids.map((id) => (readable ? opening(id) : written(id))));
}

function opening(id) {
  const href = `/portal?${new URLSearchParams({ view: "trace", trace: id })}`;
  return element("a", { href, title: id, textContent: short(id) });
}

function written(id) {
  return element("code", { title: id, textContent: short(id) });
}

function short(id) {
  return `${id.slice(0, 8)}…`;
}

function unknowns({ blind_searches: searches, agents_without_usual: agents }) {
  const told = [
    searches > 0 && `Searches that don't say their arguments, and may have been made again: ${number(searches)}.`,
    agents > 0 && `Agents that called too little in the week before to say what is usual for them: ${number(agents)}.`,
  ].filter(Boolean);
  return told.map((textContent) => element("p", { className: "muted", textContent }));
}
