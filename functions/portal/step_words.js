// Says in words what the waterfall, the table and the details of a step have in common.

import { money, number } from "./elements.js";

/** Say how a step ended. */
export function outcome({ span }) {
  return { true: "ok", false: "✕ failed" }[span.success] ?? "not recorded";
}

/** Say the tokens of a model call: in, cached ones of these, and out; "" where a step has none. */
export function tokens({ told }) {
  if (!told.metered) {
    return "";
  }
  if (told.input_tokens === null && told.output_tokens === null) {
    return "not recorded";
  }
  const cached = told.cached_tokens > 0 ? ` (${number(told.cached_tokens)} cached)` : "";
  return `${number(told.input_tokens)}${cached} in, ${number(told.output_tokens)} out`;
}

/** Say the same in little room: in and out. */
export function shortTokens({ told }) {
  return told.metered ? `${number(told.input_tokens)} / ${number(told.output_tokens)}` : "";
}

/** Say what a model call cost; "" where a step has no price by its nature. */
export function price({ told }, currency) {
  if (!told.metered) {
    return "";
  }
  return told.cost === null ? "not known" : money(told.cost, currency);
}

const REMOVED = {
  drop: (rule) => `dropped: ${rule}`,
  mask: (rule) => `masked, in exports of content alone: ${rule}`,
  pseudonymize: (rule) => `replaced by a pseudonym: ${rule}`,
  generalize: (rule) => `made coarser: ${rule}`,
  misfit: (rule) => `not of the form that its rule allows: ${rule}`,
  detector: (kind) => `looked like personal data or a secret: ${kind}`,
  unknown: () => "of a name that the policy does not know",
};

/** Say why values were removed. @param {string} reason Such as drop:Url, detector:email or unknown. */
export function removedBecause(reason) {
  const [rule, ...rest] = reason.split(":");
  const say = Object.hasOwn(REMOVED, rule) ? REMOVED[rule] : () => reason;
  return say(rest.join(":"));
}
