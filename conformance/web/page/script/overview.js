// The overview: verdicts by framework and operation, unexplained results, implementations, and dialects.

/** The row of a result in the matrix of frameworks: its operation, or defaults. */
function rowOf(result) {
  return result.profile === DEFAULTS ? DEFAULTS : result.operation;
}

function overviewView(state) {
  const results = matching(state);
  if (!results.length) return [el("h2", { tabindex: -1 }, "Overview"), noResults(state)];
  return [
    el("h2", { tabindex: -1, class: "hidden" }, "Overview"),
    introduction(),
    legend(results),
    section("Frameworks by operation", frameworksMatrix(state, results)),
    unexplained(results),
    section("Implementations and modes", implementationsMatrix(results)),
    section("Dialects", dialectsTable(results)),
  ];
}

function noResults(state) {
  return el("p", {}, isFiltered(state) ? "No results match these filters." : "This run has no results.");
}

function introduction() {
  return el(
    "p",
    { class: "quiet introduction" },
    "A result is one call on one vector, a test case with inputs, expected outputs and error bounds. ",
    "A dialect is a named, documented way in which a framework differs from the spec. ",
    "Click a cell to see its results, and a vector to compare actual and expected values.",
  );
}

/** The number of results with each verdict, and its meaning. */
function legend(results) {
  const counts = count(results);
  const items = present(counts).map((verdict) => {
    const { many, means } = VERDICTS[verdict];
    const link = linkTo({ view: "results", verdict }, shape(verdict), el("b", {}, formatNumber(counts[verdict])), ` ${many}`);
    return el("li", { class: `v-${verdict}` }, link, el("span", { class: "quiet" }, means));
  });
  return el("ul", { class: "legend", "aria-label": "Verdicts" }, items);
}

/** A cell of a matrix: the worst verdict and the counts; unless brief, a bar and the most frequent dialects too. */
function cell(results, changes, { brief = false } = {}) {
  if (!results?.length) {
    return el("td", { class: "none" }, el("span", { "aria-hidden": "true" }, "–"), hiddenText("no result"));
  }
  const counts = count(results);
  const verdict = worst(counts);
  const head = el("span", { class: "head" }, badge(verdict), tally(counts));
  const content = brief ? head : [head, bar(counts), mainDialects(results)];
  return el("td", { class: `cell v-${verdict}` }, linkTo({ view: "results", ...changes }, content));
}

/** The most frequent dialects, in one line. */
function mainDialects(results) {
  const names = byDialect(results).map(([dialect]) => dialect);
  return names.length ? el("span", { class: "mainly" }, names.slice(0, 3).join(", "), names.length > 3 ? ", …" : "") : "";
}

