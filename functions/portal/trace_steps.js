// Puts a trace's steps on the page: as a waterfall with the details of the chosen step, or as a table; on paper the table.

import { announce, element, field, number, section } from "./elements.js";
import { stepDetails } from "./step_details.js";
import { pagedTable, stepTable } from "./step_table.js";
import { Waterfall } from "./waterfall.js";

const SHORTEST_MS = 1; // that is zoomed to
const AS_TABLE = "tracekeeper.steps-as-table";

/** Make the part of the page that shows the steps. @param {object} trace As readTrace gives it, with a step. */
export function stepsSection(answer, trace) {
  const view = new StepsView(answer, trace);
  return section("Steps", view.toolbar, view.drawn, view.listed, view.paper);
}

class StepsView {
  constructor(answer, trace) {
    this.steps = trace.steps;
    this.currency = answer.timeline.cost.currency;
    this.events = eventsByStep(answer.events, trace.steps);
    this.details = element("aside", { className: "details", ariaLabel: "Chosen step", tabIndex: 0 });
    this.waterfall = new Waterfall(trace, this.currency, {
      select: (step) => this.detail(step),
      open: () => {
        this.drawDetails(); // at once: what is replaced later would lose the focus
        this.details.querySelector("h3").focus();
      },
    });
    this.details.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.waterfall.node.focus();
      }
    });
    this.drawn = element("div", { className: "drawn" }, this.waterfall.node, this.details);
    this.listed = element("div", { className: "listed", hidden: true });
    this.paper = element("div", { className: "paper" });
    this.toolbar = element("div", { className: "toolbar" }, ...this.switches(), ...this.tools());
    this.detail(this.steps[0]);
    this.show(sessionStorage.getItem(AS_TABLE) === "yes");
    window.onbeforeprint = () => this.paper.replaceChildren(stepTable("Steps", this.steps, this.currency));
    window.onafterprint = () => this.paper.replaceChildren();
  }

  switches() {
    this.choices = [["Waterfall", false], ["Table", true]].map(([text, asTable]) => {
      const button = element("button", { type: "button", textContent: text });
      button.addEventListener("click", () => {
        sessionStorage.setItem(AS_TABLE, asTable ? "yes" : "no");
        this.show(asTable);
        announce(`Steps as a ${text.toLowerCase()}`);
      });
      return { button, asTable };
    });
    return [element("div", { className: "switch", role: "group", ariaLabel: "How to show the steps" },
      ...this.choices.map(({ button }) => button))];
  }

  tools() {
    const sought = element("input", { type: "search", autocomplete: "off", spellcheck: false });
    sought.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && sought.value.trim()) {
        const words = sought.value.trim().toLowerCase();
        this.next(`“${sought.value.trim()}”`, (step) => matches(step, words));
      }
    });
    const failures = this.steps.filter((step) => step.span.success === false).length;
    this.only = [
      field("Find a step (Enter for the next)", sought),
      failures > 0 ? tool(`Next failed (${number(failures)})`, () =>
        this.next("failed steps", (step) => step.span.success === false)) : null,
      this.steps.some((step) => step.parent >= 0) ? tool("Fold", () => this.waterfall.turnAll(false)) : null,
      this.steps.some((step) => step.parent >= 0) ? tool("Unfold", () => this.waterfall.turnAll(true)) : null,
      tool("Zoom to step", () => this.zoom()),
    ].filter(Boolean);
    return this.only;
  }

  show(asTable) {
    this.drawn.hidden = asTable;
    this.listed.hidden = !asTable;
    if (asTable && this.listed.childElementCount === 0) {
      this.listed.append(pagedTable(this.steps, this.currency));
    }
    for (const { button, asTable: its } of this.choices) {
      button.ariaPressed = String(its === asTable);
    }
    for (const node of this.only) {
      node.hidden = asTable;
    }
  }

  /** Show the details of a step in the next frame: who holds a key down passes many steps in one. */
  detail(step) {
    this.chosen = step;
    this.drawing ??= requestAnimationFrame(() => this.drawDetails());
  }

  drawDetails() {
    if (this.drawing === undefined) {
      return;
    }
    cancelAnimationFrame(this.drawing);
    this.drawing = undefined;
    this.details.replaceChildren(...stepDetails(this.chosen, {
      steps: this.steps,
      events: this.events.get(this.chosen.index) ?? [],
      currency: this.currency,
      choose: (index) => {
        this.waterfall.choose(index);
        this.waterfall.node.focus();
      },
    }));
    this.details.scrollTop = 0;
  }

  next(what, fits) {
    const found = this.steps.filter(fits);
    if (found.length === 0) {
      announce(`No step fits ${what}`);
      return;
    }
    const step = found.find(({ index }) => index > this.waterfall.chosen) ?? found[0];
    this.waterfall.choose(step.index);
    announce(`${found.indexOf(step) + 1} of ${number(found.length)} ${what}: ${step.label}`);
  }

  zoom() {
    const [from, until] = this.waterfall.range;
    const { length } = this.waterfall.trace;
    const whole = from === 0 && until >= length;
    const button = this.only.at(-1);
    if (whole) {
      this.waterfall.zoom(this.chosen.start, this.chosen.start + Math.max(this.chosen.duration, SHORTEST_MS));
    } else {
      this.waterfall.zoom(0, length);
    }
    button.textContent = whole ? "Show all of the time" : "Zoom to step";
    announce(whole ? `Zoomed to ${this.chosen.label}` : "All of the time is shown");
  }
}

function tool(text, act) {
  const button = element("button", { type: "button", textContent: text });
  button.addEventListener("click", act);
  return button;
}

function matches({ label, notes, marks, span }, words) {
  const texts = [label, span.span_id, span.name, ...notes, ...marks.map(({ text }) => text)];
  return texts.some((text) => String(text).slice(0, 1_000).toLowerCase().includes(words));
}

/** Hang each event on the step that it names; on the first step where it names none. */
function eventsByStep(events, steps) {
  const bySpan = new Map();
  for (const step of steps) {
    if (step.span.span_id && !bySpan.has(step.span.span_id)) {
      bySpan.set(step.span.span_id, step.index);
    }
  }
  const hanging = new Map();
  for (const event of events) {
    const index = bySpan.get(event.parent_id) ?? 0;
    if (!hanging.has(index)) {
      hanging.set(index, []);
    }
    hanging.get(index).push(event);
  }
  return hanging;
}
