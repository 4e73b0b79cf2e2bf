// Finds traces: by id at once, else by what the body of a request says, which stands in no address.

import { ask } from "./api.js";
import { announce, duration, element, empty, field, loading, number, refused, section, table, time } from "./elements.js";
import { plain } from "./plain.js";
import { keepTicket, ticketField } from "./trace_ticket.js";

const DAY_MS = 86_400_000;
const TRACE_ID = " *[0-9a-fA-F]{32} *";

/** What can be found by, with the name that the API has for it. */
const WAYS = [
  { by: "trace_id", label: "Trace id", pattern: TRACE_ID, most: 64, hint: "32 hex digits." },
  { by: "conversation_id", label: "Conversation", most: 256, hint: "Its id. It is sent in the body alone, and kept nowhere." },
  { by: "user_id", label: "User", most: 256, hint: "Their id. It is sent in the body alone, and kept nowhere." },
  { by: "agent", label: "Agent and time", most: 128, hint: "The agent's own name." },
];

/** Make the form, and below it what was found last in this tab's history entry. */
export function traceSearch(me) {
  const found = element("div", {});
  const form = new SearchForm(me, found);
  if (history.state?.found && history.state.name === me.name) {
    found.replaceChildren(results(history.state.found));
  }
  return element("div", {}, form.node, found);
}

class SearchForm {
  constructor(me, found) {
    this.me = me;
    this.found = found;
    this.value = element("input", { name: "value", required: true, autocomplete: "off", spellcheck: false });
    this.start = element("input", { type: "datetime-local", name: "start" });
    this.end = element("input", { type: "datetime-local", name: "end" });
    this.reason = element("input", { name: "reason", maxLength: 500, autocomplete: "off" });
    this.ticket = ticketField(me);
    this.named = field("Trace id", this.value, "–");
    this.times = element("div", { className: "row" }, field("From (your time)", this.start), field("Until", this.end));
    this.why = field("Reason", this.reason, "In words. The ledger keeps its hash.");
    const ways = WAYS.map((way, at) => {
      const radio = element("input", { type: "radio", name: "by", id: `by-${way.by}`, value: way.by, checked: at === 0 });
      radio.addEventListener("change", () => this.choose(way));
      return element("label", { className: "way", htmlFor: radio.id }, radio, way.label);
    });
    this.node = element("form", { className: "search" },
      element("fieldset", {}, element("legend", { textContent: "Find by" }), element("div", { className: "ways" }, ...ways)),
      this.named, this.times, element("div", { className: "row" }, this.ticket.node, this.why),
      element("button", { className: "primary", textContent: "Find" }));
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.go();
    });
    this.choose(WAYS[0]);
  }

  choose(way) {
    this.way = way;
    const byId = way.by === "trace_id";
    this.value.maxLength = way.most;
    this.value.pattern = way.pattern ?? ".*";
    this.named.querySelector("label").textContent = way.by === "agent" ? "Agent" : way.label;
    this.named.querySelector("p").textContent = way.hint;
    this.times.hidden = byId;
    this.why.hidden = byId;
    this.reason.required = !byId;
    this.start.required = this.end.required = way.by === "agent";
    if (way.by === "agent" && !this.start.value && !this.end.value) {
      const now = Date.now();
      this.start.value = local(now - DAY_MS);
      this.end.value = local(now);
    }
  }

  async go() {
    const ticket = this.ticket.input.value.trim();
    keepTicket(this.me, ticket);
    if (this.way.by === "trace_id") {
      location.assign(`/portal?view=trace&trace=${this.value.value.trim().toLowerCase()}`);
      return;
    }
    const body = { [this.way.by]: this.value.value, reason: this.reason.value.trim(), ticket };
    for (const [name, { value }] of [["start", this.start], ["end", this.end]]) {
      if (value) {
        body[name] = new Date(value).toISOString();
      }
    }
    this.found.replaceChildren(loading("Looking for traces …"));
    try {
      const answer = await ask("traces/search", body);
      // It is sanitized; kept with this entry of the history, so that the way back shows the same person the same.
      history.replaceState({ found: answer, name: this.me.name }, "");
      const shown = results(answer);
      this.found.replaceChildren(shown);
      shown.querySelector("h2").focus();
      announce(said(answer));
    } catch (refusal) {
      const told = refused(refusal);
      this.found.replaceChildren(told);
      told.tabIndex = -1;
      told.focus();
    }
  }
}

function said({ traces, cut }) {
  if (cut) {
    return `The latest ${number(traces.length)} traces; there are more`;
  }
  return traces.length === 0 ? "No trace found" : `${number(traces.length)} ${traces.length === 1 ? "trace" : "traces"} found`;
}

function results(answer) {
  const { traces, start, end, cut } = answer;
  const between = element("p", { className: "muted" }, "Of spans that began between ", time(start), " and ", time(end), ".",
    cut ? " Shorten the time to see the others." : "");
  const made = section(said(answer), between, traces.length === 0
    ? empty("There is no such trace in this time that you may see.",
      "Check what you look for, as the telemetry has it, or look at another time.")
    : foundTable(traces));
  made.querySelector("h2").tabIndex = -1;
  return made;
}

function foundTable(traces) {
  return table({
    caption: "Traces that were found",
    columns: [
      { name: "Trace", heading: true, cell: ({ trace_id: id }) => element("a", {
        href: `/portal?view=trace&trace=${encodeURIComponent(id)}`,
        ariaLabel: id,
      }, element("code", { textContent: id.slice(0, 16) })) },
      { name: "Began", cell: (one) => time(one.start, { seconds: true }) },
      { name: "Took", cell: (one) => duration(one.duration_ms), numeric: true },
      { name: "Agents", cell: (one) => one.agents.map((name) => plain(name, 60)).join(", ") || "–" },
      { name: "Releases", cell: (one) => one.releases.map((name) => plain(name, 40)).join(", ") || "–" },
      { name: "Outcome", cell: (one) => `${one.success ? "ok" : "✕ failed"}${one.sampled ? ", sampled" : ""}` },
      { name: "Tokens in", cell: (one) => number(one.input_tokens), numeric: true },
      { name: "Tokens out", cell: (one) => number(one.output_tokens), numeric: true },
    ],
    rows: traces,
  });
}

/** Give an instant as a control for local times has it. */
function local(ms) {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
