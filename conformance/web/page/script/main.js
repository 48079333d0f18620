// What is drawn when the address changes, and the filters that change it.

const VIEWS = { "": overview, results: resultsView, vector: vectorView };

/** Make the filters; they are filled anew whenever something is drawn. */
function makeFilters() {
  const controls = Object.entries(FILTERS).map(([key, { title }]) => {
    const select = el("select", { id: `filter-${key}`, name: key });
    select.addEventListener("change", () => choose({ [key]: select.value }));
    return el("div", {}, el("label", { for: select.id }, title), select);
  });
  const text = el("input", { id: "filter-text", type: "search", autocomplete: "off", spellcheck: "false" });
  // Not one address for each letter.
  text.addEventListener("input", () => {
    history.replaceState(null, "", address(atResults({ text: text.value })));
    draw({ typed: true });
  });
  controls.push(el("div", {}, el("label", { for: text.id }, "Vector has"), text));
  const clear = el("a", { id: "clear", href: "#" }, "Clear all filters");
  const form = el("div", { class: "controls" }, controls, el("div", {}, clear));
  const wide = matchMedia("(min-width: 60rem)").matches;
  document.getElementById("filters").append(
    el("details", { open: wide }, el("summary", {}, "Filters", el("span", { id: "active" })), form),
  );
}

/** Changes made at the filters of a vector's page show results, which are what is filtered. */
function atResults(changes) {
  return state().view === "vector" ? { view: "results", ...changes } : changes;
}

function choose(changes) {
  location.hash = address(atResults(changes));
}

/** Fill the filters with what there is: of each, the values that the other filters leave, with how many results. */
function fillFilters(wanted) {
  for (const [key, filter] of Object.entries(FILTERS)) {
    const counts = new Map();
    for (const result of filtered(wanted, key)) {
      for (const value of filter.of(result)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    if (wanted[key] && !counts.has(wanted[key])) counts.set(wanted[key], 0);
    const select = document.getElementById(`filter-${key}`);
    const options = [...counts].map(([value, found]) => {
      const many = value === wanted[key] ? "" : ` (${number(found)})`;
      return el("option", { value }, `${wordOf(value)}${many}`);
    });
    select.replaceChildren(el("option", { value: "" }, "all"), ...options);
    select.value = wanted[key];
    select.classList.toggle("set", Boolean(wanted[key]));
  }
  const text = document.getElementById("filter-text");
  if (document.activeElement !== text) text.value = wanted.text;
  const active = [...Object.keys(FILTERS), "text"].filter((key) => wanted[key]);
  document.getElementById("active").textContent = active.length ? ` (${active.map((key) => wordOf(wanted[key])).join(", ")})` : "";
  const kept = wanted.view === "results" ? "#view=results" : "#";
  document.getElementById("clear").setAttribute("href", kept);
  document.getElementById("clear").hidden = !active.length;
}

function wordOf(value) {
  return value === GIVEN ? "not defaults" : value;
}

let drawn = { view: "", vector: "" };

/** Draw what the address says. */
function draw({ typed = false, first = false } = {}) {
  const wanted = state();
  const view = VIEWS[wanted.view] ?? overview;
  fillFilters(wanted);
  const main = document.getElementById("main");
  main.replaceChildren(...view(wanted).filter((part) => part !== "").flat(Infinity));
  const plots = document.getElementById("plots");
  if (plots) plots.hidden = view !== overview;
  const heading = main.querySelector("h2").textContent;
  document.title = `${report.complete ? "" : "Incomplete: "}${heading} - nnconform report`;
  const moved = wanted.view !== drawn.view || wanted.vector !== drawn.vector || wanted.by !== drawn.by;
  drawn = wanted;
  if (moved && !typed && !first) {
    scrollTo(0, 0);
    main.querySelector("h2").focus({ preventScroll: true });
  }
  // For whoever drives the page and must know what it shows by now.
  document.documentElement.dataset.drawn = location.hash;
  announce(`${heading}: ${counted(filtered(wanted).length, "result")}`);
}

/** Open what is folded while the page is printed: paper cannot be clicked. */
function openForPrint() {
  const folded = [...document.querySelectorAll("main details:not([open])")];
  for (const details of folded) details.open = true;
  addEventListener("afterprint", () => folded.forEach((details) => (details.open = false)), { once: true });
}

/** Show the plots, which are half of the page and are not waited for. */
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
  // After the results have been painted.
  requestAnimationFrame(() => setTimeout(showPlots));
}

start().catch((error) => {
  document.getElementById("main").textContent = `This page cannot show its results: ${error.message}`;
  throw error;
});
