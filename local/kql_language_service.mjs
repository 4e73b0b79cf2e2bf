// Asks Microsoft's KQL language service about queries.
// In (stdin): {"tables": {table: {column: type}}, "queries": {name: text}}
// Out (stdout): {name: {"errors": ["line:column message"], "columns": {column: type}}}
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
const { Kusto, System } = globalThis;

const input = JSON.parse(readFileSync(0, "utf-8"));
const symbols = Object.entries(input.tables).map(
  ([name, columns]) =>
    new Kusto.Language.Symbols.TableSymbol.$ctor7(
      name,
      "(" + Object.entries(columns).map(([column, type]) => `['${column}']:${type}`).join(", ") + ")",
      null,
    ),
);
const database = new Kusto.Language.Symbols.DatabaseSymbol.ctor("workspace", symbols);
const globals = Kusto.Language.GlobalState.Default.WithDatabase(database);

const answers = {};
for (const [name, text] of Object.entries(input.queries)) {
  const code = Kusto.Language.KustoCode.ParseAndAnalyze(text, globals);
  const diagnostics = code.GetDiagnostics();
  const errors = [];
  for (let i = 0; i < diagnostics.Count; i++) {
    const diagnostic = diagnostics.getItem(i);
    if (diagnostic.Severity !== "Error") continue;
    const before = text.slice(0, diagnostic.Start).split("\n");
    errors.push(`${before.length}:${before.at(-1).length + 1} ${diagnostic.Message}`);
  }
  const columns = {};
  const result = code.ResultType;
  if (result && result.Columns) {
    for (let i = 0; i < result.Columns.Count; i++) {
      const column = result.Columns.getItem(i);
      columns[column.Name] = column.Type.Name;
    }
  }
  answers[name] = { errors, columns };
}
process.stdout.write(JSON.stringify(answers));
