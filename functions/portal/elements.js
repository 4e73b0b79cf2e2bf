// Builds what a page shows. All text goes in as text: it may come out of a trace, and is hostile.

/**
 * Make an element.
 *
 * @param {string} name Its tag.
 * @param {object} properties Set on it as they are, such as textContent or disabled.
 * @param {...Node} children What goes into it.
 */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Make a list of names and what they are; pairs without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...known.flatMap(([name, value]) => [
    element("dt", { textContent: name }),
    element("dd", { textContent: String(value) }),
  ]));
}

/** Make what tells of a Refusal. */
export function refused({ message, detail, nextStep, way }) {
  const lines = [detail, nextStep].filter(Boolean).map((text) => element("p", { textContent: text }));
  const ways = way ? [element("a", { href: way, textContent: "Sign in" })] : [];
  return element("section", { role: "alert" }, element("h1", { textContent: message }), ...lines, ...ways);
}
