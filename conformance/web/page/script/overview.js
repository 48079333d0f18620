// The overview: which framework conforms where, then which implementation in which mode, then why not.

const DEFAULTS = "defaults";

/** The row of a result in the matrix of frameworks: its operation, or the defaults, which are told apart. */
function rowOf(result) {
  return result.profile === DEFAULTS ? DEFAULTS : result.operation;
}

/** The view of all. */
function overview(wanted) {
  const results = filtered(wanted);
  if (!results.length) return [el("h2", { tabindex: -1 }, "Overview"), nothing(wanted)];
  return [
    el("h2", { tabindex: -1, class: "hidden" }, "Overview"),
    legend(results),
    section("Frameworks by operation", frameworksMatrix(wanted, results)),
    findings(results),
    section("Implementations and modes", implementationsMatrix(wanted, results)),
    section("What explains the differences", dialectsTable(results)),
  ];
}

function nothing(wanted) {
  const why = isFiltered(wanted) ? "No result is left by these filters." : "This run has no results.";
  return el("p", {}, why);
}

/** How many results have which verdict, and what it means. */
function legend(results) {
  const counts = count(results);
  return el(
    "ul",
    { class: "legend", "aria-label": "Verdicts" },
    present(counts).map((verdict) =>
      el(
        "li",
        { class: `v-${verdict}` },
        to({ view: "results", verdict }, shape(verdict), el("b", {}, number(counts[verdict])), ` ${VERDICTS[verdict].many}`),
        el("span", { class: "quiet" }, VERDICTS[verdict].means),
      ),
    ),
  );
}

/** A cell of a matrix: how many results there are of each verdict; the worst in a word, and why, where there is room. */
function cell(results, changes, { brief = false } = {}) {
  if (!results?.length) return el("td", { class: "none" }, el("span", { "aria-hidden": "true" }, "–"), unseen("no result"));
  const counts = count(results);
  const verdict = worst(counts);
  const head = el("span", { class: "head" }, badge(verdict), tally(counts));
  const told = brief ? head : [head, bar(counts), mainly(results)];
  return el("td", { class: `cell v-${verdict}` }, to({ view: "results", ...changes }, told));
}

/** The dialects that most results have, in a line. */
function mainly(results) {
  const names = dialectsOf(results).map(([dialect]) => dialect);
  return names.length ? el("span", { class: "mainly" }, names.slice(0, 3).join(", "), names.length > 3 ? ", …" : "") : "";
}

/** The dialects with the results that have each, those of most results first. */
function dialectsOf(results) {
  const found = new Map();
  for (const result of results) {
    for (const dialect of result.dialects) {
      if (!found.has(dialect)) found.set(dialect, []);
      found.get(dialect).push(result);
    }
  }
  return [...found].sort(([, a], [, b]) => b.length - a.length);
}

function frameworksMatrix(wanted, results) {
  const found = grouped(results, (result) => JSON.stringify([rowOf(result), result.framework]));
  const rows = [...report.operations, DEFAULTS].filter((row) => results.some((result) => rowOf(result) === row));
  const frameworks = report.frameworks.filter(({ name }) => !wanted.framework || name === wanted.framework);
  const given = wanted.profile || GIVEN;
  const lines = rows.map((row) => {
    const changes = row === DEFAULTS ? { profile: DEFAULTS } : { operation: row, profile: given };
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, row === DEFAULTS ? "defaults" : name(row), row === DEFAULTS ? el("small", {}, "inform, fail no run") : ""),
      frameworks.map((framework) =>
        cell(found.get(JSON.stringify([row, framework.name])), { ...changes, framework: framework.name }),
      ),
    );
  });
  const head = el("tr", {}, el("th", { scope: "col" }, "operation"), frameworks.map(frameworkHead));
  return scrolling(
    "Frameworks by operation",
    el("table", { class: "matrix frameworks-matrix" }, el("thead", {}, head), el("tbody", {}, lines)),
  );
}

function frameworkHead({ name: framework, status, not_run: left }) {
  const trouble = status === "ran" ? (left ? "not to the end" : "") : status;
  return el("th", { scope: "col" }, name(framework), trouble ? el("small", { class: "trouble" }, trouble) : "");
}

/** What nothing explains, if there is any: the first of each kind. */
function findings(results) {
  const bad = worstFirst(results.filter((result) => FAILING.includes(result.verdict)));
  if (!bad.length) return "";
  const kinds = [...grouped(bad, (r) => JSON.stringify([r.label, r.operation, r.verdict, what(r)])).values()];
  const shown = kinds.slice(0, 10);
  const more = kinds.length > shown.length || bad.length > shown.length;
  return section(
    "What nothing explains",
    resultsTable(shown.map(([first]) => first)),
    more ? el("p", {}, allBad(results)) : "",
  );
}

/** Links to all results of each bad verdict. */
function allBad(results) {
  const counts = count(results);
  const verdicts = present(counts).filter((verdict) => FAILING.includes(verdict));
  return verdicts.flatMap((verdict, place) => [
    place ? ", " : "The first of each kind. All: ",
    to({ view: "results", verdict }, `${number(counts[verdict])} ${VERDICTS[verdict].many}`),
  ]);
}

function implementationsMatrix(wanted, results) {
  const modes = [...new Set(results.map((result) => result.mode))];
  const operations = grouped(results, (result) => result.operation);
  const bodies = report.operations
    .filter((operation) => operations.has(operation))
    .map((operation) => {
      const rows = grouped(operations.get(operation), (r) => JSON.stringify([r.framework, r.implementation]));
      const head = el("th", { scope: "rowgroup", colspan: modes.length + 2 }, operation);
      return el(
        "tbody",
        {},
        el("tr", { class: "operation" }, head),
        [...rows.values()].map((found) => implementationRow(found, operation, modes)),
      );
    });
  const head = el("tr", {}, ["framework", "implementation", ...modes].map((text) => el("th", { scope: "col" }, text)));
  return el("table", { class: "matrix stacked implementations-matrix" }, el("thead", {}, head), bodies);
}

function implementationRow(results, operation, modes) {
  const [{ framework, implementation }] = results;
  const byMode = grouped(results, (result) => result.mode);
  const cells = modes.map((mode) => {
    const made = cell(byMode.get(mode), { framework, operation, implementation, mode }, { brief: true });
    made.dataset.label = mode;
    return made;
  });
  return el("tr", {}, el("td", { class: "quiet" }, framework), el("th", { scope: "row" }, name(implementation)), cells);
}

/** The dialects that there are, those of most results first, with how many results of each framework have them. */
function dialectsTable(results) {
  const sorted = dialectsOf(results);
  if (!sorted.length) return "";
  const frameworks = report.frameworks.map((framework) => framework.name);
  const head = ["dialect", "what it does", ...frameworks].map((text) => el("th", { scope: "col" }, text));
  const lines = sorted.map(([dialect, found]) => {
    const counts = grouped(found, (result) => result.framework);
    const cells = frameworks.map((framework) => {
      const having = counts.get(framework)?.length;
      const link = having ? to({ view: "results", dialect, framework }, number(having)) : "–";
      return el("td", { class: "number", "data-label": framework }, link);
    });
    const named = el("th", { scope: "row" }, to({ view: "results", dialect }, name(dialect)));
    return el("tr", {}, named, el("td", {}, report.dialects[dialect]?.summary ?? ""), cells);
  });
  return el("table", { class: "stacked dialects" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, lines));
}
