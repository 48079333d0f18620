// What is shown stands in the address, after #: the view, the filters, and the vector.

const FILTERS = {
  framework: { title: "Framework", of: (result) => [result.framework] },
  operation: { title: "Operation", of: (result) => [result.operation] },
  implementation: { title: "Implementation", of: (result) => [result.implementation] },
  mode: { title: "Mode", of: (result) => [result.mode] },
  profile: {
    title: "Profile",
    of: (result) => (result.profile === "defaults" ? ["defaults"] : [GIVEN, result.profile]),
  },
  verdict: { title: "Verdict", of: (result) => [result.verdict] },
  dialect: { title: "Dialect", of: (result) => [...result.dialects] },
  clause: { title: "Clause", of: (result) => result.vector.clauses ?? [] },
};
// All profiles in which the caller gives the hyperparameters.
const GIVEN = "not-defaults";
const KEYS = ["view", ...Object.keys(FILTERS), "text", "vector", "by"];

/** What the address says. */
function state() {
  const said = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(KEYS.map((key) => [key, said.get(key) ?? ""]));
}

/** The address of the same with changes; of a vector, only where they say so. */
function address(changes) {
  const wanted = { ...state(), vector: "", by: "", ...changes };
  const told = KEYS.filter((key) => wanted[key]).map((key) => [key, wanted[key]]);
  return `#${new URLSearchParams(told)}`;
}

/** A link to the same with changes. */
function to(changes, ...children) {
  return el("a", { href: address(changes) }, children);
}

/** A link to what an implementation gave on a vector. */
function toResult(result, ...children) {
  return to({ view: "vector", vector: result.vector.id, by: `${result.framework}: ${result.label}` }, children);
}

/** The results that the filters leave; those of all filters but one, where one is named. */
function filtered(wanted, but = "") {
  const active = Object.entries(FILTERS).filter(([key]) => wanted[key] && key !== but);
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  return report.results.filter(
    (result) =>
      active.every(([key, filter]) => filter.of(result).includes(wanted[key])) &&
      words.every((word) => result.vector.id.toLowerCase().includes(word)),
  );
}

/** Whether anything is filtered. */
function isFiltered(wanted) {
  return Boolean(wanted.text) || Object.keys(FILTERS).some((key) => wanted[key]);
}
