// Numbers and texts, as they are shown.

/** A number as it stands in the report; a whole one with separators. What is not finite is a word there. */
function number(value) {
  if (typeof value === "string") return value;
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toLocaleString("en-US") : String(value);
}

/** A number with its noun. */
function counted(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A long name, which may be broken where its parts meet. */
function name(text) {
  return text
    .split(/(?<=[_./(+])(?=[A-Za-z])/)
    .flatMap((part, place) => (place ? [document.createElement("wbr"), part] : [part]));
}

/** A line of Markdown: code and links, whose targets are pages that are not here, so that their texts are left. */
function line(markdown) {
  const plain = markdown.replace(/\[([^\]]+)\]\([^)]*\)/g, "$1");
  return plain.split(/(`+[^`]+`+)/).map((part) => {
    if (part.startsWith("`")) return el("code", {}, part.replaceAll("`", ""));
    return part.split(/\*([^*\s][^*]*)\*(?!\w)/).map((text, place) => (place % 2 ? el("em", {}, text) : text));
  });
}

/** Blocks of Markdown (spec_texts.py). */
function blocks(found) {
  const list = (tag) => (items) => el(tag, {}, items.map((item) => el("li", {}, line(item))));
  const makers = {
    p: (text) => el("p", {}, line(text)),
    pre: (text) => el("pre", { tabindex: 0 }, text),
    ul: list("ul"),
    ol: list("ol"),
    table: ([head, ...rows]) =>
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, line(cell))))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, line(cell)))))),
      ),
  };
  return found.map(([kind, content]) => makers[kind](content));
}

/** The first line of a text, cut where it is long. */
function firstLine(text) {
  const first = text.trim().split("\n", 1)[0];
  return first.length > 160 ? `${first.slice(0, 157)}...` : first;
}
