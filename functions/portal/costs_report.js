// What model calls have cost: the total and how sure it is, each group, budgets, reserved capacity and late reviews.

import { barred, doubts, share, sureness } from "./costs_figures.js";
import { breakdownName, daysOf } from "./costs_question.js";
import { badge, element, empty, facts, foreign, money, number, section } from "./elements.js";
import { sortable } from "./sortable.js";

const NEARLY = 0.8; // of a budget: time to look

/**
 * Draw a report.
 *
 * @param {object} report The API's answer, of the schema Costs.
 * @param {object} me Of GET api/v1/me.
 * @returns {Node[]}
 */
export function costsReport(report, me) {
  if (report.total.calls === 0) {
    return [
      empty("No model was called in this period.", "Choose other days."),
      ...provisioned(report), ...reviews(report),
    ];
  }
  return [total(report, me), groups(report), ...budgets(report), ...provisioned(report), ...reviews(report)];
}

function total({ total: its, currency, start, end, prices_as_of: asOf }, me) {
  const [first, last] = daysOf({ start, end });
  const limited = me.limited["Costs.Read"] ? ["Your role is limited: this is of what you may see."] : [];
  const told = doubts(its);
  const certain = told.length ? told : ["Every call says its tokens, has a price, and was counted itself."];
  return element(
    "section",
    { className: "costs-total" },
    element(
      "div",
      { className: "costs-sum" },
      element("strong", { textContent: money(paid(its), currency) }),
      element("span", { className: "muted", textContent: first === last ? `on ${first}` : `from ${first} to ${last}` }),
    ),
    facts([
      ["Runs", number(its.runs)],
      ["A run", its.runs ? money(paid(its) / its.runs, currency) : null],
      ["Model calls", number(its.calls)],
      ["Input tokens", `${number(its.input_tokens)}${cached(its)}`],
      ["Output tokens", number(its.output_tokens)],
      ["Provisioned", its.provisioned_cost > 0 ? money(its.provisioned_cost, currency) : null],
    ]),
    element(
      "div",
      { className: "costs-sure" },
      element("h2", { textContent: "How sure this is" }),
      element("ul", {}, ...[...certain, ...limited].map((textContent) => element("li", { textContent }))),
      element("p", {
        className: "muted",
        textContent: `List prices of ${asOf} times tokens: not the invoice. What sent no telemetry is not in it.`,
      }),
    ),
  );
}

function groups({ groups: rows, by, currency, total: all }) {
  const most = Math.max(...rows.map(paid));
  const reserved = all.provisioned_cost > 0;
  const name = breakdownName(by);
  return section(`By ${name.toLowerCase()}`, sortable({
    caption: `Costs by ${name.toLowerCase()}; a run with calls in several groups is in each of them`,
    columns: [
      { name, cell: (row) => group(row.group), value: (row) => row.group, heading: true },
      {
        name: "Cost",
        cell: (row) => barred(money(paid(row), currency), paid(row) / most),
        value: paid,
        numeric: true,
      },
      ...(reserved ? [column("Provisioned", (row) => row.provisioned_cost, (cost) => money(cost, currency))] : []),
      column("Of all", (row) => paid(row) / paid(all), share),
      column("Runs", (row) => row.runs),
      column("A run", (row) => (row.runs ? paid(row) / row.runs : null), (cost) => money(cost, currency)),
      column("Calls", (row) => row.calls),
      column("Input tokens", (row) => row.input_tokens),
      column("Cached", (row) => (row.input_tokens ? row.cached_tokens / row.input_tokens : null), share),
      column("Output tokens", (row) => row.output_tokens),
      { name: "How sure", cell: sureness, value: (row) => (row.without_usage ?? 0) + (row.without_price ?? 0) },
    ],
    rows,
  }));
}

function budgets({ budgets: uses, currency }) {
  if (uses === null) {
    return [];
  }
  return [section("Budgets", sortable({
    caption: "What each budget has left, of its costliest day and of each month, in these days",
    columns: [
      { name: "Agent", cell: (use) => foreign(use.agent), value: (use) => use.agent, heading: true },
      { name: "Of", cell: (use) => (use.period.length > 7 ? `its costliest day, ${use.period}` : use.period),
        value: (use) => use.period },
      {
        name: "Used",
        cell: (use) => barred(share(use.used), use.used, use.used > 1 ? "over" : use.used > NEARLY ? "nearly" : ""),
        value: (use) => use.used,
        numeric: true,
      },
      column("Spent", (use) => use.spent, (cost) => money(cost, currency)),
      column("Limit", (use) => use.limit, (cost) => money(cost, currency)),
      { name: "State", cell: (use) => badge(...standing(use.used)), value: (use) => use.used },
    ],
    rows: uses,
    empty: "No agent of this report has a budget. config/agents.yaml sets them.",
  }))];
}

function standing(used) {
  return used > 1 ? ["over", "critical"] : used > NEARLY ? ["nearly used", "medium"] : ["within", "good"];
}

function provisioned({ provisioned: deployments, currency }) {
  if (!deployments.length) {
    return [];
  }
  return [section("Provisioned throughput", sortable({
    caption: "Deployments paid by the hour, used or not",
    columns: [
      { name: "Deployment", cell: (one) => one.deployment, value: (one) => one.deployment, heading: true },
      column("Hours", (one) => one.hours),
      column("Cost", (one) => one.cost, (cost) => money(cost, currency)),
      column("Unused", (one) => one.unused_cost, (cost) => money(cost, currency)),
      column("Calls", (one) => one.calls),
      column("Tokens", (one) => one.tokens),
      {
        name: "Capacity used",
        cell: (one) => (one.share_used === null ? "not known" : barred(share(one.share_used), one.share_used)),
        value: (one) => one.share_used,
        numeric: true,
      },
    ],
    rows: deployments,
  }))];
}

function reviews({ overdue_reviews: overdue }) {
  if (!overdue.length) {
    return [];
  }
  return [section("Overdue reviews", sortable({
    caption: "Agents whose entry in config/agents.yaml nobody looked at in time",
    columns: [
      { name: "Agent", cell: (one) => one.agent, value: (one) => one.agent, heading: true },
      { name: "Owner", cell: (one) => one.owner, value: (one) => one.owner },
      { name: "Review by", cell: (one) => one.review_by, value: (one) => one.review_by },
      column("Days late", (one) => one.days),
    ],
    rows: overdue,
  }))];
}

function column(name, value, written = number) {
  const cell = (row) => {
    const its = value(row);
    return its === null || its === undefined ? "" : written(its);
  };
  return { name, cell, value, numeric: true };
}

function group(name) {
  return name === null ? element("span", { className: "muted", textContent: "not said" }) : foreign(name);
}

function paid({ cost, provisioned_cost: hourly }) {
  return cost + hourly;
}

function cached({ input_tokens: all, cached_tokens: some }) {
  return some > 0 ? ` (${share(some / all)} cached)` : "";
}
