// The state of the page is in its address, after #: the view, the filters and the vector.

const FILTERS = {
  framework: { title: "Framework", valuesOf: (result) => [result.framework] },
  operation: { title: "Operation", valuesOf: (result) => [result.operation] },
  implementation: { title: "Implementation", valuesOf: (result) => [result.implementation] },
  mode: { title: "Mode", valuesOf: (result) => [result.mode] },
  profile: {
    title: "Profile",
    valuesOf: ({ profile }) => (profile === DEFAULTS ? [DEFAULTS] : [NOT_DEFAULTS, profile]),
  },
  verdict: { title: "Verdict", valuesOf: (result) => [result.verdict] },
  dialect: { title: "Dialect", valuesOf: (result) => [...result.dialects] },
  clause: { title: "Clause", valuesOf: (result) => result.vector.clauses ?? [] },
};
// The profile in which the framework chooses the hyperparameters, and all others.
const DEFAULTS = "defaults";
const NOT_DEFAULTS = "not-defaults";
const KEYS = ["view", ...Object.keys(FILTERS), "text", "vector", "by"];

/** The state in the address. */
function readState() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(KEYS.map((key) => [key, parameters.get(key) ?? ""]));
}

/** The address of this state with changes; a vector is kept only if it is among them. */
function addressWith(changes) {
  const state = { ...readState(), vector: "", by: "", ...changes };
  return `#${new URLSearchParams(KEYS.filter((key) => state[key]).map((key) => [key, state[key]]))}`;
}

/** A link to this state with changes. */
function linkTo(changes, ...children) {
  return el("a", { href: addressWith(changes) }, children);
}

/** A link to a result on its vector. */
function linkToResult(result, ...children) {
  return linkTo({ view: "vector", vector: result.vector.id, by: `${result.framework}: ${result.label}` }, children);
}

/** The results that match the filters, except for one filter if it is named. */
function matching(state, exception = "") {
  const active = Object.entries(FILTERS).filter(([key]) => state[key] && key !== exception);
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  return report.results.filter(
    (result) =>
      active.every(([key, filter]) => filter.valuesOf(result).includes(state[key])) &&
      words.every((word) => result.vector.id.toLowerCase().includes(word)),
  );
}

/** Whether a filter is set. */
function isFiltered(state) {
  return Boolean(state.text) || Object.keys(FILTERS).some((key) => state[key]);
}
