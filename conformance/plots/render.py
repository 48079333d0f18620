"""Write a picture as SVG or PNG: the same picture gives the same bytes."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

from .style import INK, Picture, in_style

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONTS = "'DejaVu Sans', Verdana, sans-serif"
# Where no page around says what colour text has: legible on a white ground and on a black one.
BETWEEN = "#767676"
SCHEMES = "svg{color:#222}@media (prefers-color-scheme:dark){svg{color:#ddd}}"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
# A hundredth of a point is not seen.
LONG = re.compile(r"-?\d+\.\d{3,}")
FAMILY = re.compile(r"font-family: [^;]*(; |$)")


def png(picture: Picture) -> bytes:
    """Return a picture as PNG, on white."""
    return _saved(picture, "png", {"Software": None, "Title": picture.title})


def svg(picture: Picture) -> bytes:
    """Return a picture as an SVG document without a ground, whose text is dark or light as the reader prefers."""
    root = _tree(picture, "nnconform")
    root.set("color", BETWEEN)
    style = ET.Element(f"{{{SVG}}}style")
    style.text = SCHEMES
    root.insert(2, style)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + _text(root).encode() + b"\n"


def inline_svg(picture: Picture, name: str) -> str:
    """Return a picture as an SVG element for an HTML page, whose text has the colour of the text around it.

    Args:
        picture: what is drawn.
        name: letters, digits and hyphens; every id begins with it, so that pictures of other names do not clash.
    """
    root = _tree(picture, name)
    root.set("style", "max-width:100%;height:auto")
    return _text(root)


def _saved(picture: Picture, kind: str, metadata: dict[str, str | None]) -> bytes:
    file = io.BytesIO()
    with in_style():
        picture.figure.savefig(file, format=kind, metadata=metadata, transparent=kind == "svg")
    return file.getvalue()


def _tree(picture: Picture, name: str) -> ET.Element:
    """Return the SVG element of a picture, told in words, with ids that begin with ``name``."""
    root = ET.fromstring(_saved(picture, "svg", {"Date": None, "Creator": None, "Format": None, "Type": None}))
    _drop_shared(root)
    used = _used(root)
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        _own(element, name)
        # Indentation, a fifth of the bytes.
        element.text, element.tail = (t if t and t.strip() else None for t in (element.text, element.tail))
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for place, (tag, part, text) in enumerate(
        [("title", "title", picture.title), ("desc", "description", picture.description)]
    ):
        told = ET.Element(f"{{{SVG}}}{tag}", {"id": f"{name}-{part}"})
        told.text = text
        root.insert(place, told)
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt", "font-family": FONTS}
    return root


def _drop_shared(root: ET.Element) -> None:
    """Drop what would hold for a whole page (rules for every element), and metadata that say nothing."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}style", f"{{{SVG}}}metadata"):
                parent.remove(child)


def _used(root: ET.Element) -> set[str]:
    """Return the ids that something refers to."""
    values = [(key, value) for element in root.iter() for key, value in element.attrib.items()]
    links = {value.removeprefix("#") for key, value in values if key == f"{{{XLINK}}}href"}
    return links | {found for _, value in values for found in REFERENCE.findall(value)}


def _own(element: ET.Element, name: str) -> None:
    """Give an element's ids, and what refers to ids, a name of its own; take its colour and font from around it."""
    for key, value in list(element.attrib.items()):
        if key == "id":
            value = f"{name}-{value}"
        elif key == f"{{{XLINK}}}href":
            value = f"#{name}-{value.removeprefix('#')}"
        elif key == "style":
            value = FAMILY.sub("", value).replace(INK, "currentColor")
        elif key in ("d", "x", "y"):
            value = LONG.sub(lambda found: f"{float(found[0]):.2f}", value)
        element.set(key, REFERENCE.sub(rf"url(#{name}-\1)", value))


def _text(root: ET.Element) -> str:
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")