/** Each dialect with its results, the most frequent first. */
function byDialect(results) {
  const groups = new Map();
  for (const result of results) {
    for (const dialect of result.dialects) {
      if (!groups.has(dialect)) groups.set(dialect, []);
      groups.get(dialect).push(result);
    }
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

function frameworksMatrix(state, results) {
  const groups = groupBy(results, (result) => JSON.stringify([rowOf(result), result.framework]));
  const rows = [...report.operations, DEFAULTS].filter((row) => results.some((result) => rowOf(result) === row));
  const frameworks = report.frameworks.filter(({ name }) => !state.framework || name === state.framework);
  const profile = state.profile || NOT_DEFAULTS;
  const lines = rows.map((row) => {
    const changes = row === DEFAULTS ? { profile: DEFAULTS } : { operation: row, profile };
    const label = row === DEFAULTS ? ["defaults", el("small", {}, "chosen by the framework; never fail a run")] : breakable(row);
    const cells = frameworks.map(({ name }) =>
      cell(groups.get(JSON.stringify([row, name])), { ...changes, framework: name }),
    );
    return el("tr", {}, el("th", { scope: "row" }, label), cells);
  });
  const head = el("tr", {}, el("th", { scope: "col" }, "operation"), frameworks.map(frameworkHead));
  return scrollable(
    "Frameworks by operation",
    el("table", { class: "matrix frameworks-matrix" }, el("thead", {}, head), el("tbody", {}, lines)),
  );
}

function frameworkHead({ name, status, not_run: notRun }) {
  const trouble = status === "ran" ? (notRun ? "incomplete" : "") : status;
  return el("th", { scope: "col" }, breakable(name), trouble ? el("small", { class: "trouble" }, trouble) : "");
}

const MOST_KINDS = 10;

/** The first unexplained result of each kind, if there is any. */
function unexplained(results) {
  const bad = worstFirst(results.filter((result) => FAILING.includes(result.verdict)));
  if (!bad.length) return "";
  const kinds = [...groupBy(bad, (r) => JSON.stringify([r.label, r.operation, r.verdict, reasonOf(r)])).values()];
  const shown = kinds.slice(0, MOST_KINDS).map(([first]) => first);
  return section(
    "Unexplained results",
    resultsTable(shown),
    bad.length > shown.length ? el("p", {}, "One result per kind. All: ", linksByVerdict(bad)) : "",
  );
}

/** Links to all results with each verdict. */
function linksByVerdict(results) {
  const counts = count(results);
  return present(counts).flatMap((verdict, position) => [
    position ? ", " : "",
    linkTo({ view: "results", verdict }, `${formatNumber(counts[verdict])} ${VERDICTS[verdict].many}`),
  ]);
}

function implementationsMatrix(results) {
  const modes = [...new Set(results.map((result) => result.mode))];
  const operations = groupBy(results, (result) => result.operation);
  const bodies = report.operations
    .filter((operation) => operations.has(operation))
    .map((operation) => {
      const rows = groupBy(operations.get(operation), (r) => JSON.stringify([r.framework, r.implementation]));
      const head = el("th", { scope: "rowgroup", colspan: modes.length + 2 }, operation);
      return el(
        "tbody",
        {},
        el("tr", { class: "operation" }, head),
        [...rows.values()].map((group) => implementationRow(group, operation, modes)),
      );
    });
  const head = el("tr", {}, ["framework", "implementation", ...modes].map((text) => el("th", { scope: "col" }, text)));
  return el("table", { class: "matrix stacked implementations-matrix" }, el("thead", {}, head), bodies);
}

function implementationRow(results, operation, modes) {
  const [{ framework, implementation }] = results;
  const byMode = groupBy(results, (result) => result.mode);
  const cells = modes.map((mode) => {
    const modeCell = cell(byMode.get(mode), { framework, operation, implementation, mode }, { brief: true });
    modeCell.dataset.label = mode;
    return modeCell;
  });
  return el("tr", {}, el("td", { class: "quiet" }, framework), el("th", { scope: "row" }, breakable(implementation)), cells);
}

/** The dialects, the most frequent first, with the number of results per framework. */
function dialectsTable(results) {
  const dialects = byDialect(results);
  if (!dialects.length) return "";
  const frameworks = report.frameworks.map((framework) => framework.name);
  const head = ["dialect", "effect", ...frameworks].map((text) => el("th", { scope: "col" }, text));
  const lines = dialects.map(([dialect, group]) => {
    const byFramework = groupBy(group, (result) => result.framework);
    const cells = frameworks.map((framework) => {
      const number = byFramework.get(framework)?.length;
      const link = number ? linkTo({ view: "results", dialect, framework }, formatNumber(number)) : "–";
      return el("td", { class: "number", "data-label": framework }, link);
    });
    const link = el("th", { scope: "row" }, linkTo({ view: "results", dialect }, breakable(dialect)));
    return el("tr", {}, link, el("td", {}, report.dialects[dialect]?.summary ?? ""), cells);
  });
  return el("table", { class: "stacked dialects" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, lines));
}
