// Says beside a field of a form what is wrong with it, as the API tells it.

import { element } from "./elements.js";

const NAMED = /^The field ([\w.-]+) (.+)$/s;
const ROUTINE = "Correct the request and send it again.";
let faults = 0;

/**
 * Read from a refusal which field it is about.
 *
 * @returns {{name: string, rule: string}} The last part of the field's name; "" where it names none.
 */
export function told({ detail, nextStep }) {
  const [, path = "", rule = detail] = NAMED.exec(detail) ?? [];
  const name = path.split(".").at(-1);
  const further = nextStep && nextStep !== ROUTINE ? ` ${nextStep}` : "";
  return { name: WHOLE[name] ?? name, rule: `${sentence(rule)}${further}` };
}

/** What is wrong with a whole window is said where it ends. */
const WHOLE = { window: "end", sample: "end" };

/** Say what is wrong with a control, beside it. */
export function showFault(control, text) {
  faults += 1;
  const said = element("p", { className: "fault", id: `fault-${faults}`, textContent: text });
  (control.closest(".field") ?? control.closest("fieldset")).append(said);
  const described = control.getAttribute("aria-describedby");
  control.setAttribute("aria-describedby", described ? `${said.id} ${described}` : said.id);
  control.setAttribute("aria-invalid", "true");
}

/** Take back all that was said of a form. */
export function clearFaults(form) {
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    const kept = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && !id.startsWith("fault-"));
    if (kept.length > 0) {
      control.setAttribute("aria-describedby", kept.join(" "));
    } else {
      control.removeAttribute("aria-describedby");
    }
  }
  form.querySelectorAll(".fault, .refused").forEach((one) => one.remove());
}

/** Make a sentence of a rule; a pattern in it is for programs. */
function sentence(rule) {
  const words = rule.replace(/ that matches \S.*$/s, ", without signs of markup.");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
