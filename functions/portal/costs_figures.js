// How the figures of the costs page look: shares in words, bars beside numbers, and how sure a cost is.

import { element, svg } from "./elements.js";

const PERCENT = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const SMALLEST = 0.001; // of a share that is told as it is

/** Write a share from 0 as a percentage; one that is not nothing never looks like nothing. */
export function share(part) {
  return part > 0 && part < SMALLEST ? `< ${PERCENT.format(SMALLEST)}` : PERCENT.format(part);
}

/**
 * Put a bar beside a number.
 *
 * @param {string} text The number, which says all that the bar shows.
 * @param {number} part How much of the bar is full, from 0 to 1; beyond it is full.
 * @param {string} [kind] What colours it: nearly or over.
 */
export function barred(text, part, kind = "") {
  const width = Math.max(0, Math.min(1, part || 0)) * 100;
  const bar = svg(
    "svg",
    { class: `costs-bar ${kind}`.trim(), viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "room", width: 100, height: 8 }),
    svg("rect", { class: "full", width, height: 8 }),
  );
  return element("span", { className: "costs-barred" }, bar, element("span", { textContent: text }));
}

/** Say in sentences what a cost leaves out, worst first; none where nothing is known to be left out. */
export function doubts({ without_usage: usage, without_price: price, sampled }) {
  return [
    usage > 0 && `${share(usage)} of the calls don't say their tokens: the true cost is higher.`,
    price > 0 && `${share(price)} of the calls are to models without a price on their day: the true cost is higher.`,
    sampled > 0 && `${share(sampled)} of the calls were left out by sampling: those that were kept stand for them.`,
  ].filter(Boolean);
}

/** Say in a few words how sure a group's cost is. */
export function sureness({ without_usage: usage, without_price: price, sampled }) {
  const told = [
    usage > 0 && `too low: ${share(usage)} without tokens`,
    price > 0 && `too low: ${share(price)} without a price`,
    sampled > 0 && `estimate: ${share(sampled)} sampled out`,
  ].filter(Boolean);
  return told.join("; ") || "complete";
}
