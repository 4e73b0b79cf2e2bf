// Builds what a page shows. All text goes in as text: it may come out of a trace, and is hostile.

const SVG = "http://www.w3.org/2000/svg";
const NOTHING = "–";
const OUR_FAULT = {
  message: "This can't be shown.",
  detail: "A script failed, or could not be loaded.",
  nextStep: "Load the page again.",
};
const DAY = 86_400_000; // ms
const LONGEST = 200; // characters of a foreign text
const ZONE = "tracekeeper.zone";
const formats = new Map();
let fields = 0;

/**
 * Make an element.
 *
 * @param {string} name Its tag.
 * @param {object} properties Set on it as they are, such as textContent or disabled.
 * @param {...(Node|string|null)} children What goes into it; null is left out.
 */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...present(children));
  return made;
}

/** Make an element of a drawing; its attributes are set as they are. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    made.setAttribute(attribute, String(value));
  }
  made.append(...present(children));
  return made;
}

/** Make a part of a page with a heading. */
export function section(heading, ...children) {
  const title = element("h2", { id: nextId(), textContent: heading });
  const made = element("section", {}, title, ...children);
  made.setAttribute("aria-labelledby", title.id);
  return made;
}

/** Make a list of names and what they are, either text or nodes; pairs without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", { className: "facts" }, ...known.flatMap(([name, value]) => [
    element("dt", {}, shown(name)),
    element("dd", {}, shown(value)),
  ]));
}

/**
 * Make a table that scrolls by itself where the screen is narrow.
 *
 * @param {{caption: string, columns: {name: string, cell: function(object): (Node|string|number|null),
 *   numeric?: boolean, heading?: boolean}[], rows: object[], empty?: string}} what `heading` marks the column that
 *   names the row; `empty` is said where there are no rows.
 */
export function table({ caption, columns, rows, empty: said = "There is nothing to show." }) {
  if (rows.length === 0) {
    return empty(said);
  }
  const kind = (column) => (column.numeric ? "numeric" : "");
  const head = columns.map((one) => element("th", { scope: "col", className: kind(one), textContent: one.name }));
  const body = rows.map((row) => element("tr", {}, ...columns.map((one) =>
    element(one.heading ? "th" : "td", { className: kind(one), ...(one.heading ? { scope: "row" } : {}) },
      shown(one.cell(row))))));
  const made = element("table", {}, element("caption", { className: "sr-only", textContent: caption }),
    element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  return scrolling(caption, made);
}

/** Make what holds something wide: it scrolls by itself, by keyboard too. */
export function scrolling(name, ...children) {
  return element("div", { className: "table-wrap", role: "region", ariaLabel: name, tabIndex: 0 }, ...children);
}

/** Make a control with its label and, where needed, a hint. */
export function field(label, control, hint) {
  control.id ||= nextId();
  const made = element("div", { className: "field" },
    element("label", { htmlFor: control.id, textContent: label }), control);
  if (hint) {
    const said = element("p", { className: "muted", id: nextId(), textContent: hint });
    control.setAttribute("aria-describedby", said.id);
    made.append(said);
  }
  return made;
}

/** Make a word that stands out. @param {"critical"|"high"|"medium"|"low"|"good"|"calm"} kind Its colour. */
export function badge(text, kind) {
  return element("span", { className: `badge ${kind}`, textContent: text });
}

/** Make what is shown while an answer is awaited. */
export function loading(text = "Loading …") {
  return element("p", { className: "loading", textContent: text });
}

/** Make what says that there is nothing, and what to do about it. */
export function empty(text, nextStep) {
  return element("div", { className: "empty" }, element("p", { textContent: text }),
    nextStep ? element("p", { className: "muted", textContent: nextStep }) : null);
}

/** Make what tells of a Refusal; of a fault of our own the console has more. */
export function refused(refusal) {
  const ours = refusal instanceof Error && refusal.status === undefined;
  if (ours) {
    console.error(refusal);
  }
  const { message, detail, nextStep, correlationId, way } = ours ? OUR_FAULT : refusal;
  const lines = [detail, nextStep].filter(Boolean).map((text) => element("p", { textContent: text }));
  return element("section", { className: "refused", role: "alert" }, element("h2", { textContent: message }), ...lines,
    way ? element("p", {}, element("a", { href: way, textContent: "Sign in" })) : null,
    correlationId ? element("p", { className: "muted" }, "Correlation id ",
      element("code", { textContent: correlationId })) : null);
}

/** Say something to who does not see the page: what an action has done. */
export function announce(text) {
  const told = document.getElementById("told");
  told.textContent = "";
  setTimeout(() => { told.textContent = text; }, 50); // said again even if it is the same
}

/**
 * Make an instant (ISO 8601) in the reader's zone, with UTC for who points at it.
 *
 * @param {string|null} instant
 * @param {{seconds?: boolean, ago?: boolean}} how With `ago` it is told how long ago it is, up to a day.
 */
export function time(instant, { seconds = false, ago = false } = {}) {
  if (!instant) {
    return document.createTextNode(NOTHING);
  }
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) {
    return document.createTextNode(String(instant));
  }
  const local = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: seconds ? "medium" : "short" });
  const utc = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const since = Date.now() - at.getTime();
  if (ago && since >= 0 && since < DAY) {
    const title = `${local} (${utc})`;
    return element("time", { dateTime: at.toISOString(), className: "ago", title, textContent: shortAgo(since) });
  }
  const [textContent, title] = inUtc() ? [utc, local] : [local, utc];
  return element("time", { dateTime: at.toISOString(), title, textContent });
}

