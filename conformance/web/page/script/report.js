// The report: what data.py packed, unpacked.

/** The JSON in an element: deflated, in base64. */
async function unpack(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

let report;

/** Unpack the report; its results become objects. */
async function readReport() {
  report = await unpack("data");
  report.results = report.rows.map(resultOf);
  report.frameworks = [...new Map(report.frameworks.map((framework) => [framework.name, framework])).values()];
  report.byVector = grouped(report.results, (result) => result.vector.id);
}

function resultOf([call, vector, verdict, outputs, extras = {}], place) {
  const [framework, implementation, mode, operation, written] = report.calls[call];
  const result = { framework, implementation, mode, operation, written, place, vector: report.vectors[vector] };
  result.verdict = report.verdicts[verdict];
  result.outputs = outputs.map((output) => report.outputs[output]);
  result.profile = result.vector.profile;
  result.label = `${implementation} (${mode})`;
  const explains = [extras, ...result.outputs].map((said) => said.dialect).filter(Boolean);
  result.explains = [...new Set(explains)];
  result.dialects = new Set(explains.flatMap((dialect) => dialect.split("+")));
  return Object.assign(result, { extras });
}

/** Values by a key, in the order in which they come. */
function grouped(values, keyOf) {
  const found = new Map();
  for (const value of values) {
    const key = keyOf(value);
    if (found.has(key)) found.get(key).push(value);
    else found.set(key, [value]);
  }
  return found;
}

/** What a result is, in few words: the dialects, or why there is no value. */
function what(result) {
  if (result.explains.length) return result.explains.join("; ");
  if (result.extras.reason) return firstLine(result.extras.reason);
  const problem = result.outputs.find((output) => output.problem && output.verdict === result.verdict);
  if (problem) return `${problem.name}: ${problem.problem}`;
  return result.extras.judged === false ? "recorded, not judged" : "";
}

/** The output that makes a result what it is: of its verdict, the one that is furthest off. */
function decisive(result) {
  const candidates = result.outputs.filter((output) => output.verdict === result.verdict);
  return candidates.reduce((a, b) => (a && order(distance(a), distance(b)) <= 0 ? a : b), undefined);
}

/** How far an output is off, to be compared, the furthest first: in ULP, then over its bound, as the suite has it. */
function distance(output) {
  const size = (value) => (typeof value === "number" ? value : Infinity);
  return output ? [-size(output.ulp ?? 0), -size(output.ratio)] : [0, 0];
}

/** The order of lists of numbers: of the first that differ. */
function order(a, b) {
  const place = a.findIndex((number, place) => number !== b[place]);
  return place < 0 ? 0 : a[place] - b[place];
}

/** Results, the worst first. */
function worstFirst(results) {
  const keyed = results.map((r) => [[WORST_FIRST.indexOf(r.verdict), ...distance(decisive(r))], r]);
  return keyed.sort(([a], [b]) => order(a, b)).map(([, result]) => result);
}
