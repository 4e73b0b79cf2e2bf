// Makes text out of a trace harmless to the eye: what can't be seen, or reorders what stands beside it, is shown
// by its code, and what is endless is cut.

const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;
const MOST = 160;

/**
 * Give a text on one line, of at most so many characters.
 *
 * @param {*} text Anything; null and undefined are "".
 * @param {number} most
 */
export function plain(text, most = MOST) {
  const whole = typeof text === "string" ? text : String(text ?? "");
  const characters = Array.from(whole.slice(0, 2 * most)).slice(0, most).join("");
  const cut = characters.length < whole.length ? "…" : "";
  return characters.replace(UNSEEN, named) + cut;
}

/** Tell how many characters `plain` would leave out; 0 where it shows all. */
export function leftOut(text, most = MOST) {
  const whole = String(text ?? "");
  return whole.length <= most ? 0 : Math.max(0, whole.length - Array.from(whole.slice(0, 2 * most)).slice(0, most).join("").length);
}

function named(character) {
  const code = character.codePointAt(0);
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}
