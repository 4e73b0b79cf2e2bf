// Keeps the ticket under which somebody looks at traces: asked for once, kept in this tab, sent with every look-up.

import { element, field } from "./elements.js";

const KEY = "tracekeeper.ticket";
const FORM = " *[A-Za-z0-9_.\\/:#\\-][A-Za-z0-9_ .\\/:#\\-]*"; // as the API has it: a header's characters

/** Give the ticket that this person named in this tab; "" for none. */
export function ticket(me) {
  try {
    const { name, ticket: kept } = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
    return name === me.name ? kept ?? "" : "";
  } catch {
    return "";
  }
}

/** Keep a ticket; another person at this tab does not get it. */
export function keepTicket(me, named) {
  sessionStorage.setItem(KEY, JSON.stringify({ name: me.name, ticket: named }));
}

/** Give the headers with which one trace is read. */
export function ticketHeaders(me) {
  return { "Tracekeeper-Ticket": ticket(me) };
}

/** Make the control that asks for a ticket. */
export function ticketField(me) {
  const input = element("input", { name: "ticket", required: true, maxLength: 100, pattern: FORM, value: ticket(me),
    autocomplete: "off", spellcheck: false, title: "Letters, digits, spaces and _ . / : # -" });
  return { input, node: field("Ticket", input, "The ledger keeps it with your name. Letters, digits, spaces and _ . / : # -") };
}

/** Make the form that stands before a trace until a ticket is named. */
export function askTicket(me, go) {
  const { input, node } = ticketField(me);
  const form = element("form", { className: "narrow" },
    element("p", { textContent: "Under which ticket do you look at this trace? You are asked once." }), node,
    element("button", { className: "primary", textContent: "Read the trace" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepTicket(me, input.value.trim());
    go();
  });
  return { form, focus: () => input.focus() };
}
