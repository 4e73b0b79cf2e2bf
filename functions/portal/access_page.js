// The page of who asked for what: the latest entries of the ledger, and whether its chain holds.

import { aboutCell, actionWords, outcomeBadge, whoCell, whoWords } from "./access_words.js";
import { chainBroken, chainStatus } from "./access_chain.js";
import { ask } from "./api.js";
import { csv } from "./csv.js";
import { announce, cut, element, field, loading, number, refused, table, time } from "./elements.js";
import { save } from "./saving.js";

const COUNTS = [100, 1000];
const OUTCOMES = ["served", "denied", "refused", "failed"];
const BROKEN = "urn:tracekeeper:problem:chain-broken";

export async function show(main, asked, me) {
  const answer = element("div", { className: "access" });
  const count = select([COUNTS.map((one) => [String(one), `latest ${number(one)}`])].flat());
  count.addEventListener("change", () => fill(answer, count, me));
  main.replaceChildren(element("h1", { textContent: "Access log" }),
    element("p", { className: "muted lead", textContent: "Who asked for what, and how it ended: each line is written before anyone gets an answer, and names the one before. Your look at it is on it too." }),
    answer);
  await fill(answer, count, me);
}

async function fill(answer, count, me) {
  const again = answer.contains(document.activeElement);
  if (!again) {
    answer.replaceChildren(loading("Checking the chain …"));
  }
  try {
    const { entries, chain } = await ask(`access-log?count=${count.value}`);
    answer.replaceChildren(chainStatus(chain), ...log(entries, count, me.roles.includes("Evidence.Read")));
    announce(`${number(entries.length)} entries.`);
  } catch (refusal) {
    answer.replaceChildren(refusal.type === BROKEN ? chainBroken(refusal) : refused(refusal));
  }
  if (again) {
    count.focus();
  }
}

/** Make the filters and the list. Filters name people, so they stand in no address. */
function log(entries, count, mayRead) {
  const outcome = select([["", "any"], ...OUTCOMES.map((one) => [one, one])]);
  const action = select([["", "any"], ...named(entries.map((one) => [one.action, actionWords(one.action)]))]);
  const person = select([["", "anybody"], ...named(entries.map((one) => [personOf(one), personWords(one)]))]);
  const said = element("p", { className: "muted", role: "status" });
  const list = element("div");
  const wanted = () => entries.filter((one) => (!outcome.value || one.outcome === outcome.value)
    && (!action.value || one.action === action.value) && (!person.value || personOf(one) === person.value));
  const draw = () => {
    const rows = wanted();
    const denied = rows.filter((one) => one.outcome === "denied").length;
    said.textContent = `${number(rows.length)} of ${number(entries.length)} entries${denied ? `, ${number(denied)} denied` : ""}.`;
    list.replaceChildren(listed(rows, mayRead));
  };
  [outcome, action, person].forEach((one) => one.addEventListener("change", draw));
  const file = element("button", { type: "button", textContent: "Download as CSV" });
  file.addEventListener("click", () => save("tracekeeper-access-log.csv", asCsv(wanted())));
  draw();
  return [
    element("div", { className: "toolbar", role: "search", ariaLabel: "Filters" },
      field("Entries", count), field("Outcome", outcome), field("Action", action), field("Person", person), file),
    said, list,
  ];
}

function listed(rows, mayRead) {
  const made = table({
    caption: "Accesses, the latest first",
    columns: [
      { name: "Time", cell: ({ at }) => time(at, { seconds: true }) },
      { name: "Who", cell: whoCell },
      { name: "What", cell: ({ action }) => actionWords(action) },
      { name: "Outcome", cell: ({ outcome }) => outcomeBadge(outcome) },
      { name: "About", cell: (one) => aboutCell(one, mayRead) },
      { name: "Correlation id", cell: ({ correlation_id: id }) => element("code", { className: "id", textContent: cut(id, 8) }) },
    ],
    rows,
    empty: "No entry fits these filters.",
  });
  made.querySelectorAll("tbody tr").forEach((line, n) => line.classList.toggle("denied", rows[n].outcome === "denied"));
  return made;
}

function personOf({ who, outcome }) {
  return who ? `id:${who.object_id}` : `nobody:${outcome === "denied"}`;
}

function personWords(entry) {
  const name = whoWords(entry);
  return entry.who ? `${name || "without a name"} (${String(entry.who.object_id).slice(0, 8)})`.slice(0, 80) : name;
}

/** Give each value once, by its words. */
function named(pairs) {
  return [...new Map(pairs)].sort(([, one], [, other]) => one.localeCompare(other));
}

function select(options) {
  return element("select", {}, ...options.map(([value, words]) => element("option", { value, textContent: words })));
}

function asCsv(entries) {
  const header = ["at", "object_id", "name", "action", "outcome", "on", "reason", "correlation_id"];
  const rows = entries.map((one) => [one.at, one.who?.object_id, one.who?.name, one.action, one.outcome,
    JSON.stringify(one.on), one.reason, one.correlation_id]);
  return new Blob([csv(header, rows)], { type: "text/csv;charset=utf-8" });
}
