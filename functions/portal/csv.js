// Writes tables as CSV that is safe to open in a spreadsheet: the rules of functions/spreadsheet.py.

// A spreadsheet takes a cell for a formula by its first character, some after blanks, some in full width too.
const STARTS = "[=+\\-@|%\\uff1d\\uff0b\\uff0d\\uff20\\t\\r\\n]";
const BLANK = "\\s\\x1c-\\x1f\\x85";
const FORMULA = new RegExp(`^[${BLANK}]*${STARTS}`);

// Where semicolons separate cells, one begins behind each of them, and behind each tab and end of line.
const FORMULA_WITHIN = new RegExp(`([;\\t\\r\\n])(?=[${BLANK}"'\\\\]*${STARTS})`, "g");
const SPECIAL = /[,"\r\n]/;

/** Give rows of text as RFC 4180. */
export function csv(header, rows) {
  return [header, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(text) {
  const safe = guarded(String(text ?? ""));
  return SPECIAL.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Give text that no spreadsheet reads as a formula: what might be one is preceded by an apostrophe. */
function guarded(text) {
  const within = text.replace(FORMULA_WITHIN, "$1'");
  return FORMULA.test(within) ? `'${within}` : within;
}
