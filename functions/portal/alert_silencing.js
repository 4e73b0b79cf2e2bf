// What keeps an alert quiet, and what silences it.

import { ask } from "./api.js";
import { quiet } from "./alert_told.js";
import { announce, element, loading, refused, section } from "./elements.js";
import { silenceForm, silenceMade } from "./silence_form.js";

/**
 * Make the section about silences of an alert.
 *
 * @param {object} alert Which.
 * @param {boolean} mayManage Whether whoever is signed in may silence it.
 * @param {boolean} limited Whether they may do so for some agents or tenants only.
 * @returns {{section: HTMLElement, open: function(): void}} `open` shows the form and gives it the focus.
 */
export function silencing(alert, mayManage, limited) {
  const held = element("div", {}, loading());
  tellWhatHolds(held, alert);
  if (!mayManage) {
    return { section: section("Silences", held), open: () => {} };
  }
  const made = element("div");
  const summary = element("summary", { textContent: "Silence this alert …" });
  const details = element("details", { id: "silence" }, summary);
  const form = () => silenceForm(alert, limited, (silence) => {
    made.replaceChildren(silenceMade(silence, () => {
      made.replaceChildren();
      summary.focus();
      announce("The silence was taken back.");
    }));
    details.open = false;
    details.lastElementChild.replaceWith(form());
    made.querySelector("button").focus();
    announce("Silenced.");
  });
  details.append(form());
  return {
    section: section("Silences", held, made, details),
    open: () => {
      details.open = true;
      details.querySelector("input").focus();
      details.scrollIntoView({ block: "start" });
    },
  };
}

async function tellWhatHolds(place, alert) {
  try {
    const { silences } = await ask("silences");
    place.replaceChildren(quiet(alert, silences) ?? element("p", { textContent: "Nothing keeps it quiet." }));
  } catch (refusal) {
    place.replaceChildren(refused(refusal));
  }
}
