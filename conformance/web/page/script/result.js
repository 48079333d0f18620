// One vector: what an implementation gave on it, in numbers; why; how to reproduce it; and what the vector asks.

// What stands after the inputs, in this order.
const MEASURES = ["expected", "bound", "got", "by the dialect", "dialect's bound", "error in ULP", "error / bound"];

/** The view of a vector, and of one result on it. */
function vectorView(wanted) {
  const results = report.byVector.get(wanted.vector) ?? [];
  if (!results.length) {
    const said = report.vectors.some((vector) => vector.id === wanted.vector) ? "no result on" : "no vector";
    return [el("h2", { tabindex: -1 }, "No such result"), el("p", {}, `This report has ${said} ${wanted.vector}.`)];
  }
  const left = new Set(filtered(wanted));
  const candidates = worstFirst(results.some((r) => left.has(r)) ? results.filter((r) => left.has(r)) : results);
  const result = results.find((found) => `${found.framework}: ${found.label}` === wanted.by) ?? candidates[0];
  return [
    el("p", { class: "back" }, to({ view: "results" }, "← Results"), " ", to({ view: "" }, "Overview")),
    el("h2", { tabindex: -1, class: "vector" }, name(result.vector.id)),
    found(result),
    explanations(result),
    differs(result) ? section("To reproduce it", reproducer(result)) : "",
    section("What the vector asks", asks(result)),
    section("All implementations on this vector", onVector(results, result)),
  ];
}

function differs({ verdict }) {
  return verdict !== "conforms" && verdict !== "unsupported";
}

/** What an implementation gave. */
function found(result) {
  const { extras } = result;
  return el(
    "section",
    { class: `found v-${result.verdict}` },
    el("p", { class: "who" }, badge(result.verdict), el("b", {}, name(result.implementation)), ` (${result.framework}, ${result.mode})`),
    fields([
      ["explained by", result.explains.length ? name(what(result)) : ""],
      ["not judged", extras.judged === false ? "the spec leaves it open; it is recorded, and compared between versions" : ""],
      ["known", extras.known],
      ["reason", extras.reason && el("pre", { tabindex: 0 }, extras.reason)],
      ["printed", extras.printed && el("pre", { tabindex: 0 }, extras.printed)],
    ]),
    numbersTable(result.outputs.filter((output) => output.numbers)),
    result.outputs.filter((output) => !output.numbers && output.verdict !== "conforms").map(wrongForm),
    conforming(result.outputs.filter((output) => output.verdict === "conforms")),
  );
}

/** The worst elements side by side: what went in, what was expected, what came, and how far it is off. */
function numbersTable(outputs) {
  if (!outputs.length) return "";
  const columns = outputs.map((output) => new Map(output.numbers));
  const labels = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const order = [...labels.filter((label) => !MEASURES.includes(label)), ...MEASURES.filter((l) => labels.includes(l))];
  const head = outputs.map((output) => el("th", { scope: "col" }, output.at));
  const said = outputs.map((output) => el("td", { class: "said" }, output.dialect ? name(output.dialect) : output.verdict));
  const lines = order.map((label) =>
    el("tr", {}, el("th", { scope: "row" }, label), columns.map((column) => el("td", { class: "number" }, column.get(label) ?? ""))),
  );
  const also = outputs.filter((output) => output.also).map((output) => `${output.name}: ${output.also.join(", ")}`);
  return [
    scrolling(
      "The worst elements",
      el(
        "table",
        { class: "numbers" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "worst element"), head)),
        el("tbody", {}, lines, el("tr", {}, el("th", { scope: "row" }, "is"), said)),
      ),
    ),
    also.length ? el("p", { class: "quiet" }, `Fits too: ${also.join("; ")}`) : "",
  ];
}

/** An output that is wrong without a worst element: its form, its presence or its law. */
function wrongForm(output) {
  const told = el("p", {}, el("b", {}, output.name), `: ${output.problem ?? output.dialect ?? output.verdict}`);
  return [told, el("p", { class: "quiet" }, sizes(output))];
}

function conforming(outputs) {
  if (!outputs.length) return "";
  const items = outputs.map((output) => el("li", {}, el("b", {}, output.name), " ", sizes(output)));
  return [el("h3", {}, "Outputs that conform"), el("ul", { class: "outputs" }, items)];
}

/** How far an output is off, and what was measured of it. */
function sizes({ ratio, ulp, measured, counted: every }) {
  const parts = [`error / bound ${number(ratio)}`];
  if (ulp !== undefined) parts.push(`error in ULP ${number(ulp)}`);
  for (const [key, value] of Object.entries(measured ?? {})) parts.push(`${key.replaceAll("_", " ")} ${number(value)}`);
  if (every) {
    const worstOf = every.differ ? `, the worst by ${number(every.ulp)} ULP at ${number(every.at)}` : "";
    parts.push(`${number(every.differ)} of ${number(every.inputs)} results are not the exact one rounded${worstOf}`);
  }
  return parts.join(", ");
}

/** What the vector is about. */
function asks({ vector, verdict }) {
  if (!vector.asks) return el("p", {}, "It is not among the published vectors as they are now, so its inputs are not known here.");
  const hunts = vector.hunts.map((hunt) => el("li", {}, el("b", {}, hunt), report.hunted[hunt] ? `: ${report.hunted[hunt]}` : ""));
  return [
    fields([...vector.asks, ["file", `spec/vectors/${vector.file}`], ["it hunts", hunts.length ? el("ul", {}, hunts) : ""]]),
    el("h3", {}, "Clauses that it tests"),
    // Where nothing explains a result, they are what it is held against.
    vector.clauses.map((id) => clause(id, { open: FAILING.includes(verdict) && vector.clauses.length < 4 })),
  ];
}

function onVector(results, chosen) {
  const items = worstFirst(results).map((result) =>
    el(
      "li",
      {},
      badge(result.verdict),
      result === chosen ? el("b", {}, name(result.label)) : toResult(result, name(result.label)),
      el("span", { class: "quiet" }, name(what(result))),
    ),
  );
  return el("ul", { class: "others" }, items);
}
