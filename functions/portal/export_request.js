// The form that asks for an export. What is typed travels in the body of the request, and stands in no address.

import { ask } from "./api.js";
import { announce, element, field, refused } from "./elements.js";
import { clearFaults, showFault, told } from "./field_faults.js";

const DAY = 86_400_000; // ms
const MOST = { reason: 500, ticket: 100, id: 256, name: 128 }; // characters, as docs/openapi.yaml has them
const MOST_RUNS = 1000;

/**
 * Make the form.
 *
 * @param {object} asking What a request may hold here, as GET exports says.
 * @param {object} me Who asks.
 * @param {{alert: string}} given An alert whose traces are wanted; "" for none.
 * @returns {HTMLFormElement}
 */
export function requestForm(asking, me, { alert }) {
  const which = selectorFields(asking, alert);
  const profile = profileChoice(asking, me);
  const reason = element("input", { type: "text", name: "reason", required: true, maxLength: MOST.reason, autocomplete: "off" });
  const ticket = element("input", { type: "text", name: "ticket", required: true, maxLength: MOST.ticket, autocomplete: "off" });
  const button = element("button", { type: "submit", className: "primary", textContent: "Ask for the export" });
  const form = element("form", { className: "request", noValidate: true },
    which.fieldset,
    profile.node,
    element("div", { className: "pair" },
      field("Reason", reason, "One plain line, nothing personal: it stands in the bundle and in the ledger."),
      field("Ticket", ticket, "Where the need is recorded.")),
    element("p", {}, button));
  const controls = () => ({ ...which.controls(), profile: profile.control, reason, ticket });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearFaults(form);
    if (lacks(controls())) {
      return;
    }
    button.disabled = true;
    try {
      const { id } = await ask("exports", {
        selector: which.selector(), profile: profile.value(), reason: reason.value, ticket: ticket.value,
      });
      location.assign(`/portal?view=exports&export=${id}`);
    } catch (refusal) {
      button.disabled = false;
      tell(form, controls(), refusal, button);
    }
  });
  return form;
}

/** Say of each control that is needed and empty that it is; return whether there is one. */
function lacks(controls) {
  const empty = Object.values(controls).filter((one) => one.required && one.value.trim() === "");
  empty.forEach((one) => showFault(one, one.type === "datetime-local" ? "A date and a time are needed." : "This is needed."));
  empty[0]?.focus();
  return empty.length > 0;
}

/** Say what the API refused beside the field that it names; else below the form. */
function tell(form, controls, refusal, button) {
  const { name, rule } = told(refusal);
  const control = controls[name] ?? (refusal.status === 404 ? controls.alert_id : undefined);
  if (control) {
    showFault(control, rule);
    control.focus();
    return;
  }
  form.append(refused(refusal));
  announce(refusal.message);
  button.focus();
}

function selectorFields(asking, alert) {
  const kinds = kindsOf(asking, alert);
  const choices = kinds.map(({ kind, words }) => {
    const input = element("input", { type: "radio", name: "kind", value: kind, checked: kind === (alert ? "alert_id" : "trace_ids") });
    return { input, row: element("label", {}, input, " ", words) };
  });
  const chosen = () => kinds.find(({ kind }) => choices.some(({ input }) => input.checked && input.value === kind));
  const panels = new Map(kinds.map(({ kind, fields }) => [kind, element("div", { className: "panel" }, ...fields.map(([, node]) => node))]));
  const show = () => panels.forEach((panel, kind) => { panel.hidden = kind !== chosen().kind; });
  const fieldset = element("fieldset", { className: "which" }, element("legend", { textContent: "Which traces" }),
    element("div", { className: "choices" }, ...choices.map(({ row }) => row)), ...panels.values());
  fieldset.addEventListener("change", show);
  show();
  return {
    fieldset,
    controls: () => Object.fromEntries(chosen().fields.map(([name, , control]) => [name, control])),
    selector: () => ({ [chosen().kind]: chosen().value() }),
  };
}

