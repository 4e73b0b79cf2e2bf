// What people were told of an alert, what was kept from them, and where its evidence is held.

import { moment, quietly, when } from "./alert_words.js";
import { badge, counted, cut, duration, element, empty, facts, foreign, number, section } from "./elements.js";

const DELIVERY_KINDS = { accepted: "good", waiting: "medium", refused: "critical" };
const EXPORT_ID = /^[0-9a-f]{32}$/;

/** Make the section with what became of each notice at each destination. */
export function deliveries(alert) {
  const items = alert.deliveries.toReversed().map((one) => element("li", {},
    badge(one.state, DELIVERY_KINDS[one.state] ?? "calm"), " ", element("strong", {}, foreign(one.destination, 80)),
    `: ${one.kind}, `, moment(one.made_at), element("span", { className: "muted" }, ...outcome(one))));
  return section("Who was told", items.length > 0
    ? element("ul", { className: "alert-list" }, ...items)
    : empty("Nobody has been told of it yet."));
}

function outcome({ state, made_at: made, accepted_at: taken, attempts, reason, digest }) {
  const tries = counted(attempts, "attempt");
  if (state === "accepted") {
    return [`, taken after ${duration(new Date(taken) - new Date(made))} and ${tries}`, digest ? ", in a digest" : ""];
  }
  const why = reason ? [": ", foreign(reason)] : [];
  return [state === "refused" ? `, given up after ${tries}` : `, sent again later, ${tries} so far`, ...why];
}

/** Make the list of what keeps an alert quiet now, and of what was not told for that. */
export function quiet(alert, silences) {
  const known = new Map(silences.map((silence) => [silence.id, silence]));
  const now = alert.quieted_by.map((name) =>
    element("li", {}, badge("quiet now", "low"), " ", ...by(name, known)));
  // What was made since the watch last looked; the alert itself does not tell of it yet.
  const soon = silences.filter((silence) => silence.state === "in_force"
    && silence.matchers.alert?.includes(alert.id)
    && !alert.quieted_by.some((name) => name.startsWith(`${silence.id}@`))).map((silence) =>
    element("li", {}, badge("quiet from the next look on", "calm"), " ", ...silencedBy(silence)));
  const earlier = alert.hidden.filter(({ silence }) => !alert.quieted_by.includes(silence)).map((hidden) =>
    element("li", {}, ...by(hidden.silence, known),
      `: ${counted(hidden.episodes, "episode")} not told, since `, moment(hidden.since)));
  const all = [...now, ...soon, ...earlier];
  return all.length > 0 ? element("ul", { className: "alert-list" }, ...all) : null;
}

/** Say what keeps quiet under this name: a silence, as id@start, or an inhibition. */
function by(name, known) {
  const [id, start] = name.split("@");
  if (start === undefined) {
    return ["by the inhibition ", foreign(name)];
  }
  const silence = known.get(id);
  return silence ? silencedBy(silence) : ["by the silence ", element("code", { textContent: cut(id, 12) })];
}

function silencedBy({ author, ends_at: ends, ended_at: ended, reason }) {
  return ["silenced by ", foreign(author), " until ", moment(ended ?? ends), ": ", foreign(reason)];
}

/** Make the section that says whether the traces are held as evidence; who may read exports gets a link. */
export function evidence(alert, mayRead) {
  const { evidence_hold: hold, evidence_export_id: id } = alert;
  const asking = `/portal?view=exports&alert=${alert.id}`;
  const byHand = mayRead ? element("p", {}, element("a", { href: asking, textContent: "Ask for an export" })) : "";
  if (!hold) {
    return section("Evidence", element("p", {}, "Nothing is held: alerts of this severity are not, this one names no ",
      "traces, or it was not decided yet."), byHand);
  }
  if (hold.state === "over_cap") {
    const cap = `The most that are held in a day had been reached: ${number(hold.held_that_day)}. `;
    return section("Evidence", element("p", {}, badge("not held", "high"), " ", cap,
      "An export has to be asked for before the traces are gone."), byHand);
  }
  const named = element("code", { textContent: cut(id ?? "", 32) });
  const link = mayRead && EXPORT_ID.test(id)
    ? element("a", { href: `/portal?view=exports&export=${id}` }, named)
    : named;
  return section("Evidence", facts([
    ["Hold", badge("held", "good")],
    ["Since", when(hold.at)],
    ["Export", link],
  ]), mayRead ? null : element("p", {}, quietly("Reading it needs the role Evidence.Read.")));
}
