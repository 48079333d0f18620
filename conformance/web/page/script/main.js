// The page follows its address: the view, and the filters that change it.

const VIEWS = { "": overviewView, results: resultsView, vector: vectorView };

/** Make the filters; their options are set each time a view is drawn. */
function makeFilters() {
  const controls = Object.entries(FILTERS).map(([key, { title }]) => {
    const select = el("select", { id: `filter-${key}`, name: key });
    select.addEventListener("change", () => (location.hash = addressWith(showingResults({ [key]: select.value }))));
    return el("div", {}, el("label", { for: select.id }, title), select);
  });
  const text = el("input", { id: "filter-text", type: "search", autocomplete: "off", spellcheck: "false" });
  // The letters of a word are one entry in the browser's history.
  text.addEventListener("input", () => {
    history.replaceState(null, "", addressWith(showingResults({ text: text.value })));
    draw({ typing: true });
  });
  controls.push(el("div", {}, el("label", { for: text.id }, "Vector contains"), text));
  const clear = el("a", { id: "clear", href: "#" }, "Clear all filters");
  const form = el("div", { class: "controls" }, controls, el("div", {}, clear));
  const wide = matchMedia("(min-width: 60rem)").matches;
  document.getElementById("filters").append(
    el("details", { open: wide }, el("summary", {}, "Filters", el("span", { id: "active" })), form),
  );
}

/** Changes of the filters; on the page of a vector they lead to the results. */
function showingResults(changes) {
  return readState().view === "vector" ? { view: "results", ...changes } : changes;
}

/** Set the options of each filter: the values that the other filters leave, with the number of their results. */
function fillFilters(state) {
  for (const [key, filter] of Object.entries(FILTERS)) {
    const counts = new Map();
    for (const result of matching(state, key)) {
      for (const value of filter.valuesOf(result)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    if (state[key] && !counts.has(state[key])) counts.set(state[key], 0);
    const select = document.getElementById(`filter-${key}`);
    const options = [...counts].map(([value, results]) => {
      const number = value === state[key] ? "" : ` (${formatNumber(results)})`;
      return el("option", { value }, `${filterLabel(value)}${number}`);
    });
    select.replaceChildren(el("option", { value: "" }, "all"), ...options);
    select.value = state[key];
    select.classList.toggle("set", Boolean(state[key]));
  }
  const text = document.getElementById("filter-text");
  if (document.activeElement !== text) text.value = state.text;
  const active = [...Object.keys(FILTERS), "text"].filter((key) => state[key]).map((key) => filterLabel(state[key]));
  document.getElementById("active").textContent = active.length ? ` (${active.join(", ")})` : "";
  const clear = document.getElementById("clear");
  clear.setAttribute("href", state.view === "results" ? "#view=results" : "#");
  clear.hidden = !active.length;
}

function filterLabel(value) {
  return value === NOT_DEFAULTS ? "not defaults" : value;
}

let lastState = { view: "", vector: "" };

/** Draw the view of the address. */
function draw({ typing = false, first = false } = {}) {
  const state = readState();
  const view = VIEWS[state.view] ?? overviewView;
  fillFilters(state);
  const main = document.getElementById("main");
  main.replaceChildren(...nonempty(view(state)));
  const plots = document.getElementById("plots");
  if (plots) plots.hidden = view !== overviewView;
  const heading = main.querySelector("h2").textContent;
  document.title = `${report.complete ? "" : "Incomplete: "}${heading} - nnconform report`;
  const moved = ["view", "vector", "by"].some((key) => state[key] !== (lastState[key] ?? ""));
  lastState = state;
  if (moved && !typing && !first) {
    scrollTo(0, 0);
    main.querySelector("h2").focus({ preventScroll: true });
  }
  // For programs that drive the page.
  document.documentElement.dataset.drawn = location.hash;
  announce(`${heading}: ${countOf(matching(state).length, "result")}`);
}

/** Open folded parts while the page is printed. */
function openForPrint() {
  const folded = [...document.querySelectorAll("main details:not([open])")];
  for (const details of folded) details.open = true;
  addEventListener("afterprint", () => folded.forEach((details) => (details.open = false)), { once: true });
}

/** Show the plots, which are half of the page, after the results. */
function showPlots() {
  const plots = document.querySelector("#plots template");
  if (plots) plots.replaceWith(plots.content);
  document.documentElement.dataset.whole = "";
}

async function start() {
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });
  await readReport();
  makeFilters();
  draw({ first: true });
  addEventListener("hashchange", () => draw());
  addEventListener("beforeprint", openForPrint);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
  // After the browser has painted the results.
  requestAnimationFrame(() => setTimeout(showPlots));
}

start().catch((error) => {
  document.getElementById("main").textContent = `This page cannot show its results: ${error.message}`;
  throw error;
});
