// The verdicts: each has a word, a shape and a colour, so that none of them is needed to tell it from the others.
// VERDICTS is what stands in verdicts.json.

// From what matters most to what matters least.
const WORST_FIRST = ["crash", "timeout", "error", "diverges", "dialect", "conforms", "unsupported"];
const BAD = new Set(["crash", "timeout", "error", "diverges"]);

/** The shape of a verdict. */
function shape(verdict) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: "shape", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  path.setAttribute("d", VERDICTS[verdict].shape);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

/** A verdict in its shape, word and colour. */
function badge(verdict, word = verdict) {
  return el("span", { class: `badge v-${verdict}` }, shape(verdict), el("span", {}, word));
}

/** How many results have each verdict, by verdict. */
function count(results) {
  const counts = {};
  for (const result of results) counts[result.verdict] = (counts[result.verdict] ?? 0) + 1;
  return counts;
}

/** The verdicts that there are, those that conform first. */
function present(counts) {
  return Object.keys(VERDICTS).filter((verdict) => counts[verdict]);
}

/** The worst of the verdicts that there are. */
function worst(counts) {
  return WORST_FIRST.find((verdict) => counts[verdict]);
}

/** Counts as numbers with their shapes, the words for those who do not see them. */
function tally(counts) {
  const parts = present(counts).map((verdict) =>
    el("span", { class: `count v-${verdict}` }, shape(verdict), number(counts[verdict]), unseen(` ${VERDICTS[verdict].many} `)),
  );
  return el("span", { class: "tally" }, parts);
}

/** Counts as a bar. */
function bar(counts) {
  const parts = present(counts).map((verdict) => {
    const part = el("span", { class: `part v-${verdict}` });
    part.style.flexGrow = counts[verdict];
    return part;
  });
  return el("span", { class: "bar", "aria-hidden": "true" }, parts);
}
