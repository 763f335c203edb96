// Analyse Kusto queries with Microsoft's own language service: {"tables": {name: schema}, "queries": {name: text}} on
// standard input, {name: [complaint, …]} on standard output.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const service = path.dirname(require.resolve('@kusto/language-service-next/package.json'));
for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
  vm.runInThisContext(fs.readFileSync(path.join(service, file), 'utf8'), file);
}
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const { tables, queries } = JSON.parse(fs.readFileSync(0, 'utf8'));
const symbols = Object.entries(tables).map(([name, schema]) => Symbols.TableSymbol.From(schema).WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('logs', symbols));

const complaints = {};
for (const [name, text] of Object.entries(queries)) {
  const found = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  complaints[name] = [];
  for (let index = 0; index < found.Count; index++) {
    complaints[name].push(found.getItem(index).Message);
  }
}
process.stdout.write(JSON.stringify(complaints));
