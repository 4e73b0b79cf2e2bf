// The page of exports: the list with the form that asks for one, or a single export.

import { showExport } from "./export_detail.js";
import { showExports } from "./exports_list.js";

const EXPORT_ID = /^[0-9a-f]{32}$/;

export async function show(main, asked, me) {
  const id = asked.get("export") ?? "";
  await (EXPORT_ID.test(id) ? showExport(main, id, me) : showExports(main, asked, me));
}
