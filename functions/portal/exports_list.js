// The list of exports, the latest first, and above it the form that asks for one.

import { ask } from "./api.js";
import { element, field, number, table, time } from "./elements.js";
import {
  STATE_WORDS, completeBadge, isOver, requesterWords, selectorWords, stateBadge,
} from "./export_words.js";
import { requestForm } from "./export_request.js";

const ALERT_ID = /^[0-9a-f]{16}$/;
const PAGE = 50; // rows; a person looks for one of the latest

/** Show the exports, and the form open where there are none or an alert is named. */
export async function showExports(main, asked, me) {
  const { exports, asking } = await ask("exports");
  const alert = ALERT_ID.test(asked.get("alert") ?? "") ? asked.get("alert") : "";
  const form = requestForm(asking, me, { alert });
  const asks = element("details", { className: "asks", open: alert !== "" || exports.length === 0 },
    element("summary", {}, element("h2", { textContent: "Ask for an export" })), form);
  const list = element("div", { className: "exports" });
  main.replaceChildren(
    element("h1", { textContent: "Exports" }),
    element("p", { className: "muted lead", textContent: "Signed bundles of traces, without what is personal. Each request, decision and download is on the record." }),
    asks,
    ...(exports.length > 0 ? [chooser(exports, asked, list)] : []),
    list,
  );
  draw(list, chosen(exports, asked.get("state") ?? ""));
  if (alert) {
    form.elements.reason.focus();
  }
}

function chooser(exports, asked, list) {
  const options = [["", "Any state"], ["underway", "Not over"], ...STATE_WORDS];
  const select = element("select", {}, ...options.map(([value, words]) => element("option", { value, textContent: words })));
  select.value = options.some(([value]) => value === asked.get("state")) ? asked.get("state") : "";
  select.addEventListener("change", () => {
    const address = new URLSearchParams({ view: "exports", ...(select.value ? { state: select.value } : {}) });
    history.replaceState(null, "", `/portal?${address}`);
    draw(list, chosen(exports, select.value));
  });
  return element("div", { className: "toolbar", role: "search", ariaLabel: "Filters" }, field("State", select));
}

function chosen(exports, state) {
  const fits = { "": () => true, underway: (one) => !isOver(one) }[state] ?? ((one) => one.state === state);
  return exports.filter(fits);
}

function draw(list, exports, most = PAGE) {
  const more = exports.length - most;
  list.replaceChildren(table({
    caption: "Exports",
    columns: COLUMNS,
    rows: exports.slice(0, most),
    empty: "There is no export that you may see.",
  }));
  if (more > 0) {
    const button = element("button", { type: "button", textContent: `Show ${number(more)} more` });
    button.addEventListener("click", () => {
      draw(list, exports, Infinity);
      list.querySelectorAll("tbody a")[most].focus();
    });
    list.append(button);
  }
}

const COLUMNS = [
  { name: "What", heading: true, cell: what },
  { name: "State", cell: (one) => lines(stateBadge(one), until(one)) },
  { name: "Bundle", cell: (one) => completeBadge(one) },
  { name: "Traces", numeric: true, cell: ({ counts }) => counts && number(counts.traces) },
  { name: "Rows", numeric: true, cell: ({ counts }) => counts && number(counts.rows) },
  { name: "Profile", cell: ({ profile }) => profile },
  { name: "Asked for", cell: (one) => lines(time(one.requested_at), said("by ", requesterWords(one))) },
];

function what({ id, selector, ticket }) {
  return lines(
    element("a", { href: `/portal?view=exports&export=${id}` }, selectorWords(selector, { short: true })),
    said("for ", element("bdi", { textContent: ticket })),
  );
}

function until({ expires_at: expires, finished_at: finished }) {
  return expires ? said("given up ", time(expires)) : said(time(finished));
}

function lines(...nodes) {
  return element("div", { className: "lines" }, ...nodes);
}

function said(...nodes) {
  return element("span", { className: "muted" }, ...nodes);
}
