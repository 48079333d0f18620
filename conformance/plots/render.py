"""Plots as SVG and PNG; the same plot gives the same bytes."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

from .style import INK, Plot, in_style

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONTS = "'DejaVu Sans', Verdana, sans-serif"
# The colour of text without a page around it: legible on white and on black.
BETWEEN = "#767676"
SCHEMES = "svg{color:#222}@media (prefers-color-scheme:dark){svg{color:#ddd}}"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
# Nobody sees a hundredth of a point.
LONG = re.compile(r"-?\d+\.\d{3,}")
FAMILY = re.compile(r"font-family: [^;]*(; |$)")


def png(plot: Plot) -> bytes:
    """Return a plot as PNG, on white."""
    return _saved(plot, "png", {"Software": None, "Title": plot.title})


def svg(plot: Plot) -> bytes:
    """Return a plot as an SVG document without a ground, with dark or light text as the reader prefers."""
    root = _tree(plot, "nnconform")
    root.set("color", BETWEEN)
    style = ET.Element(f"{{{SVG}}}style")
    style.text = SCHEMES
    root.insert(2, style)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + _text(root).encode() + b"\n"


def inline_svg(plot: Plot, name: str) -> str:
    """Return a plot as an SVG element for an HTML page, in the colour of the text around it.

    Args:
        plot: to encode.
        name: letters, digits and hyphens; every id begins with it, so that the plots of a page do not clash.
    """
    root = _tree(plot, name)
    root.set("style", "max-width:100%;height:auto")
    return _text(root)


def _saved(plot: Plot, kind: str, metadata: dict[str, str | None]) -> bytes:
    file = io.BytesIO()
    with in_style():
        plot.figure.savefig(file, format=kind, metadata=metadata, transparent=kind == "svg")
    return file.getvalue()


def _tree(plot: Plot, name: str) -> ET.Element:
    """Return the SVG element of a plot with its title and description, and with ids that begin with ``name``."""
    root = ET.fromstring(_saved(plot, "svg", {"Date": None, "Creator": None, "Format": None, "Type": None}))
    _drop_shared(root)
    used = _used(root)
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        _localize(element, name)
        # Indentation, a fifth of the bytes.
        element.text, element.tail = (t if t and t.strip() else None for t in (element.text, element.tail))
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for position, (tag, part, text) in enumerate(
        [("title", "title", plot.title), ("desc", "description", plot.description)]
    ):
        child = ET.Element(f"{{{SVG}}}{tag}", {"id": f"{name}-{part}"})
        child.text = text
        root.insert(position, child)
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt", "font-family": FONTS}
    return root


def _drop_shared(root: ET.Element) -> None:
    """Remove style rules, which would apply to a whole page, and metadata."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}style", f"{{{SVG}}}metadata"):
                parent.remove(child)


def _used(root: ET.Element) -> set[str]:
    """Return the ids that are referred to."""
    values = [(key, value) for element in root.iter() for key, value in element.attrib.items()]
    links = {value.removeprefix("#") for key, value in values if key == f"{{{XLINK}}}href"}
    return links | {reference for _, value in values for reference in REFERENCE.findall(value)}


def _localize(element: ET.Element, name: str) -> None:
    """Put a name before an element's ids and references, and take its colour and font from the page."""
    for key, value in list(element.attrib.items()):
        if key == "id":
            value = f"{name}-{value}"
        elif key == f"{{{XLINK}}}href":
            value = f"#{name}-{value.removeprefix('#')}"
        elif key == "style":
            value = FAMILY.sub("", value).replace(INK, "currentColor")
        elif key in ("d", "x", "y"):
            value = LONG.sub(lambda match: f"{float(match[0]):.2f}", value)
        element.set(key, REFERENCE.sub(rf"url(#{name}-\1)", value))


def _text(root: ET.Element) -> str:
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")
