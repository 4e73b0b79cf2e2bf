// The form that silences an alert: why, until when, and which alerts it hides.

import { actionButton } from "./action_button.js";
import { label, moment } from "./alert_words.js";
import { ask } from "./api.js";
import { element, field, refused } from "./elements.js";

const MINUTE = 60_000; // ms
const HOUR = 60 * MINUTE;
const MOST_DAYS = 30;
const MOST_CHARACTERS = 200;
const UNPRINTABLE = /[^\P{C}]|[^\P{Z} ]/u; // as Python's str.isprintable has it

/**
 * Make the form.
 *
 * @param {object} alert Which is meant.
 * @param {boolean} limited Whether whoever is signed in may silence those of some agents or tenants only: then these
 *   have to be named.
 * @param {function(object): void} done Gets the silence that was made.
 * @returns {HTMLFormElement}
 */
export function silenceForm(alert, limited, done) {
  const reason = element("input", {
    type: "text", required: true, maxLength: MOST_CHARACTERS, autocomplete: "off", placeholder: "What is known of it",
  });
  const until = untilChoice();
  const which = matcherChoice(alert, limited);
  const button = element("button", { type: "submit", className: "primary", textContent: "Silence" });
  const form = element("form", { className: "silence-form" },
    field("Reason", reason, "One line; it is on the record under your name."), until.fieldset, which.fieldset, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    form.querySelector("[role=alert]")?.remove();
    try {
      done(await ask("silences", {
        reason: reason.value.trim(), matchers: which.matchers(), ends_at: until.instant().toISOString(),
      }));
    } catch (refusal) {
      form.append(refused(refusal));
      button.disabled = false;
      button.focus();
    }
  });
  return form;
}

function untilChoice() {
  const choices = quickEnds().map(({ words, at }, n) => ({ ...radio(words, n === 0), at: () => at }));
  const date = element("input", { type: "datetime-local", ariaLabel: "Date and time", disabled: true });
  date.min = local(new Date());
  date.max = local(new Date(Date.now() + MOST_DAYS * 24 * HOUR));
  const own = { ...radio("Another time", false), at: () => new Date(date.value) };
  choices.push(own);
  const fieldset = element("fieldset", { className: "choices" }, element("legend", { textContent: "Until" }),
    ...choices.map(({ row }) => row), date);
  fieldset.addEventListener("change", () => {
    date.disabled = !own.input.checked;
    date.required = own.input.checked;
  });
  return { fieldset, instant: () => choices.find(({ input }) => input.checked).at() };
}

function quickEnds() {
  const now = new Date();
  const morning = (days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 8);
  return [
    { words: "1 hour", at: new Date(now.getTime() + HOUR) },
    { words: "4 hours", at: new Date(now.getTime() + 4 * HOUR) },
    ...(now < morning(0) ? [{ words: "Today 08:00", at: morning(0) }] : []),
    { words: "Tomorrow 08:00", at: morning(1) },
  ];
}

function radio(words, checked) {
  const input = element("input", { type: "radio", name: "until", checked });
  return { input, row: element("label", {}, input, " ", words) };
}

/** Give an instant as an input of the type datetime-local has it. */
function local(at) {
  const inUtc = new Date(at.getTime() - at.getTimezoneOffset() * MINUTE);
  return inUtc.toISOString().slice(0, "2026-01-31T08:00".length);
}

function matcherChoice(alert, limited) {
  const { Agent: agent, ...others } = alert.key;
  const offered = [
    ["alert", alert.id, "This alert", true],
    ["agent", agent, "Agent", limited],
    ["check", alert.check_id, "Check", false],
    ...Object.entries(others).map(([name, value]) => [name, value, label(name), limited && name === "Tenant"]),
    ["severity", alert.severity, "Severity", false],
    ["owner", alert.owner, "Owner", false],
  ].filter(([, value]) => matchable(value));
  const rows = offered.map(([name, value, words, ticked]) => matcher(name, pattern(value), words, ticked));
  const note = element("p", { className: "muted", role: "status" });
  const tell = () => {
    const [first] = rows;
    first.tick.setCustomValidity(rows.some(({ tick }) => tick.checked) ? "" : "Tick at least one.");
    note.textContent = hint(alert, rows);
  };
  const fieldset = element("fieldset", { className: "matchers" }, element("legend", { textContent: "Which alerts" }),
    ...rows.map(({ row }) => row), note);
  fieldset.addEventListener("input", tell);
  tell();
  const ticked = () => rows.filter(({ tick }) => tick.checked);
  return { fieldset, matchers: () => Object.fromEntries(ticked().map(({ name, text }) => [name, [text.value]])) };
}

function matcher(name, value, words, ticked) {
  const tick = element("input", { type: "checkbox", checked: ticked });
  const text = element("input", {
    type: "text", value, maxLength: MOST_CHARACTERS, required: true, disabled: !ticked, spellcheck: false,
    ariaLabel: `${words}, pattern`,
  });
  tick.addEventListener("change", () => { text.disabled = !tick.checked; });
  const row = element("div", { className: "matcher" }, element("label", {}, tick, " ", words), text);
  return { name, tick, text, row };
}

function hint({ severity }, rows) {
  const ticked = rows.filter(({ tick }) => tick.checked);
  const names = ticked.some(({ name, text }) => name === "alert" || (name === "severity" && text.value === "critical"));
  if (severity === "critical" && !names) {
    return "A critical alert passes this silence: tick This alert, or Severity with critical itself.";
  }
  const all = ticked.length > 1 ? "Alerts that fit all of these are hidden." : "Alerts that fit this are hidden.";
  return `${all} In a pattern * and ? stand for any others.`;
}

function matchable(value) {
  const fits = value && value.length <= MOST_CHARACTERS && pattern(value).length <= MOST_CHARACTERS;
  return fits && !UNPRINTABLE.test(value);
}

/** Give the pattern that fits a value alone. */
function pattern(value) {
  return value.replace(/[[*?]/g, "[$&]");
}

/** Make what says that a silence was made, with a button that takes it back. */
export function silenceMade(silence, takeBack) {
  const undo = actionButton({ textContent: "Undo" }, async () => {
    await ask(`silences/${silence.id}`, undefined, { method: "DELETE" });
    takeBack();
  });
  return element("div", { className: "silence-made" }, "Silenced until ", moment(silence.ends_at),
    ", from the watch's next look on. ", undo);
}
