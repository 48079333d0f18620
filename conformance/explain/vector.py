"""A vector: what it asks, what it expects, and what each implementation gave, the worst elements side by side."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.report.findings_of_rows import Group
from nnconform.conformance.report.last_run import LastRun, Row, dialects_of, first_line
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.words import joined

from . import sections
from .dialect import advice
from .element import Document, at, decimal, inputs, place_in_call, tensor
from .page import Page

# What is said of a worst element, after what went in there.
MEASURES = (
    "expected",
    "bound",
    "got",
    "by the dialect",
    "dialect's bound",
    "error in ULP",
    "error / bound",
)


def page(name: str, run: LastRun | None) -> Page:
    """Return the page of a vector; of one that is not published, what the run says of it."""
    vector = index.vector(name)
    page = Page(name, f"vector, spec/vectors/{vector['file']}" if vector else "vector of a run, not a published one")
    if vector:
        page.gap()
        page.fields(asks(vector), indent=2)
    if run := sections.head(page, run):
        rows = run.on([name])
        if not rows:
            page.say("Nothing: no implementation was run on it.", indent=2)
        elif vector and run.report["asked"].get(name) != digest(vector):
            page.say("The vector of that run had other numbers than this one.", indent=2, style="italic")
            vector = None
        _found(page, vector, rows)
    return page


def digest(vector: Document) -> str:
    """Return the digest of a vector, which a report has of those that it asked."""
    own = {key: value for key, value in vector.items() if key not in ("operation", "file")}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


def asks(vector: Document) -> Iterator[tuple[str, str]]:
    """Yield what a vector is about, a label and a text each; a text may be empty.

    Args:
        vector: as it stands in its file, with its operation.
    """
    known = clauses()
    yield "operation", f"{vector['operation']}, profile {vector['profile']}"
    for number, clause in enumerate(vector["clauses"]):
        title = f": {known[clause].title}" if clause in known else ""
        yield "clauses" if number == 0 else " ", f"{clause}{title}"
    yield "attributes", ", ".join(f"{k} {v}" for k, v in vector["attributes"].items())
    if "steps" in vector:
        yield "steps", f"{vector['steps']}, stacked on the first axis of x and dy"
    if "lengths" in vector:
        yield "lengths", f"one call for each of the first {joined(map(str, vector['lengths']))} elements"
    if "seeds" in vector:
        yield "seeds", f"one call for each of {joined(map(str, vector['seeds']))}, stacked on the first axis"
    if "extremes" in vector:
        yield "extremes", "outputs are reduced to their smallest and their largest element"
    yield "hunts", joined(vector["hunts"])
    yield "inputs", _shapes(vector.get("inputs", {}))
    yield "expects", _shapes(vector.get("expected", {}))
    yield "dialects", joined(vector.get("dialects", {}))


def _shapes(tensors: Mapping[str, Any]) -> str:
    """Return names with dtypes and shapes; the entries of a list one by one."""
    found: dict[str, list[str]] = {}
    for name, value in tensors.items():
        for number, entry in enumerate(value if isinstance(value, list) else [value]):
            label = f"{name}[{number}]" if isinstance(value, list) else name
            found.setdefault(_shape(entry), []).append(label)
    return "; ".join(f"{', '.join(names)} {shape}" for shape, names in found.items())


def _shape(entry: Any) -> str:
    if entry is None:
        return "absent"
    if "indices" in entry:
        return f"{entry['values']['dtype']} {entry['dense_shape']} (sparse, {entry['indices']['shape'][0]} rows)"
    law = f" ({entry['law']}, deviation {entry['stddev']:.6g}{_pattern(entry)})" if "law" in entry else ""
    free = f" (free: {', '.join(entry['latitude'])})" if entry.get("latitude") else ""
    return f"{entry['dtype']} {entry['shape']}{law}{free}"


def _pattern(law: Mapping[str, Any]) -> str:
    """Return which of several samples have the same elements."""
    return f", {law['pattern']}: the same letter for the same elements" if "pattern" in law else ""


def _found(page: Page, vector: Document | None, rows: list[Row]) -> None:
    """Add what each implementation gave, those that gave the same as one; then what to do about it."""
    groups: dict[Any, Group] = {}
    for row in rows:
        groups.setdefault(_same(row), Group()).add(row, "")
    told = sorted(groups.values(), key=lambda g: g.rows[0][0]["verdict"] != "conforms")
    for group in told:
        row = group.rows[0][0]
        page.gap()
        verdict: str = row["verdict"]
        colour = VERDICTS[verdict].colour
        page.fields([(verdict, group.who)], indent=2, style=colour)
        _why(page, row)
        _side_by_side(page, vector, row)
    bad = [group.rows[0][0] for group in told if group.rows[0][0]["verdict"] not in ("conforms", "unsupported")]
    _what_to_do(page, bad)


def _same(row: Row) -> Any:
    """Return what is alike in results that are told as one."""
    if row["verdict"] == "conforms":
        return "conforms", row.get("judged", True)
    wrong = {name: output for name, output in row["outputs"].items() if output["verdict"] != "conforms"}
    # Not the digest, which is that of all elements.
    outputs = {name: {**output, "digest": ""} for name, output in wrong.items()}
    return json.dumps([row["verdict"], row.get("dialect"), first_line(row), row.get("known"), outputs], sort_keys=True)


def _why(page: Page, row: Row) -> None:
    """Add what is said of a result in words."""
    if not row.get("judged", True):
        page.say("Recorded and not judged: the spec leaves it open.", indent=4)
    if "known" in row:
        page.say(f"known: {row['known']}", indent=4)
    if "reason" in row:
        page.say(first_line(row), indent=4)
    for name, output in row["outputs"].items():
        if output["verdict"] != "conforms":
            also = f"; fits too: {joined(output['also'])}" if output.get("also") else ""
            page.say(f"{name}: {output.get('dialect', output['verdict'])}{also}", indent=4)
            if "problem" in output:
                page.say(output["problem"], indent=6)
            if "measured" in output:
                page.say("; ".join(_measured(output["measured"])), indent=6)


def _measured(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was measured of a random sample, each beside what its law has."""
    number = {name: float(value) for name, value in found.items()}
    yield f"deviation {number['stddev']:.6g}, expected {number['expected_stddev']:.6g}"
    if "implied_fan" in number:
        low, high = number["implied_fan_low"], number["implied_fan_high"]
        about = f" ({low:.6g} to {high:.6g})" if low < high else ""
        yield f"implies the fan {number['implied_fan']:.6g}{about}, expected {number['expected_fan']:.6g}"
    if "scale" in number:
        yield f"draws times {number['scale']:.9g}, expected {number['expected_scale']:.9g}"
    yield f"largest {number['largest']:.6g}"
    if "distinct" in number:
        yield f"{number['distinct']:.0f} different values"


