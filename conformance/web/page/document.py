"""The HTML report: a template, its style and script, and the data that the script shows."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from nnconform.conformance.ci import markdown
from nnconform.conformance.explain import vector
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.verdicts import FAILING, SEVERITY, VERDICTS
from nnconform.conformance.numbers import Json
from nnconform.conformance.web import templates

from . import page_data, reproducers, spec_texts

STYLES = ("base.css", "page/page.css")
# Each uses the ones before it.
SCRIPTS = (
    "elements",
    "verdicts",
    "text",
    "report",
    "address",
    "overview",
    "results_table",
    "results",
    "vector",
    "spec",
    "main",
)


def with_plots(report: Report, *, home: str = "") -> str:
    """Return the page of a report, with plots if matplotlib is installed (the extra ``plot``).

    Args:
        report: of a run.
        home: the address of the site that the page belongs to.
    """
    from nnconform.conformance.plots import catalogue

    try:
        return of_report(report, plots=catalogue.inline_svgs(report), home=home)
    except catalogue.MissingMatplotlib:
        return of_report(report, home=home)


def of_report(report: Report, *, plots: Mapping[str, str] | None = None, home: str = "") -> str:
    """Return a report as one HTML file that needs no other file and no network.

    Args:
        report: of a run.
        plots: SVG elements by title; their text is escaped already.
        home: the address of the site that the page belongs to; "" if there is none.
    """
    script = _script()
    published = spec_texts.published_vectors(report.asked)
    return templates.render(
        "page.html",
        report=report,
        home=home,
        counts=Counter(result.verdict for result in report.results),
        troubles=list(markdown.troubles(report)),
        selection=[f"{key} {', '.join(values)}" for key, values in report.selection.items()],
        style="".join(map(templates.read_text, STYLES)),
        script=script,
        digest=_digest(script),
        data=_packed(page_data.of_report(report, published)),
        scripts=_packed(reproducers.of_report(report, published)),
        plots={title: _inline(svg) for title, svg in (plots or {}).items()},
    )


def _script() -> str:
    """Return the page's script, with its constants."""
    words = {name: {"many": verdict.plural, "means": verdict.meaning} for name, verdict in VERDICTS.items()}
    constants = {
        "VERDICTS": words,
        "WORST_FIRST": SEVERITY[::-1],
        "FAILING": sorted(FAILING),
        "MEASURES": vector.MEASURES,
    }
    parts = [f"const {name} = {_json(value)};" for name, value in constants.items()]
    parts += (templates.read_text(f"page/script/{name}.js") for name in SCRIPTS)
    script = "\n".join(parts)
    # In a scope, so that the page adds no name to the browser's.
    return f'"use strict";\n(() => {{\n{script}}})();\n'


def _packed(value: Json | Mapping[int, str]) -> str:
    """Return a value as JSON, deflated, in base64: small, and unable to close the element that holds it."""
    return base64.b64encode(zlib.compress(_json(value).encode("utf-8", "replace"), 9)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _digest(script: str) -> str:
    """Return the digest by which a browser runs this script and no other (Content Security Policy)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _inline(svg: str) -> str:
    """Return an SVG element without the declarations that come before it in a file."""
    return re.sub(r"\A.*?(?=<svg\b)", "", svg, flags=re.DOTALL)
