// The verdicts: each has a word, a shape and a colour, so that none of them is needed to tell it from the others.

const VERDICTS = {
  conforms: {
    many: "conform",
    means: "inside the error bound of the exact value",
    shape: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM6.9 11.6 3.6 8.3l1.3-1.3 2 2 4.2-4.2 1.3 1.3z",
  },
  dialect: {
    many: "by dialect",
    means: "a named dialect gives exactly this",
    shape: "M8 .5 15.5 8 8 15.5.5 8z",
  },
  diverges: { many: "diverge", means: "nothing explains it", shape: "M8 1 15.7 14.5H.3z" },
  error: { many: "raised errors", means: "an error where the clause has a value, or the reverse", shape: "M2 2h12v12H2z" },
  crash: {
    many: "crashed",
    means: "the process died",
    shape: "M3.5 1 8 5.5 12.5 1 15 3.5 10.5 8l4.5 4.5-2.5 2.5L8 10.5 3.5 15 1 12.5 5.5 8 1 3.5z",
  },
  timeout: { many: "timed out", means: "no answer came in time", shape: "M3 1h10L9.3 8l3.7 7H3l3.7-7z" },
  unsupported: {
    many: "unsupported",
    means: "the framework has no such thing",
    shape: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2a5 5 0 1 1 0 10A5 5 0 0 1 8 3z",
  },
};

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
