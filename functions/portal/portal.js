// Where the portal begins: asks who is signed in, and shows the page that the address names.

import { ask } from "./api.js";
import { announce, element, empty, inUtc, loading, otherZone, refused } from "./elements.js";

/** Who sees alerts may read the traces that they name. */
const traceRoles = (asked) => (ALERT_ID.test(asked.get("alert") ?? "") ? ["Traces.Read", "Alerts.Read"] : ["Traces.Read"]);

/** The pages in the order of the navigation; who has one of a page's roles may open it (some for what is asked). */
const PAGES = [
  { view: "overview", title: "Overview", roles: ["Alerts.Read"], load: () => import("./overview_page.js") },
  { view: "alerts", title: "Alerts", roles: ["Alerts.Read"], load: () => import("./alerts_page.js") },
  { view: "trace", title: "Traces", roles: traceRoles, load: () => import("./trace_page.js") },
  { view: "exports", title: "Exports", roles: ["Evidence.Read"], load: () => import("./exports_page.js") },
  { view: "costs", title: "Costs", roles: ["Costs.Read"], load: () => import("./costs_page.js") },
  { view: "access", title: "Access log", roles: ["Audit.Read"], load: () => import("./access_page.js") },
];

const PRODUCT = "Tracekeeper";
const ALERT_ID = /^[0-9a-f]{16}$/;

/** The page behind a card's button. */
const ALERT = {
  view: "alerts",
  title: "Alert",
  roles: ["Alerts.Read"],
  load: () => import("./alert.js"),
};

async function start(main, asked) {
  const me = await ask("me");
  const open = PAGES.filter((page) => may(me, page, new URLSearchParams()));
  const wanted = page(asked, open);
  greet(me);
  navigate(open, wanted);
  if (!wanted || !may(me, wanted, asked)) {
    return refuse(main, open);
  }
  document.title = `${wanted.title} · ${PRODUCT}`;
  main.replaceChildren(loading());
  try {
    const { show: fill } = await wanted.load();
    main.replaceChildren();
    await fill(main, asked, me);
  } catch (fault) {
    show(main, wanted.title, refused(fault));
  }
}

/** Say the same of a page that may not be opened and of one that there is not. */
function refuse(main, open) {
  return open.length > 0
    ? show(main, "No such page", empty("There is no such page.", "Choose one of those above."))
    : show(main, "No access", empty(
      "You are signed in, and no page of this service is open to you.",
      "Ask the owner of the app registration to assign you a role."));
}

/** Give the page that is asked for; without a name it is the first that is open. */
function page(asked, open) {
  if (asked.has("alert") && !asked.has("view")) {
    return ALERT_ID.test(asked.get("alert")) ? ALERT : undefined;
  }
  return asked.has("view") ? PAGES.find((one) => one.view === asked.get("view")) : open[0];
}

function may(me, { roles }, asked) {
  const enough = typeof roles === "function" ? roles(asked) : roles;
  return enough.some((role) => me.roles.includes(role));
}

function navigate(open, current) {
  const links = open.map(({ view, title }) => {
    const link = element("a", { href: `/portal?view=${view}`, textContent: title });
    if (view === current?.view) {
      link.setAttribute("aria-current", "page");
    }
    return element("li", {}, link);
  });
  const list = document.getElementById("pages");
  list.replaceChildren(...links);
  list.parentElement.hidden = links.length === 0;
}

function greet(me) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const button = element("button", { type: "button", className: "link" });
  const offer = () => {
    button.textContent = inUtc() ? `Times are UTC; show those of ${zone}` : `Times are those of ${zone}; show UTC`;
  };
  button.addEventListener("click", () => {
    otherZone();
    offer();
    announce(inUtc() ? "Times are UTC." : `Times are those of ${zone}.`);
  });
  offer();
  const same = ["UTC", "Etc/UTC"].includes(zone);
  document.getElementById("footer").replaceChildren(
    element("p", {}, "Signed in as ", element("b", { textContent: me.name || "somebody without a name" })),
    element("p", {}, element("a", { href: "/.auth/logout", textContent: "Sign out" })),
    same ? element("p", { textContent: "Times are UTC." }) : button,
  );
}

function show(main, title, ...children) {
  document.title = `${title} · ${PRODUCT}`;
  main.replaceChildren(element("h1", { textContent: title }), ...children);
}

const main = document.getElementById("main");
start(main, new URLSearchParams(location.search)).catch((fault) => show(main, PRODUCT, refused(fault)));
