// Elements of the page. Text is always set as text: nothing in a report is ever parsed as markup.

/** Make an element with attributes (left out if false or undefined) and children: elements, texts, lists of them. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...nonempty(children));
  return element;
}

/** Children in one list, without empty ones. */
function nonempty(children) {
  return children.flat(Infinity).filter((child) => child !== "" && child != null);
}

/** A text for screen readers alone. */
function hiddenText(text) {
  return el("span", { class: "hidden" }, text);
}

/** A section with a heading of the second level; nothing if it has no content. */
function section(title, ...children) {
  const content = nonempty(children);
  return content.length ? el("section", {}, el("h2", {}, title), content) : "";
}

/** A definition list of [label, content], without empty contents. */
function fields(pairs) {
  const shown = pairs.filter(([, content]) => content != null && content !== "" && content.length !== 0);
  return shown.length ? el("dl", {}, shown.map(([label, content]) => [el("dt", {}, label), el("dd", {}, content)])) : "";
}

/** An element that may be wider than the screen, in a region that scrolls, by keyboard too. */
function scrollable(label, child) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, child);
}

/** A text with a label and a button that copies it. */
function copyable(text, label) {
  const button = el("button", { type: "button" }, "Copy", hiddenText(` the ${label}`));
  const pre = el("pre", { tabindex: 0, "aria-label": label }, text);
  button.addEventListener("click", async () => {
    const done = await copyText(text, pre);
    announce(done ? `Copied the ${label}` : "Not copied: the browser does not allow it; the text is selected");
    button.firstChild.data = done ? "Copied" : "Selected";
    setTimeout(() => (button.firstChild.data = "Copy"), 2000);
  });
  return el("div", { class: "copyable" }, el("p", {}, el("span", { class: "quiet" }, label), button), pre);
}

/** Copy a text; if the page may not use the clipboard, select its element and copy the selection. */
async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}

/** Announce a change to screen readers. */
function announce(text) {
  document.getElementById("announcement").textContent = text;
}
