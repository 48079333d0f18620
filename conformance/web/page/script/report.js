// The report that page_data.py packed.

/** The JSON in an element: deflated, in base64. */
async function unpack(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

let report;

/** Unpack the report, and make its results objects. */
async function readReport() {
  report = await unpack("data");
  report.results = report.rows.map(resultOf);
  report.frameworks = [...new Map(report.frameworks.map((framework) => [framework.name, framework])).values()];
  report.byVector = groupBy(report.results, (result) => result.vector.id);
}

function resultOf([call, vector, verdict, outputs, extras = {}], position) {
  const [framework, implementation, mode, operation, hasScript] = report.calls[call];
  const result = { framework, implementation, mode, operation, hasScript, position, vector: report.vectors[vector] };
  result.verdict = report.verdicts[verdict];
  result.outputs = outputs.map((output) => report.outputs[output]);
  result.profile = result.vector.profile;
  result.label = `${implementation} (${mode})`;
  const combinations = [extras, ...result.outputs].map(({ dialect }) => dialect).filter(Boolean);
  result.combinations = [...new Set(combinations)];
  result.dialects = new Set(combinations.flatMap((dialect) => dialect.split("+")));
  return Object.assign(result, { extras });
}

/** Values by a key, in their order. */
function groupBy(values, keyOf) {
  const groups = new Map();
  for (const value of values) {
    const key = keyOf(value);
    if (groups.has(key)) groups.get(key).push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

/** The reason of a result's verdict in a few words: the dialects, or the cause of a missing value. */
function reasonOf(result) {
  if (result.combinations.length) return result.combinations.join("; ");
  if (result.extras.reason) return firstLine(result.extras.reason);
  const output = result.outputs.find(({ problem, verdict }) => problem && verdict === result.verdict);
  if (output) return `${output.name}: ${output.problem}`;
  return result.extras.judged === false ? "recorded, not judged" : "";
}

/** The output with a result's verdict and the largest error. */
function worstOutput(result) {
  const candidates = result.outputs.filter((output) => output.verdict === result.verdict);
  return candidates.reduce((a, b) => (a && compareLists(errorOf(a), errorOf(b)) <= 0 ? a : b), undefined);
}

/** The error of an output as a key that sorts the largest first: in ULP, then over the bound. */
function errorOf(output) {
  const size = (value) => (typeof value === "number" ? value : Infinity);
  return output ? [-size(output.ulp ?? 0), -size(output.ratio)] : [0, 0];
}

/** The order of two lists of numbers: that of the first numbers that differ. */
function compareLists(a, b) {
  const position = a.findIndex((number, position) => number !== b[position]);
  return position < 0 ? 0 : a[position] - b[position];
}

/** Results, the worst first. */
function worstFirst(results) {
  const keyed = results.map((r) => [[WORST_FIRST.indexOf(r.verdict), ...errorOf(worstOutput(r))], r]);
  return keyed.sort(([a], [b]) => compareLists(a, b)).map(([, result]) => result);
}
