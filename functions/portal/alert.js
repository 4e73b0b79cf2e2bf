// The page of one alert: its headline, and one button that says somebody sees to it.

import { ask } from "./api.js";
import { element, facts, refused } from "./elements.js";

/**
 * Show an alert.
 *
 * @param {HTMLElement} view Where.
 * @param {string} id Of the alert: 16 hex digits.
 * @param {boolean} ready Whether the button is to have the focus.
 */
export async function showAlert(view, id, ready) {
  const alert = await ask(`alerts/${id}`);
  const shown = [
    element("h1", { textContent: headline(alert) }),
    facts([
      ["State", alert.state],
      ["Since", time(alert.opened_at)],
      ["Until", time(alert.resolved_at)],
      ["Value", alert.value],
      ["Limit", alert.threshold],
      ["Worst", alert.worst],
      ["Runs", alert.runs],
      ["Owner", alert.owner],
      ["Acknowledged", time(alert.acknowledged_at)],
    ]),
  ];
  if (alert.state === "open") {
    shown.push(acknowledging(view, id));
  }
  view.replaceChildren(...shown);
  if (ready) {
    view.querySelector("button")?.focus();
  }
}

function acknowledging(view, id) {
  const button = element("button", { type: "button", textContent: "Acknowledge" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await ask(`alerts/${id}/acknowledge`, {});
      await showAlert(view, id, false);
    } catch (refusal) {
      button.disabled = false;
      view.querySelector("[role=alert]")?.remove();
      view.append(refused(refusal));
    }
  });
  return button;
}

function headline(alert) {
  const { Agent: agent, ...others } = alert.key;
  const about = [agent, ...Object.values(others)].filter(Boolean).join(", ");
  return [alert.severity, about, alert.check_id.replaceAll("_", " ")].filter(Boolean).join(": ");
}

function time(instant) {
  return instant ? new Date(instant).toLocaleString() : null;
}
