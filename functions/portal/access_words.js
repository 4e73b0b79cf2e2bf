// How an entry of the access log is said in words. Names are chosen by people: they prove nothing, and are inert.

import { badge, cut, element, facts, foreign } from "./elements.js";

const ACTIONS = {
  "access-log.read": "Read the access log",
  "alerts.acknowledge": "Acknowledge an alert",
  "alerts.list": "List alerts",
  "alerts.read": "Look at an alert",
  "alerts.read-trace": "Read a trace of an alert",
  "checks.coverage": "Look at a check's coverage",
  "checks.list": "List checks",
  "clock.off": "The clock is off",
  "clock.right": "The clock is right again",
  "configuration.in-force": "A configuration came into force",
  "configuration.read": "Look at the configuration",
  "costs.read": "Read costs",
  "coverage.read": "Look at the coverage",
  "exports.approve": "Decide about an export",
  "exports.approved": "An export was approved",
  "exports.cancel": "Cancel an export",
  "exports.cancelled": "An export was cancelled",
  "exports.download": "Download a bundle",
  "exports.draw-begun": "The draw of a sample began",
  "exports.draw-seeded": "The draw of a sample got its seed",
  "exports.drawn": "A sample was drawn",
  "exports.expired": "An export was given up",
  "exports.failed": "An export failed",
  "exports.finished": "A bundle was finished",
  "exports.list": "List exports",
  "exports.read": "Look at an export",
  "exports.refused": "An export was refused",
  "exports.request": "Ask for an export",
  "exports.requested": "An export was recorded",
  "me.read": "Ask for one's own roles",
  "seals.agent": "An agent's traces of a day were sealed",
  "seals.day": "A day was sealed",
  "seals.vanished": "Sealed traces have vanished",
  "silences.add": "Add a silence",
  "silences.end": "End a silence",
  "silences.list": "List silences",
  "traces.read": "Read a trace",
  "traces.search": "Search for traces",
};
const OUTCOMES = { served: "good", denied: "critical", refused: "high", failed: "medium" };
const TOLD = ["export_id", "ticket", "profile", "alert_id", "trace_id", "check_id", "day", "agent", "range", "approved", "traces"];
const [SHORT, LONG] = [12, 200]; // characters of one value
const EXPORT_ID = /^[0-9a-f]{32}$/;

/** Give what was done, in words. */
export function actionWords(action) {
  return ACTIONS[action] ?? String(action);
}

/** Make the badge of how it ended. */
export function outcomeBadge(outcome) {
  return badge(outcome, OUTCOMES[outcome] ?? "calm");
}

/** Give a name for who it was, for a filter and a file. */
export function whoWords({ who, outcome }) {
  if (!who) {
    return outcome === "denied" ? "nobody who could be believed" : "the service";
  }
  return who.name || (String(who.object_id).startsWith("tracekeeper:") ? "the service" : "");
}

/** Make what shows who it was: the name, and the beginning of the directory's id. */
export function whoCell(entry) {
  const name = whoWords(entry);
  return element("div", { className: "lines" },
    name ? foreign(name, 80) : null,
    entry.who ? element("code", { className: "id", textContent: cut(entry.who.object_id, 8) }) : null);
}

/**
 * Make what it was about in a line, why it was not served, and on demand all that the entry says.
 *
 * @param {boolean} mayRead Whether the reader may open exports: then they get a link.
 */
export function aboutCell({ on, who, reason, correlation_id: correlation }, mayRead) {
  const pairs = Object.entries(on ?? {});
  const told = pairs.filter(([name]) => TOLD.includes(name));
  const all = [...pairs, ["object id", who?.object_id], ["correlation id", correlation]].filter(([, value]) => value);
  return element("div", {},
    reason ? element("p", {}, element("bdi", { textContent: cut(reason, LONG) })) : null,
    told.length > 0 ? element("p", {}, ...told.map((pair) => brief(pair, mayRead))) : null,
    details(() => facts(all.map(([name, value]) => [words(name), element("code", {}, foreign(value))]))));
}

/** Make details that are built once they are opened: there may be a thousand. */
function details(build) {
  const made = element("details", {}, element("summary", { textContent: "Details" }));
  made.addEventListener("toggle", () => made.append(build()), { once: true });
  return made;
}

function brief([name, value], mayRead) {
  const code = element("code", {}, foreign(value, SHORT));
  const shown = name === "export_id" && mayRead && EXPORT_ID.test(value)
    ? element("a", { href: `/portal?view=exports&export=${value}` }, code)
    : code;
  return element("span", { className: "told" }, element("span", { className: "muted", textContent: `${words(name)} ` }), shown);
}

function words(name) {
  return cut(name, 40).replace(/_id$/, "").replaceAll("_", " ");
}
