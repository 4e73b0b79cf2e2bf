// Draws the steps of a trace as a tree with bars on a time axis. Only the rows in sight are in the document, however
// many there are; who reads by ear is told their number and place, as the ARIA pattern "treegrid" has it.

import { duration, element } from "./elements.js";
import { price, shortTokens } from "./step_words.js";

const AHEAD = 6; // rows drawn above and below those in sight
const DEEPEST = 10; // levels that are indented; deeper ones say their level
const TICKS = [0, 0.5, 1]; // shares of the time that are named; the lines in the background are quarters
const COLUMNS = [
  ["name", "Step"],
  ["marks", "Marks"],
  ["took", "Took"],
  ["tokens", "Tokens"],
  ["cost", "Cost"],
  ["when", "When"],
];

/** Columns whose heading is for who reads by ear alone. */
const UNSEEN = new Set(["marks", "when"]);

/** The waterfall of one trace. */
export class Waterfall {
  /**
   * @param {object} trace As readTrace gives it, with at least one step.
   * @param {string} currency Of the costs.
   * @param {{select: function(object): void, open: function(): void}} told `select` hears of the chosen step, `open`
   *   that its details are to have the focus.
   */
  constructor(trace, currency, told) {
    this.trace = trace;
    this.currency = currency;
    this.told = told;
    this.closed = new Set(); // indexes of steps whose children are hidden
    this.chosen = 0;
    this.range = [0, trace.length];
    this.rows = new Map(); // by the step's index
    this.rowHeight = 0;
    this.head = element("div", { role: "rowgroup", className: "waterfall-head" });
    this.body = element("div", { role: "rowgroup", className: "waterfall-body" });
    this.node = element("div", {
      role: "treegrid",
      className: "waterfall",
      tabIndex: 0,
      ariaLabel: "Steps as a waterfall",
      ariaColCount: String(COLUMNS.length),
    }, this.head, this.body);
    this.node.addEventListener("scroll", () => this.drawSoon(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.drawHead();
    this.arrange();
    // It is told before the first painting, and whenever the room changes.
    new ResizeObserver(() => this.measure()).observe(this.node);
  }

  /** Choose a step and bring it into sight. */
  choose(index) {
    for (let above = this.trace.steps[index].parent; above >= 0; above = this.trace.steps[above].parent) {
      this.closed.delete(above);
    }
    this.chosen = index;
    this.arrange();
    this.reveal();
    this.told.select(this.trace.steps[index]);
  }

  /** Show so much of the time, in milliseconds after the trace's first span. */
  zoom(from, until) {
    this.range = [from, until];
    this.drawHead();
    this.arrange();
  }

  /** Work out which steps are shown, and draw them anew. */
  arrange() {
    const { steps } = this.trace;
    this.shown = [];
    this.position = new Map();
    for (let index = 0; index < steps.length; index = this.closed.has(index) ? steps[index].end : index + 1) {
      this.position.set(index, this.shown.length);
      this.shown.push(index);
    }
    this.node.ariaRowCount = String(this.shown.length + 1);
    this.rows.clear();
    this.measure();
  }

  measure() {
    if (!this.node.isConnected) {
      return;
    }
    if (this.body.childElementCount === 0) {
      this.body.append(this.row(this.shown[0]));
    }
    const height = this.body.firstElementChild.offsetHeight || 1;
    if (height !== this.rowHeight) {
      this.rowHeight = height;
      this.rows.clear(); // each row lies where its height says
    }
    this.body.style.height = `${this.shown.length * this.rowHeight}px`;
    this.draw();
  }

  drawSoon() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = undefined;
    const first = Math.max(0, Math.floor(this.node.scrollTop / this.rowHeight) - AHEAD);
    const last = Math.min(this.shown.length,
      Math.ceil((this.node.scrollTop + this.node.clientHeight) / this.rowHeight) + AHEAD);
    const wanted = this.shown.slice(first, last);
    const place = this.position.get(this.chosen);
    if (place < first) {
      wanted.unshift(this.chosen); // what has the focus must be in the document
    } else if (place >= last) {
      wanted.push(this.chosen);
    }
    const before = this.rows;
    this.rows = new Map(wanted.map((index) => [index, before.get(index) ?? this.row(index)]));
    const same = before.size === this.rows.size && wanted.every((index) => before.has(index));
    if (!same) {
      this.body.replaceChildren(...this.rows.values());
    }
    for (const [index, row] of this.rows) {
      row.ariaSelected = String(index === this.chosen);
    }
    this.node.setAttribute("aria-activedescendant", `step-${this.chosen}`);
  }

  reveal() {
    const top = this.position.get(this.chosen) * this.rowHeight;
    const room = this.node.clientHeight - this.head.offsetHeight;
    if (top < this.node.scrollTop) {
      this.node.scrollTop = top;
    } else if (top + this.rowHeight > this.node.scrollTop + room) {
      this.node.scrollTop = top + this.rowHeight - room;
    }
    this.draw();
    this.rows.get(this.chosen).scrollIntoView({ block: "nearest" }); // the page, too
  }

  row(index) {
    const step = this.trace.steps[index];
    const position = this.position.get(index);
    const children = step.end > index + 1;
    const row = element("div", {
      role: "row",
      id: `step-${index}`,
      className: "step",
      ariaLevel: String(step.depth + 1),
      ariaPosInSet: String(step.place),
      ariaSetSize: String(step.siblings),
      ariaRowIndex: String(position + 2),
    }, this.name(step, children), this.marks(step), cell("took", duration(step.duration)), cell("tokens", shortTokens(step)),
    cell("cost", price(step, this.currency)), this.bar(step));
    if (children) {
      row.ariaExpanded = String(!this.closed.has(index));
    }
    row.style.transform = `translateY(${position * this.rowHeight}px)`;
    return row;
  }

  name(step, children) {
    const twisty = element("span", { className: children ? "twisty" : "twisty none" });
    const level = step.depth > DEEPEST ? element("span", { className: "level", textContent: `level ${step.depth + 1}` }) : "";
    const made = element("div", { role: "gridcell", className: "name" }, twisty,
      element("span", { className: `kind ${step.kind}` }), level,
      element("span", { className: "label", textContent: step.label }));
    made.style.setProperty("--depth", String(Math.min(step.depth, DEEPEST)));
    return made;
  }

  marks({ marks, start }) {
    const [from, until] = this.range;
    // On a narrow screen they stand beside the bar, where there is more room.
    const side = start - from > (until - from) / 2 ? "before" : "behind";
    return element("div", { role: "gridcell", className: `marks ${side}` }, ...marks.map(mark));
  }

  bar(step) {
    const [from, until] = this.range;
    const share = (at) => Math.min(Math.max((at - from) / (until - from || 1), 0), 1) * 100;
    const begin = share(step.start);
    const width = share(step.start + step.duration) - begin;
    const away = step.start > until || step.start + step.duration < from;
    const bar = element("span", {
      className: `bar ${step.kind}${step.span.success === false ? " failed" : ""}${step.duration ? "" : " instant"}`,
      hidden: away,
    });
    bar.style.left = `${begin.toFixed(3)}%`;
    bar.style.width = `${width.toFixed(3)}%`;
    return element("div", { role: "gridcell", className: "when" },
      element("span", { className: "sr-only", textContent: `begins after ${duration(step.start)}` }), bar);
  }

  drawHead() {
    const [from, until] = this.range;
    const ticks = TICKS.map((share) => {
      const tick = element("span", { className: "tick", textContent: duration(from + (until - from) * share) });
      tick.style.left = `${share * 100}%`;
      return tick;
    });
    const columns = COLUMNS.map(([className, text]) => element("div", { role: "columnheader", className },
      element("span", { className: UNSEEN.has(className) ? "sr-only" : "", textContent: text }),
      ...(className === "when" ? ticks : [])));
    this.head.replaceChildren(element("div", { role: "row", className: "step", ariaRowIndex: "1" }, ...columns));
  }

  click(event) {
    const row = event.target.closest("[role=row]");
    if (!row) {
      return;
    }
    const index = Number(row.id.slice("step-".length));
    if (event.target.closest(".twisty:not(.none)")) {
      this.turn(index, this.closed.has(index));
    }
    this.choose(index);
  }

  /** Show or hide what is below a step. */
  turn(index, open) {
    if (open) {
      this.closed.delete(index);
    } else {
      this.closed.add(index);
    }
    this.arrange();
  }

  /** Show or hide what is below every step. */
  turnAll(open) {
    const { steps } = this.trace;
    this.closed = new Set(open ? [] : steps.filter((step) => step.end > step.index + 1).map((step) => step.index));
    let index = this.chosen;
    for (let above = steps[index].parent; !open && above >= 0; above = steps[above].parent) {
      index = above; // what is chosen stays in sight
    }
    this.chosen = index;
    this.arrange();
    this.reveal();
    this.told.select(steps[index]);
  }

  key(event) {
    const step = this.trace.steps[this.chosen];
    const children = step.end > step.index + 1;
    const open = children && !this.closed.has(step.index);
    const page = Math.max(1, Math.floor(this.node.clientHeight / this.rowHeight) - 2);
    const moves = {
      ArrowDown: () => this.move(1),
      ArrowUp: () => this.move(-1),
      PageDown: () => this.move(page),
      PageUp: () => this.move(-page),
      Home: () => this.move(-Infinity),
      End: () => this.move(Infinity),
      ArrowRight: () => (open ? this.choose(step.index + 1) : children && this.turn(step.index, true)),
      ArrowLeft: () => (open ? this.turn(step.index, false) : step.parent >= 0 && this.choose(step.parent)),
      Enter: () => this.told.open(),
      " ": () => this.told.open(),
    };
    if (event.altKey || event.ctrlKey || event.metaKey || !Object.hasOwn(moves, event.key)) {
      return;
    }
    event.preventDefault();
    moves[event.key]();
  }

  move(rows) {
    const place = Math.min(Math.max(this.position.get(this.chosen) + rows, 0), this.shown.length - 1);
    this.choose(this.shown[place]);
  }
}

function cell(column, text) {
  return element("div", { role: "gridcell", className: column, textContent: text });
}

function mark({ sign, text, kind }) {
  return element("span", { className: `mark ${kind}` },
    element("span", { ariaHidden: "true", textContent: `${sign} ` }), text);
}
