// A table that people can sort by its columns' headings.

import { announce, element, table } from "./elements.js";

/**
 * Make a table whose headings are buttons that sort by their column.
 *
 * @param {object} what As of `table`; a column with `value(row)`, a number or a text, can be sorted by it. Rows without
 *   a value (null) stand last in either order.
 * @returns {HTMLElement}
 */
export function sortable({ caption, columns, rows, empty }) {
  const shown = element("div", { className: "sortable" });
  let by = null;
  let rising = false;

  function draw(sorted) {
    const made = table({ caption, columns, rows: sorted, empty });
    made.querySelectorAll("thead th").forEach((heading, index) => {
      if (rows.length > 1 && columns[index].value) {
        heading.replaceChildren(button(index));
        if (index === by) {
          heading.ariaSort = rising ? "ascending" : "descending";
        }
      }
    });
    shown.replaceChildren(made);
  }

  function button(index) {
    const made = element("button", { type: "button", className: "sort", textContent: columns[index].name });
    made.addEventListener("click", () => {
      rising = index === by ? !rising : !columns[index].numeric;
      by = index;
      draw(rows.toSorted(order(columns[index].value, rising)));
      shown.querySelectorAll("thead th")[index].querySelector("button").focus();
      announce(`Sorted by ${columns[index].name}, ${rising ? "ascending" : "descending"}.`);
    });
    return made;
  }

  draw(rows);
  return shown;
}

function order(value, rising) {
  const sign = rising ? 1 : -1;
  return (left, right) => {
    const [one, other] = [value(left) ?? null, value(right) ?? null];
    if (one === null || other === null) {
      return Number(one === null) - Number(other === null);
    }
    return sign * (typeof one === "number" ? one - other : String(one).localeCompare(String(other)));
  };
}
