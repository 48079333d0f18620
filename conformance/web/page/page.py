"""The page: a template, its style and script, and the data that the script shows."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from nnconform.conformance.ci import markdown
from nnconform.conformance.model.report import Report
from nnconform.conformance.report import findings_of_rows as findings

from . import page_data, reproducers, spec_texts

Document = Mapping[str, Any]
STYLES = ("base.css", "page.css")
# Each uses what stands before it.
SCRIPTS = ("elements", "shapes", "text", "report", "state", "overview", "lists", "results", "result", "spec", "main")


def with_pictures(report: Document, *, home: str = "") -> str:
    """Return the page of a report with its pictures, where what draws them is installed (the extra ``plot``).

    Args:
        report: the JSON report.
        home: where the site is that the page belongs to.
    """
    from nnconform.conformance.plots import pictures

    try:
        return of_report(report, plots=pictures.inline(Report.from_json(report)), home=home)
    except pictures.MissingMatplotlib:
        return of_report(report, home=home)


def of_report(report: Document, *, plots: Mapping[str, str] | None = None, home: str = "") -> str:
    """Return a report as one HTML file that needs no other and no network.

    Args:
        report: the JSON report.
        plots: pictures as SVG, by title. They are ours and go in as they are: what is foreign in them is escaped.
        home: where the site is that the page belongs to, "" where it stands by itself.
    """
    import jinja2

    folder = resources.files(__package__)
    verdicts = f"const VERDICTS = {folder.joinpath('verdicts.json').read_text('utf-8')};"
    script = "\n".join([verdicts, *(folder.joinpath("script", f"{name}.js").read_text("utf-8") for name in SCRIPTS)])
    # A name of the page's own for everything, and nothing of it in the browser's.
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(folder.joinpath("page.html").read_text("utf-8"))
    known = spec_texts.vectors(report["asked"])
    return template.render(
        report=report,
        home=home,
        counts=_counts(report["results"]),
        troubles=list(markdown.troubles(Report.from_json(report))),
        selection=[f"{key} {', '.join(values)}" for key, values in report["selection"].items()],
        style="".join(folder.joinpath(name).read_text("utf-8") for name in STYLES),
        script=script,
        digest=_digest(script),
        data=_packed(page_data.of_report(report, known)),
        scripts=_packed(reproducers.written(report, known)),
        plots={title: _inline(svg) for title, svg in (plots or {}).items()},
    )


def _counts(rows: Sequence[Document]) -> dict[str, int]:
    found = Counter(row["verdict"] for row in rows)
    return {verdict: found[verdict] for verdict in findings.COLUMNS if found[verdict]}


def _packed(value: Any) -> str:
    """Return a value as JSON, deflated, in base64: small, and nothing in it can close the element that holds it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode()


def _digest(script: str) -> str:
    """Return what tells a browser to run this script and no other (Content Security Policy)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _inline(svg: str) -> str:
    """Return a picture without what stands before its element in a file of its own."""
    return re.sub(r"\A.*?(?=<svg\b)", "", svg, flags=re.DOTALL)
