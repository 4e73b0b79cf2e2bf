// What people do about an export that is not over: approve or refuse it, or stop it.

import { ask } from "./api.js";
import { announce, element, field, refused, section } from "./elements.js";
import { clearFaults, showFault, told } from "./field_faults.js";

const MOST_CHARACTERS = 500;

/** Make what decides about an export that waits for a second person; "" for who has no part in it. */
export function deciding({ id, asked_by_you: yours }, me, acted) {
  if (!me.roles.includes("Evidence.Approve")) {
    return "";
  }
  if (yours) {
    return framed(element("p", {
      textContent: "Who asks for an export can't approve it. Ask somebody else who has the role Evidence.Approve.",
    }));
  }
  const reason = element("input", { type: "text", name: "reason", required: true, maxLength: MOST_CHARACTERS, autocomplete: "off" });
  const approve = element("button", { type: "submit", className: "primary", value: "approve", textContent: "Approve" });
  const refuse = element("button", { type: "submit", className: "danger", value: "refuse", textContent: "Refuse" });
  const form = element("form", { noValidate: true },
    field("Reason", reason, "One plain line, nothing personal: it stands in the ledger under your name."),
    element("p", { className: "buttons" }, approve, " ", refuse));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearFaults(form);
    if (reason.value.trim() === "") {
      showFault(reason, "This is needed.");
      reason.focus();
      return;
    }
    await acting([approve, refuse], async () => {
      acted(await ask(`exports/${id}/approve`, { approved: event.submitter !== refuse, reason: reason.value }));
    }, (refusal) => {
      const { name, rule } = told(refusal);
      if (name === "reason") {
        showFault(reason, rule);
        reason.focus();
      } else {
        form.append(refused(refusal));
      }
    });
  });
  return framed(element("p", { textContent: "It would hold what people and models said, masked. You decide as the second person." }), form);
}

function framed(...children) {
  const made = section("Decide", ...children);
  made.classList.add("deciding");
  return made;
}

/** Make the button that stops an export, and asks once more. */
export function cancelling({ id }, acted) {
  const cancel = element("button", { type: "button", className: "danger", textContent: "Cancel the export" });
  const sure = element("button", { type: "button", className: "danger", textContent: "Yes, cancel it" });
  const keep = element("button", { type: "button", textContent: "No, keep it" });
  const question = element("div", { className: "sure", role: "group", ariaLabel: "Cancel the export?", hidden: true },
    element("p", { textContent: "What has been read of it is thrown away, for whoever asked too. Cancel it?" }),
    element("p", { className: "buttons" }, sure, " ", keep));
  const node = element("section", { className: "cancel", ariaLabel: "Cancel" }, cancel, question);
  const turn = (asking) => {
    cancel.hidden = asking;
    question.hidden = !asking;
  };
  cancel.addEventListener("click", () => {
    turn(true);
    keep.focus();
  });
  keep.addEventListener("click", () => {
    turn(false);
    cancel.focus();
  });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      keep.click();
    }
  });
  sure.addEventListener("click", () => {
    node.querySelector(".refused")?.remove();
    return acting([sure, keep], async () => acted(await ask(`exports/${id}/cancel`, {})),
      (refusal) => node.append(refused(refusal)));
  });
  return node;
}

/** Do something while its buttons are off; tell what the API refused. */
async function acting(buttons, act, failed) {
  buttons.forEach((one) => { one.disabled = true; });
  try {
    await act();
  } catch (refusal) {
    announce(refusal.message);
    buttons.forEach((one) => { one.disabled = false; });
    failed(refusal);
  }
}
