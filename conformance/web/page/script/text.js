// Numbers and texts as the page shows them.

/** A number of the report; a whole one with separators. One that is not finite is a word in the report. */
function formatNumber(value) {
  if (typeof value === "string") return value;
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toLocaleString("en-US") : String(value);
}

/** A number with its noun. */
function countOf(value, noun) {
  return `${formatNumber(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A long name that may break between its parts. */
function breakable(text) {
  return text
    .split(/(?<=[_./(+])(?=[A-Za-z])/)
    .flatMap((part, position) => (position ? [document.createElement("wbr"), part] : [part]));
}

/** A line of Markdown: code, emphasis, and the texts of links, whose targets are not on this page. */
function inlineMarkdown(markdown) {
  const plain = markdown.replace(/\[([^\]]+)\]\([^)]*\)/g, "$1");
  return plain.split(/(`+[^`]+`+)/).map((part) => {
    if (part.startsWith("`")) return el("code", {}, part.replaceAll("`", ""));
    return part.split(/\*([^*\s][^*]*)\*(?!\w)/).map((text, position) => (position % 2 ? el("em", {}, text) : text));
  });
}

/** The blocks of a clause (spec_texts.py). */
function markdownBlocks(blocks) {
  const list = (tag) => (items) => el(tag, {}, items.map((item) => el("li", {}, inlineMarkdown(item))));
  const makers = {
    p: (text) => el("p", {}, inlineMarkdown(text)),
    pre: (text) => el("pre", { tabindex: 0 }, text),
    ul: list("ul"),
    ol: list("ol"),
    table: ([head, ...rows]) =>
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, inlineMarkdown(cell))))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, inlineMarkdown(cell)))))),
      ),
  };
  return blocks.map(([kind, content]) => makers[kind](content));
}

/** The first line of a text, shortened if it is long. */
function firstLine(text) {
  const line = text.trim().split("\n", 1)[0];
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
