// The list of alerts, by what the address asks for; and the silences.

import { ageHint } from "./action_button.js";
import {
  SEVERITIES, checkWords, figures, isActive, quantity, severityBadge, span, stateBadge, subject, when,
} from "./alert_words.js";
import { ask } from "./api.js";
import {
  announce, badge, counted, cut, element, empty, field, foreign, loading, number, refused, table,
} from "./elements.js";
import { silencesSection } from "./silences.js";

const STATES = [
  ["open", "Not over"], ["acknowledged", "Acknowledged"], ["resolved", "Resolved"], ["pending", "Pending"],
  ["any", "Any state"],
];
const NAMES = ["agent", "check", "owner"];
const FILTERS = ["state", "severity", ...NAMES];
const MOST_ROWS = 200;
const STOPPED_AFTER = 300_000; // ms without a look, as GET health has it: the watch looks every minute

export async function show(main, asked, me) {
  const found = element("div", { className: "found" }, loading());
  const wanted = new Map(FILTERS.map((name) => [name, asked.get(name) ?? ""]));
  let latest;
  const fill = async () => {
    const asking = ask(`alerts?${query(wanted)}`);
    latest = asking;
    const answer = await asking.catch((refusal) => refusal);
    if (latest !== asking) {
      return; // another filter was chosen meanwhile
    }
    if (answer instanceof Error) {
      found.replaceChildren(refused(answer));
      return;
    }
    found.replaceChildren(ageHint(reload), ...results(answer, wanted));
    suggest(main, answer.alerts);
    announce(summary(answer.alerts));
  };
  const heading = element("h1", { textContent: "Alerts", tabIndex: -1 });
  const reload = async () => {
    await fill();
    heading.focus();
  };
  main.replaceChildren(heading, filters(wanted, fill), found);
  const [silences] = await Promise.all([silencesSection(me.roles.includes("Alerts.Manage")), fill()]);
  main.append(silences);
}

/** Give the API's query: without a state in the address it is that of alerts that are not over. */
function query(wanted) {
  const given = new URLSearchParams([...wanted].filter(([, value]) => value !== ""));
  if (!given.has("state")) {
    given.set("state", "open");
  }
  if (given.get("state") === "any") {
    given.delete("state");
  }
  return given;
}

/** Make the filters; what is chosen goes into the address, so that it can be shared. */
function filters(wanted, fill) {
  const changed = (name, value) => {
    wanted.set(name, value);
    const address = new URLSearchParams([["view", "alerts"], ...[...wanted].filter(([, held]) => held !== "")]);
    history.replaceState(null, "", `/portal?${address}`);
    return fill();
  };
  const state = choice(STATES, wanted.get("state") || "open");
  state.addEventListener("change", () => changed("state", state.value === "open" ? "" : state.value));
  const severity = choice([["", "Any severity"], ...SEVERITIES.map((one) => [one, one])], wanted.get("severity"));
  severity.addEventListener("change", () => changed("severity", severity.value));
  const texts = NAMES.map((name) => {
    const input = element("input", { type: "search", value: wanted.get(name), autocomplete: "off", spellcheck: false });
    input.setAttribute("list", `known-${name}`);
    input.addEventListener("change", () => changed(name, input.value.trim()));
    return element("div", {}, field(name.charAt(0).toUpperCase() + name.slice(1), input),
      element("datalist", { id: `known-${name}` }));
  });
  const further = element("details", { className: "further", open: NAMES.some((name) => wanted.get(name) !== "") },
    element("summary", { textContent: "Agent, check, owner" }), element("div", { className: "toolbar" }, ...texts));
  return element("div", { className: "toolbar alert-filters", role: "search", ariaLabel: "Filters" },
    field("State", state), field("Severity", severity), further);
}

function choice(options, chosen) {
  const made = element("select", {},
    ...options.map(([value, words]) => element("option", { value, textContent: words })));
  made.value = chosen;
  if (made.selectedIndex < 0) { // what nobody offered; the API says what is wrong with it
    made.append(element("option", { value: chosen, textContent: cut(chosen, 40), selected: true }));
  }
  return made;
}

/** Offer the names that the listed alerts have. */
function suggest(main, alerts) {
  const known = {
    agent: alerts.map(({ key }) => key.Agent),
    check: alerts.map(({ check_id: check }) => check),
    owner: alerts.map(({ owner }) => owner),
  };
  for (const name of NAMES) {
    const names = [...new Set(known[name].filter((one) => one && one.length <= 200))].sort().slice(0, 100);
    main.querySelector(`#known-${name}`).replaceChildren(...names.map((value) => element("option", { value })));
  }
}

