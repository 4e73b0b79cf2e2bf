// Shows the steps of a trace as a table: for who reads by ear, and for paper.

import { announce, duration, element, number, table } from "./elements.js";
import { plain } from "./plain.js";
import { outcome, price, tokens } from "./step_words.js";

export const PAGE_STEPS = 200;

/** Make a table of some steps. @param {object[]} steps As readTrace gives them. */
export function stepTable(caption, steps, currency) {
  return table({
    caption,
    columns: [
      { name: "No.", cell: (step) => number(step.index + 1), numeric: true },
      { name: "Step", cell: (step) => named(step), heading: true },
      { name: "Began after", cell: (step) => duration(step.start), numeric: true },
      { name: "Took", cell: (step) => duration(step.span.duration_ms), numeric: true },
      { name: "Outcome", cell: (step) => endings(step) },
      { name: "Tokens", cell: (step) => tokens(step) || "–" },
      { name: "Cost", cell: (step) => price(step, currency) || "–", numeric: true },
      { name: "What else is known", cell: (step) => [plain(step.told.data_age), ...step.notes].filter(Boolean).join("; ") || "–" },
    ],
    rows: steps,
  });
}

/** Make the table of all steps in pages, with the buttons that turn them. */
export function pagedTable(steps, currency) {
  const view = element("div", {});
  const pages = Math.ceil(steps.length / PAGE_STEPS);
  let page = 0;
  const show = (wanted) => {
    page = wanted;
    const from = page * PAGE_STEPS;
    const until = Math.min(from + PAGE_STEPS, steps.length);
    const said = `Steps ${number(from + 1)} to ${number(until)} of ${number(steps.length)}`;
    const turning = pages > 1 ? turn(said, page, pages, (next) => {
      show(next);
      view.querySelector(".table-wrap").focus();
      announce(`Steps ${number(next * PAGE_STEPS + 1)} and on`);
    }) : null;
    view.replaceChildren(...[turning, stepTable(said, steps.slice(from, until), currency)].filter(Boolean));
  };
  show(0);
  return view;
}

function turn(said, page, pages, show) {
  const button = (text, wanted) => {
    const made = element("button", { type: "button", textContent: text, disabled: wanted < 0 || wanted >= pages });
    made.addEventListener("click", () => show(wanted));
    return made;
  };
  return element("div", { className: "toolbar paging" },
    button("First", page > 0 ? 0 : -1), button("Previous", page - 1), element("span", { textContent: said }),
    button("Next", page + 1), button("Last", page < pages - 1 ? pages - 1 : -1));
}

function named(step) {
  const level = element("span", { className: "sr-only", textContent: `level ${step.depth + 1}: ` });
  const made = element("span", { className: "indented" }, level, step.label);
  made.style.setProperty("--depth", String(Math.min(step.depth, 8)));
  return made;
}

function endings(step) {
  const { told } = step;
  return [
    outcome(step),
    told.retry ? "↻ retry" : "",
    told.calls > 1 ? `call ${told.call} of ${told.calls}` : "",
    told.stands_for > 1 ? `stands for ${told.stands_for} by sampling` : "",
  ].filter(Boolean).join(", ");
}
