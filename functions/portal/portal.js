// Where the portal begins: shows what the address asks for.

import { showAlert } from "./alert.js";
import { element, refused } from "./elements.js";

const ALERT_ID = /^[0-9a-f]{16}$/;

async function show(view, asked) {
  const alert = asked.get("alert") ?? "";
  if (!ALERT_ID.test(alert)) {
    view.replaceChildren(element("p", { textContent: "Open this page from an alert's card." }));
    return;
  }
  await showAlert(view, alert, asked.get("do") === "ack");
}

const view = document.getElementById("view");
show(view, new URLSearchParams(location.search)).catch((refusal) => view.replaceChildren(refused(refusal)));
