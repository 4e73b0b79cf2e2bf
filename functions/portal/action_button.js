// Buttons that do something by the API, and the one that loads again what has become old.

import { span } from "./alert_words.js";
import { element, refused } from "./elements.js";

const OLD = 120_000; // ms
const LOOK_EVERY = 15_000; // ms

/**
 * Make a button that does something, once at a time; what is refused is told below it.
 *
 * @param {object} properties Of the button, such as textContent.
 * @param {function(): Promise<void>} act Does it; on success the page no longer needs the button.
 */
export function actionButton(properties, act) {
  const button = element("button", { type: "button", ...properties });
  button.addEventListener("click", async () => {
    button.disabled = true;
    const told = button.nextElementSibling;
    if (told?.role === "alert") {
      told.remove();
    }
    try {
      await act();
    } catch (refusal) {
      button.disabled = false;
      button.after(refused(refusal));
      button.focus();
    }
  });
  return button;
}

/**
 * Make what says, once it is so, that the page shows old data.
 *
 * @param {function(): Promise<void>} reload Shows them anew.
 */
export function ageHint(reload) {
  const since = Date.now();
  const words = element("span");
  const hint = element("div", { className: "alert-warning", role: "status", hidden: true }, words, " ",
    actionButton({ textContent: "Load again" }, reload));
  const timer = setInterval(() => {
    if (!hint.isConnected) {
      clearInterval(timer);
    } else if (Date.now() - since >= OLD) {
      words.textContent = `What you see is ${span(since)} old.`;
      hint.hidden = false;
    }
  }, LOOK_EVERY);
  return hint;
}
