// The page of traces: finds one, or shows one with what our checks say about it, sanitized as an export is.

import { Refusal, ask } from "./api.js";
import { element, empty, loading, refused, section } from "./elements.js";
import { absence, isAbsence } from "./trace_absence.js";
import { readTrace } from "./trace_model.js";
import { traceSearch } from "./trace_search.js";
import { stepsSection } from "./trace_steps.js";
import { findings, headFacts, howSure } from "./trace_summary.js";
import { askTicket, keepTicket, ticket, ticketHeaders } from "./trace_ticket.js";

const TRACE_ID = /^[0-9a-f]{32}$/i;
const ALERT_ID = /^[0-9a-f]{16}$/;

/**
 * @param {HTMLElement} main Where.
 * @param {URLSearchParams} asked With `trace` one trace; with `alert` those that this alert names.
 * @param {{name: string, roles: string[]}} me Who is signed in.
 */
export async function show(main, asked, me) {
  const id = (asked.get("trace") ?? "").toLowerCase();
  const alert = me.roles.includes("Alerts.Read") && ALERT_ID.test(asked.get("alert")) ? asked.get("alert") : "";
  if (TRACE_ID.test(id)) {
    await new OneTrace(main, id, alert, me).show();
  } else if (alert && (!id || !me.roles.includes("Traces.Read"))) {
    await showNamed(main, alert);
  } else {
    main.replaceChildren(element("h1", { textContent: "Traces" }),
      id ? empty("That is no trace id.", "It has 32 hex digits.") : "", traceSearch(me));
  }
}

async function showNamed(main, alert) {
  main.replaceChildren(loading("Reading the alert …"));
  const { findings: found } = await ask(`alerts/${alert}`);
  const ids = [...new Set(found.flatMap((one) => one.trace_ids))];
  main.replaceChildren(element("h1", { textContent: "Traces of an alert" }),
    element("p", {}, element("a", { href: `/portal?alert=${alert}`, textContent: "The alert" })),
    ids.length === 0 ? empty("The alert names no trace.") : element("ul", {}, ...ids.map((id) => element("li", {},
      element("a", { href: `/portal?view=trace&trace=${encodeURIComponent(id)}&alert=${alert}` },
        element("code", { textContent: id }))))));
}

class OneTrace {
  constructor(main, id, alert, me) {
    Object.assign(this, { main, id, alert, me });
    this.view = element("div", {});
  }

  async show() {
    const title = element("h1", {}, "Trace ", element("code", { textContent: this.id }));
    this.way = element("p", { className: "trace-way" });
    this.main.replaceChildren(title, this.way, this.view);
    if (this.alert || ticket(this.me)) {
      await this.read();
    } else {
      const { form, focus } = askTicket(this.me, () => this.read());
      this.view.replaceChildren(form);
      focus();
    }
  }

  async read(known = {}) {
    this.tellWay();
    this.view.replaceChildren(loading("Reading the trace …"));
    try {
      this.draw(await this.answer(known));
    } catch (refusal) {
      this.refuse(refusal);
    }
  }

  answer(known) {
    if (this.alert) {
      return ask(`alerts/${this.alert}/traces/${this.id}`);
    }
    const query = new URLSearchParams(Object.entries(known).filter(([, value]) => value));
    const path = `traces/${this.id}${query.size > 0 ? `?${query}` : ""}`;
    return ask(path, undefined, { headers: ticketHeaders(this.me) });
  }

  tellWay() {
    if (this.alert) {
      this.way.replaceChildren("Read as one of ", element("a", { href: `/portal?alert=${this.alert}`, textContent: "this alert's" }), " traces.");
      return;
    }
    const change = element("button", { type: "button", className: "link", textContent: "Change the ticket" });
    change.addEventListener("click", () => {
      keepTicket(this.me, "");
      this.show();
    });
    this.way.replaceChildren("Read under the ticket ", element("b", { textContent: ticket(this.me) }), ". ", change, " · ",
      element("a", { href: "/portal?view=trace", textContent: "Find another trace" }));
  }

  draw(answer) {
    const trace = readTrace(answer);
    this.view.replaceChildren(
      headFacts(answer, trace),
      findings(answer),
      trace.steps.length > 0 ? stepsSection(answer, trace) : section("Steps", empty(
        "No span of this trace is recorded, only events.", "The app that sent it may not instrument what it calls.")),
      howSure(answer),
    );
  }

  notOfAlert({ message, detail, correlationId }) {
    const nextStep = "Choose one of the traces that the alert names; old ones are gone with the retention.";
    const ways = [[`/portal?view=trace&alert=${this.alert}`, "The alert's traces"]];
    if (this.me.roles.includes("Traces.Read")) {
      ways.push([`/portal?view=trace&trace=${this.id}`, "Look it up by its id, which says why it is not there"]);
    }
    return [refused({ message, detail, nextStep, correlationId }),
      element("ul", {}, ...ways.map(([href, textContent]) => element("li", {}, element("a", { href, textContent }))))];
  }

  refuse(refusal) {
    if (!(refusal instanceof Refusal)) {
      throw refusal;
    }
    if (isAbsence(refusal)) {
      this.view.replaceChildren(...absence(refusal, this.me, (known) => this.read(known)));
      this.view.querySelector("h2").focus();
      return;
    }
    this.view.replaceChildren(...(this.alert && refusal.status === 404 ? this.notOfAlert(refusal) : [refused(refusal)]));
  }
}
