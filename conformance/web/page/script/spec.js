// What the spec says: dialects and clauses; and the reproducer of a result.

/** The dialects that explain a result, each with its clauses. */
function explanations(result) {
  const known = [...result.dialects].filter((dialect) => report.dialects[dialect]);
  return known.length ? section("Why", known.map(dialectCard)) : "";
}

function dialectCard(dialect) {
  const said = report.dialects[dialect];
  return el(
    "article",
    { class: "dialect" },
    el("h3", {}, to({ view: "results", dialect }, name(dialect)), " ", el("small", {}, `${said.kind} dialect`)),
    el("p", {}, line(said.summary)),
    fields([
      ["formula", el("code", {}, said.formula)],
      ["it means", line(said.consequence)],
      ["remedy", said.remedy && line(said.remedy)],
      ["to adopt it", said.adopt && line(said.adopt)],
      ["departs from", said.departs_from.map((id) => clause(id, { open: said.departs_from.length < 3 }))],
      ["sources", el("ul", {}, said.source.map((source) => el("li", {}, sourceText(source))))],
    ]),
  );
}

/** A source as a link, where it is one. */
function sourceText(source) {
  return /^https:\/\/\S+$/.test(source) ? el("a", { href: source, rel: "noreferrer" }, name(source)) : line(source);
}

/** A clause of the spec, folded. */
function clause(id, { open = false } = {}) {
  const said = report.clauses[id];
  if (!said) return el("p", {}, id);
  return el(
    "details",
    { class: "clause", open },
    el("summary", {}, el("b", {}, id), `: ${said.title}`),
    blocks(said.blocks),
    el("p", { class: "quiet" }, `spec/${said.page}`),
  );
}

let scripts;

/** How to see a result without this suite: the command that writes a script, and the script where it is here. */
function reproducer(result) {
  const { vector, framework, implementation, mode } = result;
  if (!vector.asks) return el("p", {}, "No script can be written of it, since its vector is not among the published ones as they are now.");
  if (!result.written) {
    const why = "No script can be written of it, since its API is not known here. The vector's inputs and expected values:";
    return [el("p", {}, why), copyable(["nnconform explain", quoted(vector.id)].join(" "), "command that explains the vector")];
  }
  const words = [vector.id, framework, "--implementation", implementation, "--mode", mode].map(quoted);
  const label = `command that writes a script of this result${result.profile === DEFAULTS ? "" : ", or an issue with --issue"}`;
  const place = el("div", {}, el("p", { class: "quiet" }, "Reading the script…"));
  scripts ??= unpack("scripts");
  scripts.then((found) => place.replaceChildren(scriptOf(found, result)));
  return [copyable(["nnconform reproduce", ...words].join(" "), label), place];
}

function scriptOf(found, result) {
  const text = found[result.place];
  if (text) return copyable(text, "script that shows this result, with nothing but the framework and NumPy");
  return el("p", { class: "quiet" }, "No script of this result is kept here.");
}

/** A name as a shell takes it. */
function quoted(text) {
  if (/^[\w.@%+=:,/-]+$/.test(text)) return text;
  return /["$`\\!]/.test(text) || !text.includes("'") ? `'${text.replaceAll("'", `'"'"'`)}'` : `"${text}"`;
}
