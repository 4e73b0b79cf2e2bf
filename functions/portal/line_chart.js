// Draws a value over time with its limit. A table beside it has the same numbers for who does not see it.

import { svg } from "./elements.js";

const HEIGHT = 200; // px
const MARGIN = { top: 18, right: 14, bottom: 26, left: 54 }; // px
const MOST_MARKED = 120; // beyond it marks would cover the line
const DAY = 86_400_000; // ms

/**
 * Make a chart that is drawn as wide as its place.
 *
 * @param {{start: Date, end: Date, value: number, limit: ?number, hollow: boolean, said: string}[]} points The oldest
 *   first. A line joins those whose windows adjoin: of the time between others nothing is known here.
 * @param {{label: string, format: function(number): string}} how What it shows in a sentence, and how numbers are said.
 * @returns {HTMLElement}
 */
export function lineChart(points, { label, format }) {
  const place = document.createElement("div");
  place.className = "alert-chart";
  new ResizeObserver(([{ contentRect: { width } }]) => {
    if (width > 0) {
      place.replaceChildren(draw(points, width, label, format));
    }
  }).observe(place);
  return place;
}

function draw(points, width, label, format) {
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const [first, last] = stretch(points);
  const values = points.flatMap(({ value, limit }) => (limit === null ? [value] : [value, limit]));
  const ticks = steps(Math.min(0, ...values), Math.max(...values) || 1);
  const [low, high] = [ticks[0], ticks.at(-1)];
  const x = (at) => MARGIN.left + ((at - first) / (last - first)) * (right - MARGIN.left);
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - MARGIN.top);
  const whole = { viewBox: `0 0 ${width} ${HEIGHT}`, width: "100%", height: HEIGHT, role: "img", "aria-label": label };
  return svg("svg", whole,
    ...ticks.flatMap((value) => [
      svg("line", { class: "rule", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
      text(format(value), { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }),
    ]),
    ...moments(first, last, width).map(({ at, said, anchor }) =>
      text(said, { x: x(at), y: HEIGHT - 6, "text-anchor": anchor })),
    ...limitLine(points, x, y, right, format),
    svg("path", { class: "line", d: joined(points, x, y) }),
    ...points.map((point) => mark(point, x(point.end), y(point.value), points.length)));
}

/** Give the first and the last instant, ms: never the same. */
function stretch(points) {
  const [first, last] = [points[0].start.getTime(), points.at(-1).end.getTime()];
  return last > first ? [first, last] : [first - 1, last + 1];
}

/** Give three to six round numbers from at most `low` to at least `high`. */
function steps(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const from = Math.floor(low / step);
  return Array.from({ length: Math.ceil(high / step) - from + 1 }, (_, n) => (from + n) * step);
}

function moments(first, last, width) {
  const many = width < 480 ? 2 : 4;
  const days = last - first >= DAY ? { day: "numeric", month: "short" } : {};
  const format = new Intl.DateTimeFormat(undefined, { ...days, hour: "2-digit", minute: "2-digit" });
  return Array.from({ length: many + 1 }, (_, n) => {
    const at = first + (n * (last - first)) / many;
    return { at, said: format.format(at), anchor: n === 0 ? "start" : n === many ? "end" : "middle" };
  });
}

function limitLine(points, x, y, right, format) {
  const limited = points.filter(({ limit }) => limit !== null);
  if (limited.length === 0) {
    return [];
  }
  const path = limited.map(({ start, limit }, n) =>
    (n === 0 ? `M${MARGIN.left},${y(limit)}` : `H${x(start)}V${y(limit)}`)).join("");
  const final = limited.at(-1).limit;
  return [
    svg("path", { class: "limit", d: `${path}H${right}` }),
    text(`limit ${format(final)}`, { class: "limit-name", x: right, y: y(final) - 5, "text-anchor": "end" }),
  ];
}

function joined(points, x, y) {
  return points.map(({ start, end, value }, n) => {
    const adjoins = n > 0 && start <= points[n - 1].end;
    return `${adjoins ? "L" : "M"}${x(end)},${y(value)}`;
  }).join("");
}

function mark({ hollow, said }, cx, cy, many) {
  const r = many > MOST_MARKED ? 2 : 3.5;
  return svg("circle", { class: hollow ? "point hollow" : "point", cx, cy, r }, svg("title", {}, said));
}

function text(said, attributes) {
  return svg("text", attributes, said);
}
