// The verdicts: counts, and the elements that page.html has as templates. VERDICTS, WORST_FIRST and FAILING are in page.py.

/** A copy of a verdict's template: shape, badge, count or part. */
function copyOf(kind, verdict) {
  return document.getElementById(`${kind}-${verdict}`).content.firstElementChild.cloneNode(true);
}

/** The shape of a verdict. */
function shape(verdict) {
  return copyOf("shape", verdict);
}

/** A verdict as shape, word and colour. */
function badge(verdict) {
  return copyOf("badge", verdict);
}

/** The number of results with each verdict, by verdict. */
function count(results) {
  const counts = {};
  for (const result of results) counts[result.verdict] = (counts[result.verdict] ?? 0) + 1;
  return counts;
}

/** The verdicts that are counted, the best first. */
function present(counts) {
  return Object.keys(VERDICTS).filter((verdict) => counts[verdict]);
}

/** The worst verdict that is counted. */
function worst(counts) {
  return WORST_FIRST.find((verdict) => counts[verdict]);
}

/** Counts as numbers with shapes. */
function tally(counts) {
  const parts = present(counts).map((verdict) => {
    const part = copyOf("count", verdict);
    part.querySelector("svg").after(formatNumber(counts[verdict]));
    return part;
  });
  return el("span", { class: "tally" }, parts);
}

/** Counts as a bar. */
function bar(counts) {
  const parts = present(counts).map((verdict) => {
    const part = copyOf("part", verdict);
    part.style.flexGrow = counts[verdict];
    return part;
  });
  return el("span", { class: "bar", "aria-hidden": "true" }, parts);
}
