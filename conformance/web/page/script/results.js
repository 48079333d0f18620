// The results that match the filters: the reasons of their verdicts, then a table.

const MOST_REASONS = 30;

function resultsView(state) {
  const results = matching(state);
  const title = [state.operation || "all operations", state.framework || "all frameworks"].join(", ");
  const head = el("h2", { tabindex: -1 }, `Results: ${title}`);
  if (!results.length) return [head, noResults(state)];
  const vectors = new Set(results.map((result) => result.vector.id));
  const counts = `${countOf(results.length, "result")} on ${countOf(vectors.size, "vector")}: `;
  return [
    head,
    el("p", { class: "summary" }, counts, tally(count(results))),
    reasonsSection(results),
    section("All results, worst first", resultsTable(worstFirst(results))),
  ];
}

/** The reasons of the results that do not conform, each with its worst result. */
function reasonsSection(results) {
  const differing = worstFirst(results.filter((result) => result.verdict !== "conforms"));
  const groups = [...groupBy(differing, (result) => `${result.verdict} ${reasonOf(result)}`).values()];
  if (!groups.length) return "";
  const hidden = groups.length - MOST_REASONS;
  return section(
    "Reasons",
    el("ul", { class: "reasons" }, groups.slice(0, MOST_REASONS).map(reasonItem)),
    hidden > 0 ? el("p", { class: "quiet" }, `and ${countOf(hidden, "more reason")} in the table below`) : "",
  );
}

function reasonItem(group) {
  const [worst] = group;
  const summaries = [...worst.dialects].map((dialect) => report.dialects[dialect]?.summary).filter(Boolean);
  const names = [...new Set(group.map((result) => result.implementation))];
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return el(
    "li",
    {},
    badge(worst.verdict),
    el("b", {}, breakable(reasonOf(worst) || "unexplained")),
    summaries.length ? el("p", {}, summaries.join(" ")) : "",
    el("p", { class: "quiet" }, `${countOf(group.length, "result")} of ${names.slice(0, 3).join(", ")}${more}`),
    el("p", {}, worst.verdict === "unsupported" ? "Example: " : "Worst: ", linkToResult(worst, breakable(worst.vector.id))),
  );
}