def _side_by_side(page: Page, vector: Document | None, row: Row) -> None:
    """Add tables of worst elements: what went in there, what was expected, what came, and how far it is off."""
    columns = {}
    for name, output in row["outputs"].items():
        if output["verdict"] != "conforms" and "worst" in output:
            place = ", ".join(map(str, output["worst"]["index"]))
            columns[f"{name}[{place}]" if place else name] = dict(numbers(vector, name, output))
    labels = dict.fromkeys(label for column in columns.values() for label, text in column.items() if text)
    # What went in comes first, whichever of the outputs has it.
    order = [*(label for label in labels if label not in MEASURES), *(label for label in MEASURES if label in labels)]
    if columns:
        page.side_by_side(order, columns, indent=4)


def numbers(vector: Document | None, name: str, output: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the numbers of an output's worst element, a label and a decimal each; a decimal may be empty.

    Args:
        vector: as it stands in its file; None where that is not known.
        name: of the output, flat.
        output: what the report says of it, with a worst element.
    """
    worst = output["worst"]
    expected = tensor(vector["expected"], name) if vector else None
    dtype = expected["dtype"] if expected else "float64"
    if vector:
        yield from inputs(vector, name, worst["index"])
    yield "expected", decimal(worst["expected"], dtype)
    yield "bound", f"{float(worst['bound']):.3g}"
    yield "got", decimal(worst["got"], dtype)
    if vector and expected:
        prescribed = tensor(vector.get("dialects", {}).get(output.get("dialect"), {}), name) or {}
        stored = {**prescribed, "shape": expected["shape"]}
        place = place_in_call(vector, worst["index"])
        yield "by the dialect", at(stored, place)
        if bound := at(stored, place, "bound"):
            yield "dialect's bound", f"{float(bound):.3g}"
    yield "error in ULP", f"{float(output['ulp']):.4g}"
    yield "error / bound", f"{float(output['ratio']):.4g}"


def _what_to_do(page: Page, rows: Sequence[Row]) -> None:
    """Add the dialects of results with their remedies, each once, and the commands that reproduce the results."""
    known = dialects.dialects()
    parts = dict.fromkeys(part for row in rows for _, dialect in dialects_of(row) for part in dialect.split("+"))
    for part in (part for part in parts if part in known):
        page.section(part)
        page.say(known[part]["summary"], indent=2)
        page.fields(advice(known[part]), indent=2)
    if rows:
        page.section("To reproduce it")
    for row in rows:
        implementation = f"--implementation {_quoted(row['implementation'])}"
        call = [row["vector"], row["framework"], implementation, f"--mode {row['mode']}"]
        page.command(["nnconform", "reproduce", *call])


def _quoted(name: str) -> str:
    """Return a name as a shell takes it; one with single quotes is easier to read in double ones."""
    plain = "'" in name and not set(name) & set('"$`\\!')
    return f'"{name}"' if plain else shlex.quote(name)
