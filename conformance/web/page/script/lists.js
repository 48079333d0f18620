// Tables of results.

// As many rows as a browser draws at once without a pause.
const PAGE = 200;

/** A table of results, each with a link to its explanation; what is beyond the first page is shown when asked for. */
function resultsTable(results) {
  const heads = ["verdict", "vector", "implementation", "what", "error / bound", "ULP"];
  const body = el("tbody", {}, results.slice(0, PAGE).map(resultRow));
  const table = el(
    "table",
    { class: "stacked results" },
    el("thead", {}, el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text)))),
    body,
  );
  return results.length > PAGE ? [table, moreButton(results, body)] : table;
}

function moreButton(results, body) {
  const text = () => `Show more: ${counted(results.length - body.rows.length, "result")} left`;
  const button = el("button", { type: "button", class: "more" }, text());
  button.addEventListener("click", () => {
    const shown = body.rows.length;
    body.append(...results.slice(shown, shown + PAGE).map(resultRow));
    body.rows[shown].querySelector("a").focus();
    if (body.rows.length === results.length) button.remove();
    else button.textContent = text();
  });
  return button;
}

function resultRow(result) {
  const output = decisive(result);
  const of = (label, key) =>
    el("td", { class: "number", "data-label": label }, output && key in output ? number(output[key]) : "");
  return el(
    "tr",
    {},
    el("td", {}, badge(result.verdict), result.extras.known ? el("small", {}, "known") : ""),
    el("th", { scope: "row" }, toResult(result, name(result.vector.id))),
    el("td", {}, name(result.implementation), " ", el("span", { class: "quiet" }, result.mode)),
    el("td", { class: "what" }, name(what(result))),
    of("error / bound", "ratio"),
    of("ULP", "ulp"),
  );
}
