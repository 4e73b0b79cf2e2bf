// The page of what agents cost: one question at a time, and the report that answers it.

import { ask } from "./api.js";
import { costsReport } from "./costs_report.js";
import {
  BREAKDOWNS, REPORTS, addressOf, breakdownName, daysOf, pathOf, periodOf, periods, readQuestion,
} from "./costs_question.js";
import { telemetryReport } from "./costs_telemetry.js";
import { wasteReport } from "./costs_waste.js";
import { element, field, loading, refused } from "./elements.js";

const DRAWN = { costs: costsReport, waste: wasteReport, telemetry: telemetryReport };

/** Show the report that the address asks for. */
export async function show(main, asked, me) {
  const now = new Date();
  const question = readQuestion(asked, now);
  const answer = element("div");
  const breakdown = breakdownChooser(question.by);
  main.replaceChildren(
    element("h1", { textContent: "Costs" }),
    reports(question),
    chooser(question, breakdown, now),
    answer,
  );
  answer.replaceChildren(loading("Adding up model calls …"));
  let report;
  try {
    report = await ask(pathOf(question));
  } catch (refusal) {
    answer.replaceChildren(refused(refusal));
    return;
  }
  if (report.breakdowns) {
    offer(breakdown, report.breakdowns, report.by);
  }
  answer.replaceChildren(...DRAWN[question.report](report, me), download(question));
}

function reports(question) {
  return choice("Report", [...REPORTS].map(([report, name]) =>
    [name, addressOf({ ...question, report }), report === question.report]));
}

function chooser(question, breakdown, now) {
  const usual = choice("Period", periods(now).map(([name, period]) =>
    [name, addressOf({ ...question, ...period }), period.start === question.start && period.end === question.end]));
  const [from, to] = daysOf(question);
  const first = element("input", { type: "date", value: from, required: true });
  const last = element("input", { type: "date", value: to, required: true });
  const fields = [field("First day", first), field("Last day", last)];
  if (question.report === "costs") {
    fields.unshift(field("By", breakdown));
  }
  const form = element("form", { className: "toolbar" }, ...fields, element("button", { textContent: "Show" }));
  for (const one of [first, last]) {
    one.addEventListener("input", () => last.setCustomValidity(""));
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      location.assign(addressOf({ ...question, by: breakdown.value, ...periodOf(first.value, last.value) }));
    } catch (wrong) {
      last.setCustomValidity(wrong.message);
      last.reportValidity();
    }
  });
  return element("div", { className: "costs-choosing" }, usual, form);
}

function breakdownChooser(by) {
  const made = element("select");
  offer(made, BREAKDOWNS.includes(by) ? BREAKDOWNS : [...BREAKDOWNS, by], by);
  return made;
}

function offer(select, breakdowns, chosen) {
  select.replaceChildren(...breakdowns.map((by) =>
    element("option", { value: by, textContent: breakdownName(by), selected: by === chosen })));
}

/** Make links of which one is where the reader is: [name, address, whether it is that one]. */
function choice(ariaLabel, links) {
  return element("nav", { ariaLabel, className: "costs-choice" }, element("ul", {}, ...links.map(([name, href, current]) =>
    element("li", {}, element("a", { href, textContent: name, ariaCurrent: current ? "page" : null })))));
}

function download(question) {
  const href = `/api/v1/${pathOf(question, "csv")}`;
  return element("p", {}, element("a", { href, textContent: "Download as CSV" }));
}