/** Tell whether whoever reads wants to see UTC. */
export function inUtc() {
  return localStorage.getItem(ZONE) === "UTC";
}

/** Show UTC in place of the reader's zone, or the other way round, from now on and in the page as it is. */
export function otherZone() {
  localStorage.setItem(ZONE, inUtc() ? "" : "UTC");
  for (const shownTime of document.querySelectorAll("time:not(.ago)")) {
    [shownTime.textContent, shownTime.title] = [shownTime.title, shownTime.textContent];
  }
}

function shortAgo(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 0) {
    return "just now";
  }
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

/** Make what shows a foreign text: no mark in it turns the direction of what stands beside it. */
export function foreign(text, most = LONGEST) {
  return element("bdi", { textContent: cut(text, most) });
}

/** Give a text's first characters: it may be a megabyte. */
export function cut(text, most = LONGEST) {
  const whole = String(text);
  return whole.length > most ? `${whole.slice(0, most)}…` : whole;
}

/** Give a count with its noun: "1 finding", "2,000 findings". */
export function counted(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Give a number as text. */
export function number(value, digits = 2) {
  return known(value) ? formatted(value, { maximumFractionDigits: digits }) : NOTHING;
}

/** Give an amount of money as text; what is less than one keeps three digits that count. */
export function money(value, currency) {
  if (!known(value)) {
    return NOTHING;
  }
  const small = Math.abs(value) < 1 && Number(value) !== 0 ? { minimumSignificantDigits: 2, maximumSignificantDigits: 3 } : {};
  try {
    return formatted(value, { style: "currency", currency, ...small });
  } catch { // no currency that the browser knows
    return `${number(value)} ${currency}`;
  }
}

/** Format a number; a format is made once, for it takes longer than all the rest of a row. */
function formatted(value, options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(undefined, options));
  }
  return formats.get(key).format(Number(value));
}

/** Give a duration in milliseconds as text, in the two units that count. */
export function duration(ms) {
  if (!known(ms)) {
    return NOTHING;
  }
  if (ms < 1000) {
    return `${number(ms, 0)} ms`;
  }
  if (ms < 60_000) {
    return `${number(ms / 1000, 1)} s`;
  }
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) {
    return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function known(value) {
  return value !== null && value !== undefined && value !== "" && Number.isFinite(Number(value));
}

function shown(value) {
  return value instanceof Node ? value : String(value ?? NOTHING);
}

function present(children) {
  return children.filter((child) => child !== null && child !== undefined && child !== false);
}

function nextId() {
  fields += 1;
  return `made-${fields}`;
}
