// One vector: the actual and expected values of an implementation, the explanation, a script, and the vector itself.

/** The view of a vector and of one result on it. */
function vectorView(state) {
  const results = report.byVector.get(state.vector) ?? [];
  if (!results.length) {
    const missing = report.vectors.some((vector) => vector.id === state.vector) ? "no result on" : "no vector";
    return [el("h2", { tabindex: -1 }, "No such result"), el("p", {}, `This report has ${missing} ${state.vector}.`)];
  }
  const matches = new Set(matching(state));
  const candidates = worstFirst(results.some((r) => matches.has(r)) ? results.filter((r) => matches.has(r)) : results);
  const result = results.find((r) => `${r.framework}: ${r.label}` === state.by) ?? candidates[0];
  const differs = result.verdict !== "conforms" && result.verdict !== "unsupported";
  return [
    el("p", { class: "back" }, linkTo({ view: "results" }, "← Results"), " ", linkTo({ view: "" }, "Overview")),
    el("h2", { tabindex: -1, class: "vector" }, breakable(result.vector.id)),
    resultSection(result),
    explanation(result),
    differs ? section("Reproduce it", reproducer(result)) : "",
    section("The vector", vectorFields(result)),
    section("All implementations on this vector", otherResults(results, result)),
  ];
}

/** The verdict, and the actual and expected values. */
function resultSection(result) {
  const { extras, outputs } = result;
  const open = "the spec leaves this open; the result is recorded and compared between versions";
  return el(
    "section",
    { class: `result v-${result.verdict}` },
    el("p", { class: "who" }, badge(result.verdict), el("b", {}, breakable(result.implementation)), ` (${result.framework}, ${result.mode})`),
    fields([
      ["explained by", result.combinations.length ? breakable(reasonOf(result)) : ""],
      ["not judged", extras.judged === false ? open : ""],
      ["known", extras.known],
      ["reason", extras.reason && el("pre", { tabindex: 0 }, extras.reason)],
      ["printed", extras.printed && el("pre", { tabindex: 0 }, extras.printed)],
    ]),
    numbersTable(outputs.filter((output) => output.numbers)),
    outputs.filter((output) => !output.numbers && output.verdict !== "conforms").map(wrongOutput),
    conformingOutputs(outputs.filter((output) => output.verdict === "conforms")),
  );
}

/** The worst elements in columns: inputs, the expected and actual value, and the error. */
function numbersTable(outputs) {
  if (!outputs.length) return "";
  const columns = outputs.map((output) => new Map(output.numbers));
  const labels = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const inputs = labels.filter((label) => !MEASURES.includes(label));
  const lines = [...inputs, ...MEASURES.filter((label) => labels.includes(label))].map((label) => {
    const cells = columns.map((column) => el("td", { class: "number" }, column.get(label) ?? ""));
    return el("tr", {}, el("th", { scope: "row" }, label), cells);
  });
  const heads = outputs.map((output) => el("th", { scope: "col" }, output.at));
  const verdicts = outputs.map(({ dialect, verdict }) => el("td", { class: "verdict" }, dialect ? breakable(dialect) : verdict));
  const table = el(
    "table",
    { class: "numbers" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "worst element"), heads)),
    el("tbody", {}, lines, el("tr", {}, el("th", { scope: "row" }, "verdict"), verdicts)),
  );
  const also = outputs.filter((output) => output.also).map((output) => `${output.name}: ${output.also.join(", ")}`);
  return [
    scrollable("The worst elements", table),
    also.length ? el("p", { class: "quiet" }, `Also fits: ${also.join("; ")}`) : "",
  ];
}

/** An output without a worst element that does not conform: its form, its presence or its law is wrong. */
function wrongOutput(output) {
  const problem = output.problem ?? output.dialect ?? output.verdict;
  return [el("p", {}, el("b", {}, output.name), `: ${problem}`), el("p", { class: "quiet" }, errorText(output))];
}

function conformingOutputs(outputs) {
  if (!outputs.length) return "";
  const items = outputs.map((output) => el("li", {}, el("b", {}, output.name), " ", errorText(output)));
  return [el("h3", {}, "Outputs that conform"), el("ul", { class: "outputs" }, items)];
}

/** The error of an output, and the statistics of a random sample. */
function errorText({ ratio, ulp, measured, counted }) {
  const parts = [`error / bound ${formatNumber(ratio)}`];
  if (ulp !== undefined) parts.push(`error in ULP ${formatNumber(ulp)}`);
  for (const [key, value] of Object.entries(measured ?? {})) {
    parts.push(`${key.replaceAll("_", " ")} ${formatNumber(value)}`);
  }
  if (counted) {
    const { differ, inputs, ulp, at } = counted;
    const largest = differ ? `; the largest error is ${formatNumber(ulp)} ULP at ${formatNumber(at)}` : "";
    parts.push(`${formatNumber(differ)} of ${formatNumber(inputs)} results are not correctly rounded${largest}`);
  }
  return parts.join(", ");
}

/** The vector: its inputs and outputs, the faults and dialects that it detects, and its clauses. */
function vectorFields({ vector, verdict }) {
  if (!vector.asks) {
    return el("p", {}, "This vector is not published, or has changed since the run, so its inputs are not shown.");
  }
  const detects = vector.hunts.map((hunt) =>
    el("li", {}, el("b", {}, hunt), report.hunted[hunt] ? `: ${report.hunted[hunt]}` : ""),
  );
  return [
    fields([...vector.asks, ["file", `spec/vectors/${vector.file}`], ["detects", detects.length ? el("ul", {}, detects) : ""]]),
    el("h3", {}, "Tested clauses"),
    // An unexplained result is compared with the clauses themselves.
    vector.clauses.map((id) => clause(id, { open: FAILING.includes(verdict) && vector.clauses.length < 4 })),
  ];
}

function otherResults(results, shown) {
  const items = worstFirst(results).map((result) => {
    const label = breakable(result.label);
    const link = result === shown ? el("b", {}, label) : linkToResult(result, label);
    return el("li", {}, badge(result.verdict), link, el("span", { class: "quiet" }, breakable(reasonOf(result))));
  });
  return el("ul", { class: "others" }, items);
}
