// Draws figures as tables, so that they are read aloud and printed as they are.

import { element, scrolling } from "./elements.js";

const EDGE = 8; // px that a tip keeps from the edge of the screen
const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * Make a heat map: a row for each thing, a cell for each stretch of time, told apart by colour, pattern and letter.
 *
 * Tab leads to one cell; arrow keys, Home and End lead on from there. The cell that has the focus, or is pointed at,
 * says in words what it stands for.
 *
 * @param {{caption: string, starts: Date[], rows: object[],
 *   columns: {name: string, cell: function(object): (Node|string), heading?: boolean, numeric?: boolean}[],
 *   last: {name: string, cell: function(object): (Node|string), numeric?: boolean},
 *   cells: function(object): {kind: string, letter: string, words: string}[]}} what `columns` stand before the cells and
 *   `last` after them; `starts` are the beginnings of the stretches; `kind` becomes the cell's class.
 */
export function heatMap({ caption, starts, rows, columns, last, cells }) {
  const around = [...columns, last];
  const heads = around.map(({ name, numeric }) =>
    element("th", { scope: "col", className: numeric ? "numeric" : "", textContent: name }));
  const days = groups(starts);
  const first = days.flatMap(([, count]) => Array.from({ length: count }, (_, n) => n === 0));
  const dayHeads = days.map(([name, count]) =>
    element("th", { scope: "colgroup", colSpan: count, className: "day", textContent: count > 1 ? name : "" }));
  const body = rows.map((row) => {
    const made = around.map((one) => element(one.heading ? "th" : "td",
      { className: one.numeric ? "numeric" : "", ...(one.heading ? { scope: "row" } : {}) }, one.cell(row)));
    return element("tr", {}, ...made.slice(0, -1), ...cells(row).map((cell, n) => heat(cell, first[n])), made.at(-1));
  });
  const table = element("table", { className: "heat", role: "grid" },
    element("caption", { className: "sr-only", textContent: `${caption} Arrow keys lead from cell to cell.` }),
    element("thead", {}, element("tr", {}, ...heads.slice(0, -1), ...dayHeads, heads.at(-1))),
    element("tbody", {}, ...body));
  const tip = element("div", { className: "tip", hidden: true, ariaHidden: "true" }); // the cells' own names say it
  walk(table, [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll(".slot")]).filter((row) => row.length));
  explain(table, tip);
  return element("div", {}, scrolling(caption, table), tip);
}

/** Make what says which colour, pattern and letter stands for what. */
export function legend(entries) {
  return element("ul", { className: "legend" }, ...entries.map(({ kind, letter, words }) =>
    element("li", {}, element("span", { className: `cell ${kind}`, textContent: letter, ariaHidden: "true" }), words)));
}

function heat({ kind, letter, words }, beginsDay) {
  return element("td", { className: beginsDay ? "slot day" : "slot", tabIndex: -1, ariaLabel: words },
    element("span", { className: `cell ${kind}`, textContent: letter }));
}

/** Give the reader's days, and how many of the stretches begin on each. */
function groups(starts) {
  const found = [];
  for (const start of starts) {
    const name = start.toLocaleDateString(undefined, { weekday: "short", day: "numeric" });
    if (found.at(-1)?.[0] === name) {
      found.at(-1)[1] += 1;
    } else {
      found.push([name, 1]);
    }
  }
  return found;
}

function walk(table, grid) {
  if (grid.length === 0) {
    return;
  }
  let current = grid[0].at(-1);
  current.tabIndex = 0;
  table.addEventListener("focusin", ({ target }) => {
    if (target.matches(".slot")) {
      current.tabIndex = -1;
      current = target;
      current.tabIndex = 0;
    }
  });
  table.addEventListener("keydown", (event) => {
    const row = grid.findIndex((one) => one.includes(event.target));
    const next = row < 0 ? undefined : neighbour(grid, row, grid[row].indexOf(event.target), event.key);
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });
}

function neighbour(grid, row, column, key) {
  if (key === "Home" || key === "End") {
    return grid[row].at(key === "Home" ? 0 : -1);
  }
  const [down, right] = KEYS[key] ?? [];
  return grid[row + down]?.[column + right]; // any other key leads nowhere
}

function explain(table, tip) {
  let about = null;
  const place = () => {
    tip.hidden = !about;
    if (about) {
      const { left, bottom } = about.getBoundingClientRect();
      tip.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - tip.offsetWidth - EDGE))}px`;
      tip.style.top = `${bottom + 4}px`;
    }
  };
  const show = ({ target }) => {
    about = target.closest(".slot");
    tip.textContent = about?.ariaLabel ?? "";
    place();
  };
  const hide = () => {
    about = null;
    place();
  };
  table.addEventListener("mouseover", show);
  table.addEventListener("focusin", show);
  table.addEventListener("mouseleave", hide);
  table.addEventListener("focusout", hide);
  table.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  addEventListener("scroll", place, { capture: true, passive: true });
}
