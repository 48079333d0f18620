// The results that the filters leave: why they are what they are, then each of them.

/** The view of the results. */
function resultsView(wanted) {
  const results = filtered(wanted);
  const title = [wanted.operation || "all operations", wanted.framework || "all frameworks"].join(", ");
  const head = el("h2", { tabindex: -1 }, `Results: ${title}`);
  if (!results.length) return [head, nothing(wanted)];
  return [
    head,
    el("p", { class: "summary" }, `${counted(results.length, "result")} on ${vectorsText(results)}: `, tally(count(results))),
    why(results),
    section("Each result, the worst first", resultsTable(worstFirst(results))),
  ];
}

function vectorsText(results) {
  return counted(new Set(results.map((result) => result.vector.id)).size, "vector");
}

/** What explains the results that do not conform: each reason with the worst result of it. */
function why(results) {
  const differing = worstFirst(results.filter((result) => result.verdict !== "conforms"));
  const groups = [...grouped(differing, (result) => `${result.verdict} ${what(result)}`).values()];
  if (!groups.length) return "";
  const shown = groups.slice(0, 30);
  const left = groups.length - shown.length;
  return section(
    "Why",
    el("ul", { class: "reasons" }, shown.map(reason)),
    left ? el("p", { class: "quiet" }, `and ${counted(left, "other reason")}, below`) : "",
  );
}

function reason(group) {
  const [first] = group;
  const parts = first.explains.flatMap((dialect) => dialect.split("+"));
  const said = [...new Set(parts)].map((part) => report.dialects[part]?.summary).filter(Boolean);
  const names = [...new Set(group.map((result) => result.implementation))];
  const others = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return el(
    "li",
    {},
    badge(first.verdict),
    el("b", {}, name(what(first) || "what nothing explains")),
    said.length ? el("p", {}, said.join(" ")) : "",
    el("p", { class: "quiet" }, `${counted(group.length, "result")} of ${names.slice(0, 3).join(", ")}${others}`),
    el("p", {}, toResult(first, first.verdict === "unsupported" ? "one of them" : "the worst of them: ", first.verdict === "unsupported" ? "" : name(first.vector.id))),
  );
}