function results({ alerts, unreadable, last_tick: ticked }, wanted) {
  const sorted = alerts.toSorted(worseFirst);
  const atWork = ticked !== null && Date.now() - new Date(ticked) < STOPPED_AFTER;
  return [
    element("p", { className: "muted" }, `${summary(alerts)}. `,
      ...(ticked ? ["The watch last looked ", when(ticked), "."] : ["The watch has never looked."])),
    atWork ? "" : stopped(),
    unreadable.length > 0 ? unknown(unreadable) : "",
    alerts.length === 0 ? nothing(wanted, atWork && unreadable.length === 0) : list(sorted.slice(0, MOST_ROWS)),
    alerts.length > MOST_ROWS
      ? element("p", { textContent: `The first ${number(MOST_ROWS)} are shown. Filter to see the others.` })
      : "",
  ];
}

function summary(alerts) {
  const open = alerts.filter(({ state }) => state === "open").length;
  const words = counted(alerts.length, "alert");
  return open > 0 && open < alerts.length ? `${words}, ${number(open)} not acknowledged` : words;
}

/** What is not over first, then the worst, then what was seen last. */
function worseFirst(one, other) {
  return isActive(other) - isActive(one)
    || SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity)
    || other.last_seen.localeCompare(one.last_seen);
}

function unknown(names) {
  return element("div", { className: "alert-warning", role: "note" },
    element("p", { textContent: "Not all alerts are known: these documents can't be read." }),
    element("ul", {}, ...names.slice(0, 20).map((name) => element("li", {}, foreign(name)))),
    names.length > 20 ? element("p", { textContent: `And ${number(names.length - 20)} more.` }) : "");
}

function stopped() {
  return element("div", { className: "alert-warning", role: "note" }, element("p", {
    textContent: "The watch looks every minute; it does not do so now. What is wrong since then is not known. "
      + "After a new deployment it begins within two minutes; else look for the function watch_tick in the app's log.",
  }));
}

/** Say what it means that no alert is listed; all is quiet only where all could be seen. */
function nothing(wanted, allSeen) {
  if (FILTERS.some((name) => wanted.get(name) !== "")) {
    return element("div", {}, empty("No alert is like that."),
      element("p", {}, element("a", { href: "/portal?view=alerts", textContent: "Show all that are not over" })));
  }
  return allSeen
    ? empty("All quiet: no alert is open.",
      "Every check that could judge found nothing. The overview says which could not.")
    : empty("No open alert is known.");
}

function list(alerts) {
  const columns = [
    { name: "Severity", cell: severityBadge },
    { name: "Alert", heading: true, cell: headline },
    { name: "State", cell: standing },
    { name: "Since", cell: ({ opened_at: at }) => when(at) },
    { name: "Value", numeric: true, cell: (alert) => quantity(alert.value, alert.unit) },
    { name: "Limit", numeric: true, cell: ({ threshold }) => (threshold === null ? "none" : figures(threshold)) },
    { name: "Runs", numeric: true, cell: ({ runs }) => number(runs) },
    { name: "Owner", cell: ({ owner }) => foreign(owner, 80) },
  ];
  const made = table({ caption: "Alerts, the worst first", columns, rows: alerts });
  made.classList.add("alert-stack");
  stack(made, columns);
  return made;
}

function headline(alert) {
  return element("a", { href: `/portal?alert=${alert.id}` }, subject(alert, 80), `: ${checkWords(alert)}`);
}

function standing(alert) {
  const { quieted_by: quieted } = alert;
  const over = alert.resolved_at ? ` after ${span(alert.opened_at, alert.resolved_at)}` : "";
  const words = quieted.some((name) => name.includes("@")) ? "silenced" : "inhibited";
  return element("span", {}, stateBadge(alert), over, " ", quieted.length > 0 ? badge(words, "low") : "");
}

/** Let the rows be read as a table where a narrow screen shows them as cards. */
function stack(made, columns) {
  const roles = {
    table: "table",
    thead: "rowgroup",
    tbody: "rowgroup",
    tr: "row",
    td: "cell",
    "thead th": "columnheader",
    "tbody th": "rowheader",
  };
  for (const [selector, role] of Object.entries(roles)) {
    for (const one of made.querySelectorAll(selector)) {
      one.setAttribute("role", role);
    }
  }
  for (const row of made.querySelectorAll("tbody tr")) {
    [...row.cells].forEach((cell, n) => { cell.dataset.label = columns[n].name; });
  }
}
