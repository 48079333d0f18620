// Elements of the page. Text is always given as text: nothing that a report says is ever read as markup.

/** Make an element with attributes (left out where false or undefined) and children: elements, texts, lists of them. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== "" && child != null));
  return made;
}

/** A text that only screen readers tell. */
function unseen(text) {
  return el("span", { class: "hidden" }, text);
}

/** A section with a heading of the second level, or nothing where it has no content. */
function section(title, ...children) {
  const content = children.flat(Infinity).filter((child) => child !== "" && child != null);
  return content.length ? el("section", {}, el("h2", {}, title), content) : "";
}

/** A definition list of [label, content], without those that have no content. */
function fields(pairs) {
  const told = pairs.filter(([, content]) => content != null && content !== "" && content.length !== 0);
  return told.length ? el("dl", {}, told.map(([label, content]) => [el("dt", {}, label), el("dd", {}, content)])) : "";
}

/** What may be wider than the screen: it is scrolled on its own, by keyboard too. */
function scrolling(label, child) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, child);
}

/** A text to copy, with what it is and a button that copies it. */
function copyable(text, label) {
  const button = el("button", { type: "button" }, "Copy", unseen(` the ${label}`));
  const pre = el("pre", { tabindex: 0, "aria-label": label }, text);
  button.addEventListener("click", async () => {
    const done = await copied(text, pre);
    announce(done ? `Copied the ${label}` : "Not copied: the browser does not allow it; the text is selected");
    button.firstChild.data = done ? "Copied" : "Selected";
    setTimeout(() => (button.firstChild.data = "Copy"), 2000);
  });
  return el("div", { class: "copyable" }, el("p", {}, el("span", { class: "quiet" }, label), button), pre);
}

/** Copy a text; where the page may not use the clipboard, by way of what is selected. */
async function copied(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(shown);
    return document.execCommand("copy");
  }
}

/** Tell screen readers what changed. */
function announce(text) {
  document.getElementById("said").textContent = text;
}
