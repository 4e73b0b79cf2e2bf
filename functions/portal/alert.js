// The page of one alert: what is wrong, how bad it is, and a button that says somebody sees to it; then the rest.

import { actionButton, ageHint } from "./action_button.js";
import { releases, traces, valueOverTime } from "./alert_findings.js";
import { silencing } from "./alert_silencing.js";
import { deliveries, evidence } from "./alert_told.js";
import {
  checkWords, figures, isActive, label, quantity, quietly, severityBadge, span, stateBadge, subject, when,
} from "./alert_words.js";
import { ask } from "./api.js";
import { announce, counted, cut, element, facts, foreign, loading, number, section } from "./elements.js";

const SENTENCE = /(?<=[.!?])\s/;

export async function show(main, asked, me) {
  await showAlert(main, asked.get("alert"), me);
  if (asked.get("do") === "ack") {
    main.querySelector(".acknowledge")?.focus();
  }
}

/**
 * Show an alert.
 *
 * @param {HTMLElement} main Where.
 * @param {string} id Of the alert: 16 hex digits.
 * @param {{roles: string[], limited: object}} me Who looks at it.
 */
async function showAlert(main, id, me) {
  if (!main.hasChildNodes()) {
    main.append(loading());
  }
  const alert = await ask(`alerts/${id}`);
  const may = (role) => me.roles.includes(role);
  const silence = silencing(alert, may("Alerts.Manage"), Boolean(me.limited["Alerts.Manage"]));
  const again = async (focused, said) => {
    await showAlert(main, id, me);
    main.querySelector(focused).focus();
    announce(said);
  };
  const taken = () => again(".taken", "Acknowledged. You see to it.");
  main.replaceChildren(
    ageHint(() => again("h1", "Loaded again.")),
    head(alert, may("Alerts.Manage"), taken, silence.open),
    element("div", { className: "alert-columns" },
      element("div", {}, ...[firstStep(alert), valueOverTime(alert), releases(alert), traces(alert)].filter(Boolean)),
      element("div", {}, about(alert), silence.section, deliveries(alert), evidence(alert, may("Evidence.Read")))));
}

/** What comes first: on a phone all of it is on the first screen. */
function head(alert, mayManage, taken, silence) {
  const lasted = alert.resolved_at
    ? `for ${span(alert.opened_at, alert.resolved_at)}, over for ${span(alert.resolved_at)}`
    : `for ${span(alert.opened_at)}`;
  return element("header", { className: `alert-head ${alert.severity}` },
    element("p", { className: "tags" }, severityBadge(alert), " ", stateBadge(alert), " ",
      quietly(lasted)),
    // Said with the severity first, as on the card; to the eye the badge has it.
    element("h1", { tabIndex: -1 }, element("span", { className: "sr-only", textContent: `${alert.severity}: ` }),
      subject(alert), `: ${checkWords(alert)}`),
    element("p", { className: "measure" }, element("strong", { textContent: quantity(alert.value, alert.unit) }), " ",
      quietly(alert.threshold === null ? "any occurrence counts" : `limit ${figures(alert.threshold)}`)),
    alert.state === "acknowledged" ? whoSeesToIt(alert) : "",
    isActive(alert) ? actions(alert, mayManage, taken, silence) : "");
}

function actions(alert, mayManage, taken, silence) {
  if (!mayManage) {
    return element("p", {}, quietly("To acknowledge or silence it you need the role Alerts.Manage."));
  }
  const link = element("a", { className: "button", href: "#silence", textContent: "Silence …" });
  link.addEventListener("click", (event) => {
    event.preventDefault();
    silence();
  });
  const button = alert.state === "open" ? acknowledging(alert, taken) : "";
  return element("div", { className: "alert-actions" }, button, link);
}

function acknowledging({ id }, taken) {
  return actionButton({ className: "primary acknowledge", textContent: "Acknowledge" }, async () => {
    await ask(`alerts/${id}/acknowledge`, {});
    await taken();
  });
}

function whoSeesToIt({ acknowledged_at: at, acknowledged_by: by, acknowledged_by_you: mine }) {
  const who = mine ? "You see" : element("span", {}, element("code", { textContent: cut(by) }), " sees");
  return element("p", { className: "taken", tabIndex: -1 }, who, " to it, since ", when(at));
}

function firstStep({ title, triage, false_positives: nothing }) {
  if (!triage) {
    return section("What to do", element("p", {
      textContent: "The check of this alert was removed: nothing more is told of it.",
    }));
  }
  const [first, ...others] = triage.replace(/\s+/g, " ").trim().split(SENTENCE);
  return section("What to do",
    element("p", { className: "first-step" }, foreign(first, 600)),
    element("details", {}, element("summary", { textContent: "The rest of the steps, and when it means nothing" }),
      others.length > 0 ? element("p", {}, foreign(others.join(" "), 4000)) : "",
      element("p", {}, element("strong", { textContent: "It means nothing: " }), foreign(nothing, 2000)),
      element("p", { className: "muted" }, "The check: ", foreign(title))));
}

function about(alert) {
  const { threshold, unit } = alert;
  return section("About it", facts([
    ["Opened", when(alert.opened_at)],
    ["Last seen", when(alert.last_seen)],
    ["Over since", when(alert.resolved_at)],
    ["Acknowledged", when(alert.acknowledged_at)],
    ["Escalated", when(alert.escalated_at)],
    ["Value", quantity(alert.value, unit)],
    ["Limit", threshold === null ? "none: any occurrence counts" : quantity(threshold, unit)],
    ["Worst", quantity(alert.worst, unit)],
    ["Runs", number(alert.runs)],
    ["Occurrences", number(alert.violations)],
    ["Episode", alert.episode > 1 ? `${alert.episode}: it opened ${alert.episode} times` : alert.episode],
    ["Owner", foreign(alert.owner)],
    ["Check", element("a", { href: listed(alert) }, foreign(alert.check_id))],
    ...columns(alert.key),
    ...columns(alert.shows),
    ["Id", element("code", { textContent: alert.id })],
  ]), isActive(alert) && alert.quiet > 0
    ? element("p", { className: "muted", textContent: `The latest ${counted(alert.quiet, "window")} had no finding.` })
    : "");
}

/** Give where all alerts of the same check are listed. */
function listed({ check_id: check }) {
  return `/portal?${new URLSearchParams([["view", "alerts"], ["state", "any"], ["check", check]])}`;
}

function columns(held) {
  return Object.entries(held).map(([name, value]) => [
    label(name), typeof value === "number" ? figures(value) : value && foreign(value, 500),
  ]);
}
