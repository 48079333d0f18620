// The spec's texts: dialects and clauses; and the script that reproduces a result.

/** The dialects that explain a result, with their clauses. */
function explanation(result) {
  const known = [...result.dialects].filter((dialect) => report.dialects[dialect]);
  return known.length ? section("Explanation", known.map(dialectCard)) : "";
}

function dialectCard(name) {
  const dialect = report.dialects[name];
  return el(
    "article",
    { class: "dialect" },
    el("h3", {}, linkTo({ view: "results", dialect: name }, breakable(name)), " ", el("small", {}, `${dialect.kind} dialect`)),
    el("p", {}, inlineMarkdown(dialect.summary)),
    fields([
      ["formula", el("code", {}, dialect.formula)],
      ["consequence", inlineMarkdown(dialect.consequence)],
      ["remedy", dialect.remedy && inlineMarkdown(dialect.remedy)],
      ["how to adopt it", dialect.adopt && inlineMarkdown(dialect.adopt)],
      ["departs from", dialect.departs_from.map((id) => clause(id, { open: dialect.departs_from.length < 3 }))],
      ["sources", el("ul", {}, dialect.source.map((source) => el("li", {}, sourceText(source))))],
    ]),
  );
}

/** A source, as a link if it is one. */
function sourceText(source) {
  return /^https:\/\/\S+$/.test(source) ? el("a", { href: source, rel: "noreferrer" }, breakable(source)) : inlineMarkdown(source);
}

/** A clause of the spec, folded. */
function clause(id, { open = false } = {}) {
  const text = report.clauses[id];
  if (!text) return el("p", {}, id);
  return el(
    "details",
    { class: "clause", open },
    el("summary", {}, el("b", {}, id), `: ${text.title}`),
    markdownBlocks(text.blocks),
    el("p", { class: "quiet" }, `spec/${text.page}`),
  );
}

let scripts;

/** The command that writes a result's script, and the script if the page has it. */
function reproducer(result) {
  const { vector, framework, implementation, mode } = result;
  if (!vector.asks) {
    return el("p", {}, "There is no script for this result, because its vector is not published or has changed since the run.");
  }
  if (!result.hasScript) {
    const command = ["nnconform explain", shellQuoted(vector.id)].join(" ");
    return [
      el("p", {}, "There is no script for this result, because nnconform does not know how to call its API. To see the vector's inputs and expected values:"),
      copyable(command, "command that explains the vector"),
    ];
  }
  const words = [vector.id, framework, "--implementation", implementation, "--mode", mode].map(shellQuoted);
  const issue = result.profile === DEFAULTS ? "" : "; with --issue, the text of an issue";
  const place = el("div", {}, el("p", { class: "quiet" }, "Loading the script…"));
  scripts ??= unpack("scripts");
  scripts.then((loaded) => place.replaceChildren(scriptOf(loaded, result)));
  return [copyable(["nnconform reproduce", ...words].join(" "), `command that writes a script for this result${issue}`), place];
}

function scriptOf(loaded, result) {
  const text = loaded[result.position];
  if (text) return copyable(text, "script that shows this result with the framework and NumPy only");
  return el("p", { class: "quiet" }, "This page does not have the script; the command writes it.");
}

/** A name as one word of a shell. */
function shellQuoted(text) {
  if (/^[\w.@%+=:,/-]+$/.test(text)) return text;
  return /["$`\\!]/.test(text) || !text.includes("'") ? `'${text.replaceAll("'", `'"'"'`)}'` : `"${text}"`;
}
