// How much telemetry each agent sends that the workspace is billed for.

import { barred } from "./costs_figures.js";
import { element, empty, foreign, number, section } from "./elements.js";
import { sortable } from "./sortable.js";

const UNITS = [[1, "GB"], [1e-3, "MB"], [1e-6, "kB"]];

/**
 * Draw a report.
 *
 * @param {object} report The API's answer, of the schema TelemetryVolume.
 * @returns {Node[]}
 */
export function telemetryReport({ gigabytes, agents }) {
  if (!agents.length) {
    return [empty("No telemetry was received in this period.", "Choose other days.")];
  }
  const tables = [...new Set(agents.flatMap((one) => Object.keys(one.tables)))].sort();
  const most = agents[0].gigabytes;
  return [
    section(
      "Telemetry received",
      element("p", {}, element("strong", { textContent: size(gigabytes) }),
        " that the workspace is billed for, of the tables that Tracekeeper reads."),
      sortable({
        caption: "Telemetry by agent; a trace's rows are of the agent that began it",
        columns: [
          { name: "Agent", cell: (one) => foreign(one.agent ?? "no agent"), value: (one) => one.agent, heading: true },
          {
            name: "Received",
            cell: (one) => barred(size(one.gigabytes), one.gigabytes / most),
            value: (one) => one.gigabytes,
            numeric: true,
          },
          { name: "Rows", cell: (one) => number(one.rows), value: (one) => one.rows, numeric: true },
          ...tables.map((table) => ({
            name: table,
            cell: (one) => (table in one.tables ? size(one.tables[table]) : ""),
            value: (one) => one.tables[table],
            numeric: true,
          })),
        ],
        rows: agents,
      }),
    ),
  ];
}

/** Write gigabytes of 10^9 bytes in the unit that leaves a number to read. */
function size(gigabytes) {
  const [unit, name] = UNITS.find(([least]) => gigabytes >= least) ?? UNITS.at(-1);
  return `${number(Number((gigabytes / unit).toPrecision(3)))} ${name}`;
}
