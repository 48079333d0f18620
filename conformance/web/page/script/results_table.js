// A table of results.

// A browser draws this number of rows at once without a pause.
const ROWS = 200;

/** A table of results with links to them; a button shows more than the first rows. */
function resultsTable(results) {
  const heads = ["verdict", "vector", "implementation", "reason", "error / bound", "ULP"];
  const body = el("tbody", {}, results.slice(0, ROWS).map(resultRow));
  const table = el(
    "table",
    { class: "stacked results" },
    el("thead", {}, el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text)))),
    body,
  );
  return results.length > ROWS ? [table, moreButton(results, body)] : table;
}

function moreButton(results, body) {
  const text = () => `Show more (${countOf(results.length - body.rows.length, "result")} left)`;
  const button = el("button", { type: "button", class: "more" }, text());
  button.addEventListener("click", () => {
    const first = body.rows.length;
    body.append(...results.slice(first, first + ROWS).map(resultRow));
    body.rows[first].querySelector("a").focus();
    if (body.rows.length === results.length) button.remove();
    else button.textContent = text();
  });
  return button;
}

function resultRow(result) {
  const output = worstOutput(result);
  const numberCell = (label, key) =>
    el("td", { class: "number", "data-label": label }, output && key in output ? formatNumber(output[key]) : "");
  return el(
    "tr",
    {},
    el("td", {}, badge(result.verdict), result.extras.known ? el("small", {}, "known") : ""),
    el("th", { scope: "row" }, linkToResult(result, breakable(result.vector.id))),
    el("td", {}, breakable(result.implementation), " ", el("span", { class: "quiet" }, result.mode)),
    el("td", { class: "reason" }, breakable(reasonOf(result))),
    numberCell("error / bound", "ratio"),
    numberCell("ULP", "ulp"),
  );
}
