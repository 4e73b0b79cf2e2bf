// The list of silences: who silenced what and why, until when, and what each hides now.

import { actionButton } from "./action_button.js";
import { checkWords, label, moment, quietly, severityBadge, subject, when } from "./alert_words.js";
import { ask } from "./api.js";
import { announce, badge, counted, cut, element, empty, foreign, number, refused, section } from "./elements.js";

const STATES = {
  in_force: ["in force", "low"],
  scheduled: ["scheduled", "calm"],
  between: ["recurring", "calm"],
  ended: ["ended", "calm"],
};
const MOST_LISTED = 50;

/**
 * Make the section with all silences.
 *
 * @param {boolean} mayEnd Whether whoever is signed in may end one.
 * @returns {Promise<HTMLElement>}
 */
export async function silencesSection(mayEnd) {
  const made = section("Silences");
  const fill = async () => {
    const { silences, unreadable } = await ask("silences");
    const lasting = silences.filter(({ state }) => state !== "ended");
    const over = silences.filter(({ state }) => state === "ended");
    const heading = made.firstElementChild;
    heading.tabIndex = -1;
    made.replaceChildren(heading,
      unreadable.length > 0 ? unknown(unreadable) : "",
      lasting.length > 0 ? list(lasting, mayEnd, again) : empty("No silence is in force or scheduled.",
        "Every open alert is told. Open an alert to silence it."),
      over.length > 0 ? element("details", {}, element("summary", {
        textContent: `Ended in the last 30 days (${number(over.length)})`,
      }), list(over.slice(0, MOST_LISTED), false, again)) : "");
  };
  const again = async (said) => {
    await fill();
    made.firstElementChild.focus();
    announce(said);
  };
  try {
    await fill();
  } catch (refusal) {
    made.append(refused(refusal));
  }
  return made;
}

function unknown(names) {
  return element("p", { className: "alert-warning" },
    `What is hidden in ${counted(names.length, "document")} is not known: that can't be read.`);
}

function list(silences, mayEnd, again) {
  const items = silences.map((silence) => item(silence, mayEnd, again));
  return element("ul", { className: "alert-list silences" }, ...items);
}

function item(silence, mayEnd, again) {
  const [words, kind] = STATES[silence.state] ?? [silence.state, "calm"];
  return element("li", {},
    element("p", { className: "reason" }, badge(words, kind), " ", foreign(silence.reason)),
    element("p", {}, matchers(silence)),
    element("p", { className: "muted" }, "By ", foreign(silence.author, 80),
      silence.state === "scheduled" ? element("span", {}, ", from ", moment(silence.starts_at)) : "",
      silence.state === "ended" ? ", ended " : ", until ", when(silence.ended_at ?? silence.ends_at), recurs(silence)),
    hides(silence),
    mayEnd ? endButton(silence, again) : "");
}

function matchers({ matchers: held }) {
  const parts = Object.entries(held).flatMap(([name, patterns], n) => [
    n > 0 ? " and " : "",
    `${label(name)} is `,
    ...patterns.flatMap((pattern, m) => [m > 0 ? " or " : "", element("code", {}, foreign(pattern, 80))]),
  ]);
  return element("span", {}, ...parts);
}

function recurs({ recurrence }) {
  return recurrence
    ? `, on ${recurrence.weekdays.join(", ")} from ${recurrence.from} to ${recurrence.to} (${recurrence.zone})`
    : "";
}

function hides({ hides: hidden, reports }) {
  if (!hidden) {
    const hid = reports.reduce((sum, report) => sum + report.hid, 0);
    return reports.length > 0 ? element("p", {}, quietly(`It hid ${counted(hid, "alert")}.`)) : "";
  }
  if (hidden.count === 0) {
    return element("p", {}, quietly("It hides nothing now."));
  }
  return element("details", {},
    element("summary", { textContent: `Hides ${counted(hidden.count, "alert")}, ${number(hidden.open)} of them open` }),
    element("ul", { className: "alert-list" }, ...hidden.hidden.map((one) => element("li", {}, severityBadge(one), " ",
      element("a", { href: `/portal?alert=${one.alert_id}` }, subject(one, 80), `: ${checkWords(one)}`)))));
}

function endButton(silence, again) {
  const named = { textContent: "End now", ariaLabel: `End now: ${cut(silence.reason, 60)}` };
  return actionButton(named, async () => {
    await ask(`silences/${silence.id}`, undefined, { method: "DELETE" });
    await again("The silence has ended.");
  });
}