/** Give the ways to ask: each its name in a request, its words, its fields [name, node, control] and its value. */
function kindsOf({ agents, dimensions, cases }, alert) {
  const ids = made("Trace ids", area(), "32 hex digits each, one a line; at most 1,000.");
  const alertId = made("Alert", text({ value: alert, maxLength: 16 }), "Its id: 16 hex digits. Meant are the traces that it names today.");
  const conversation = made("Conversation", text({ maxLength: MOST.id }), "Its id, as the agent sends it. Bundle and ledger hold a pseudonym.");
  const numbers = made("Case numbers", area(), "One a line; at most 1,000.");
  const window = windowFields(agents, dimensions);
  const sample = windowFields(agents, dimensions);
  const size = made("Runs in all", element("input", { type: "number", required: true, min: 1, max: MOST_RUNS, value: 25 }),
    `At most ${MOST_RUNS}. Nobody chooses which: they are drawn by the ledger's seed.`);
  const stratum = made("Shared out by", select([["", "nothing: over all runs"], ...["agent", "release", "day", ...dimensions].map((one) => [one, one])]));
  return [
    { kind: "trace_ids", words: "Trace ids", fields: [["trace_ids", ...ids]], value: () => itemsOf(ids[1], /[\s,;]+/) },
    { kind: "alert_id", words: "An alert", fields: [["alert_id", ...alertId]], value: () => alertId[1].value.trim() },
    { kind: "conversation_id", words: "A conversation", fields: [["conversation_id", ...conversation]], value: () => conversation[1].value.trim() },
    { kind: "window", words: "A window of time", fields: window.fields, value: window.value },
    {
      kind: "sample",
      words: "A sample of runs",
      fields: [...sample.fields.slice(0, 2), ["size", ...size], ["stratum", ...stratum], ...sample.fields.slice(2)],
      value: () => ({ ...sample.value(), size: Number(size[1].value), ...(stratum[1].value ? { stratum: stratum[1].value } : {}) }),
    },
    ...(cases ? [{ kind: "cases", words: "Cases", fields: [["cases", ...numbers]], value: () => itemsOf(numbers[1], /[\r\n]+/) }] : []),
  ];
}

function windowFields(agents, dimensions) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const start = made("From", moment(now - 7 * DAY), `In ${zone}.`);
  const end = made("To", moment(now), "At most 31 days later; not included.");
  const agent = made("Agent", text({ maxLength: MOST.name, required: false }), "Empty: any, here and below.");
  const known = element("datalist", { id: `agents-${start[1].id}` }, ...agents.map((value) => element("option", { value })));
  agent[1].setAttribute("list", known.id);
  agent[0].append(known);
  const filters = {
    agent,
    release: made("Release", text({ maxLength: MOST.name, required: false })),
    tenant: made("Tenant", text({ maxLength: MOST.id, required: false }), "Bundle and ledger hold a pseudonym."),
  };
  const own = Object.fromEntries(dimensions.map((name) => [name, made(name, text({ maxLength: MOST.id, required: false }))]));
  return {
    fields: [["start", ...start], ["end", ...end], ...Object.entries({ ...filters, ...own }).map(([name, one]) => [name, ...one])],
    value: () => {
      const given = filled(own);
      return {
        start: instantOf(start[1]), end: instantOf(end[1]), ...filled(filters),
        ...(Object.keys(given).length > 0 ? { dimensions: given } : {}),
      };
    },
  };
}

function filled(fields) {
  const values = Object.entries(fields).map(([name, [, control]]) => [name, control.value.trim()]);
  return Object.fromEntries(values.filter(([, value]) => value !== ""));
}

function profileChoice({ content_approval: approval }, me) {
  const metadata = element("input", { type: "radio", name: "profile", value: "metadata", checked: true });
  const content = element("input", { type: "radio", name: "profile", value: "content" });
  const may = me.roles.includes("Evidence.ReadContent");
  const rows = [described(metadata, "Metadata", "What was called, when, for how long and at what cost; no text of people or models.")];
  if (may) {
    rows.push(described(content, "Content", `What people and models said too, masked. ${approval
      ? "A second person must approve it before it is made." : "Nobody has to approve it here."}`));
  }
  const note = may ? null : element("p", { className: "muted", textContent: "What people and models said needs the role Evidence.ReadContent." });
  const limited = me.limited?.["Evidence.Read"]
    ? element("p", { className: "muted", textContent: "Your role reaches some agents or tenants: the bundle holds no others." })
    : null;
  const node = element("fieldset", { className: "profile" }, element("legend", { textContent: "How much it shows" }), ...rows, note, limited);
  return { node, control: metadata, value: () => (content.checked ? "content" : "metadata") };
}

function described(input, words, hint) {
  return element("label", { className: "described" }, input,
    element("span", {}, element("b", { textContent: words }), " ", element("span", { className: "muted", textContent: hint })));
}

/** Make a field and give it with its control. */
function made(label, control, hint) {
  return [field(label, control, hint), control];
}

function text(properties) {
  return element("input", { type: "text", autocomplete: "off", spellcheck: false, required: true, ...properties });
}

function area() {
  return element("textarea", { rows: 4, required: true, spellcheck: false, autocomplete: "off" });
}

function select(options) {
  return element("select", {}, ...options.map(([value, words]) => element("option", { value, textContent: words })));
}

function moment(instant) {
  const local = new Date(instant - new Date(instant).getTimezoneOffset() * 60_000);
  return element("input", { type: "datetime-local", required: true, value: local.toISOString().slice(0, 16) });
}

function instantOf(control) {
  return new Date(control.value).toISOString();
}

function itemsOf(control, between) {
  return control.value.split(between).map((one) => one.trim()).filter(Boolean);
}
