// Reads the answer of GET traces/{trace_id} into what the page draws. Pure; all text in it is hostile.

import { plain } from "./plain.js";

/** Kinds of steps, as people call them. */
export const KINDS = {
  request: "request",
  invoke_agent: "agent",
  chat: "model",
  embeddings: "embeddings",
  execute_tool: "tool",
  retrieval: "retrieval",
  other: "other",
};

const SKEW_MS = 1; // clocks of one machine differ by less

/**
 * @typedef {object} Step
 * @property {number} index Its place: a step stands before those below it.
 * @property {number} parent Index of the step above; -1 for none.
 * @property {number} end Index behind the last step below it.
 * @property {number} place Among its siblings, from 1.
 * @property {number} siblings How many they are, itself included.
 * @property {number} depth How many steps are above it.
 * @property {string} kind One of KINDS.
 * @property {string} label What it is called on one line, safe to show.
 * @property {number} start Milliseconds after the trace's first span.
 * @property {number} duration Milliseconds; 0 where it is not recorded.
 * @property {{sign: string, text: string, kind: string}[]} marks What stands out, in words.
 * @property {string[]} notes What else is known of it.
 * @property {object} told What the API says of the step.
 * @property {object} span What it says of its span.
 */

/**
 * Read the steps of a trace.
 *
 * @param {object} answer As the API gives it.
 * @returns {{steps: Step[], begin: ?number, length: number}} `begin` in milliseconds since 1970; null without spans.
 */
export function readTrace({ spans, timeline }) {
  const begins = spans.map((span) => instant(span.time));
  const begin = begins.reduce((least, at) => (at < least ? at : least), Infinity);
  const known = new Set(spans.map((span) => span.span_id).filter(Boolean));
  const steps = [];
  const above = []; // the latest step of each depth
  const children = new Map();
  for (const [index, told] of timeline.steps.entries()) {
    const span = spans[told.span];
    const parent = told.depth > 0 ? above[told.depth - 1] : -1;
    above[told.depth] = index;
    const place = (children.get(parent) ?? 0) + 1;
    children.set(parent, place);
    const at = begins[told.span];
    const kind = told.kind === "other" && span.table === "AppRequests" ? "request" : told.kind;
    steps.push({
      index,
      parent,
      place,
      depth: told.depth,
      kind,
      label: labelOf(kind, told.name),
      start: Number.isFinite(at) ? at - begin : 0,
      duration: span.duration_ms > 0 && Number.isFinite(span.duration_ms) ? span.duration_ms : 0,
      marks: marksOf(told, span),
      told,
      span,
    });
  }
  let length = 0;
  for (const step of steps) {
    step.siblings = children.get(step.parent);
    step.notes = notesOf(step, steps[step.parent], known);
    length = Math.max(length, step.start + step.duration);
  }
  endSteps(steps);
  return { steps, begin: Number.isFinite(begin) ? begin : null, length };
}

/** Give an instant (ISO 8601, up to microseconds) in milliseconds since 1970; NaN for what is none. */
export function instant(text) {
  const finer = /\.\d{3}(\d{1,6})/.exec(text);
  return Date.parse(text) + (finer ? Number(finer[1]) / 10 ** finer[1].length : 0);
}

function labelOf(kind, name) {
  const shown = plain(name);
  if (kind === "other") {
    return shown || "step";
  }
  return shown && shown !== KINDS[kind] ? `${KINDS[kind]} ${shown}` : KINDS[kind];
}

function marksOf(told, span) {
  const marks = [];
  if (span.success === false) {
    marks.push({ sign: "✕", text: "failed", kind: "critical" });
  }
  if (told.retry) {
    marks.push({ sign: "↻", text: "retry", kind: "medium" });
  }
  if (told.data_age) {
    marks.push({ sign: "◷", text: plain(told.data_age.replace(/^data /, ""), 60), kind: "low" });
  }
  if (told.stands_for > 1) {
    marks.push({ sign: "≈", text: `stands for ${told.stands_for}`, kind: "calm" });
  }
  return marks;
}

function notesOf(step, parent, known) {
  const notes = step.told.notes.map((note) => plain(note));
  if (parent && step.start < parent.start - SKEW_MS) {
    notes.push(`began ${Math.round(parent.start - step.start)} ms before the step above it: clocks differ`);
  }
  if (!parent && step.span.parent_id) {
    notes.push(known.has(step.span.parent_id)
      ? "the steps above it form a ring"
      : "the step above it is not in this trace");
  }
  return notes;
}

/** Tell of each step where those below it end. */
function endSteps(steps) {
  const open = [];
  for (const step of steps) {
    while (open.length > 0 && steps[open.at(-1)].depth >= step.depth) {
      steps[open.pop()].end = step.index;
    }
    open.push(step.index);
  }
  for (const index of open) {
    steps[index].end = steps.length;
  }
}
