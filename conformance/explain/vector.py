"""The page of a vector: its inputs, expected outputs, and the worst elements of each implementation side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from nnconform.conformance.model.result import Measured, Output, Result
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.report.findings import Group
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.stored_vector import (
    Entry,
    LawTensor,
    StoredSparse,
    StoredTensor,
    StoredVector,
    flatten,
)
from nnconform.conformance.words import joined

from . import sections
from .element import decimal, element_of, inputs, place_in_call, word_at
from .page import Page

# The labels of a worst element, after those of the inputs.
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
    """Return the page of a vector; of one that is not published, only the results of the run."""
    vector = index.find(name)
    page = Page(name, f"vector, spec/vectors/{vector.file}" if vector else "vector of a run, not published")
    if vector:
        page.gap()
        page.fields(description(vector), indent=2)
    if run := sections.add_run(page, run):
        results = run.report.results_on([name])
        if not results:
            page.say("No results: no implementation was run on it.", indent=2)
        elif vector and run.report.asked.get(name) != vector.digest:
            page.say("The vector has changed since that run.", indent=2, style="italic")
            vector = None
        _add_results(page, vector, results)
    return page


def description(vector: StoredVector) -> Iterator[tuple[str, str]]:
    """Yield labels and texts that describe a vector; a text may be empty."""
    titles = clauses()
    yield "operation", f"{vector.operation}, profile {vector.profile}"
    for number, clause in enumerate(vector.clauses):
        title = f": {titles[clause].title}" if clause in titles else ""
        yield "clauses" if number == 0 else " ", f"{clause}{title}"
    yield "attributes", ", ".join(f"{k} {v}" for k, v in vector.attributes.items())
    if vector.steps:
        yield "steps", f"{vector.steps}, stacked on the first axis of x and dy"
    if vector.lengths:
        yield "lengths", f"one call per length, with the first {joined(map(str, vector.lengths))} elements"
    if vector.seeds:
        yield "seeds", f"one call per seed, stacked on the first axis: {joined(map(str, vector.seeds))}"
    if vector.extremes:
        yield "extremes", "outputs are reduced to their smallest and largest element"
    yield "hunts", joined(vector.hunts)
    yield "inputs", _shapes(flatten(vector.inputs))
    yield "expects", _shapes(vector.expected.items())
    yield "dialects", joined(vector.dialects)


def _shapes(tensors: Iterable[tuple[str, Entry | None]]) -> str:
    """Return names with dtypes and shapes, those with the same together."""
    names: dict[str, list[str]] = {}
    for name, tensor in tensors:
        names.setdefault(_shape(tensor), []).append(name)
    return "; ".join(f"{', '.join(of_it)} {shape}" for shape, of_it in names.items())


def _shape(tensor: Entry | None) -> str:
    match tensor:
        case None:
            return "absent"
        case StoredSparse(rows, values, shape):
            return f"{values.dtype} {list(shape)} (sparse, {rows.shape[0]} rows)"
        case LawTensor():
            pattern = f", {tensor.pattern}; equal letters are equal elements" if tensor.pattern else ""
            return f"{tensor.dtype} {list(tensor.shape)} ({tensor.law}, deviation {tensor.stddev:.6g}{pattern})"
        case StoredTensor():
            free = f" (free: {', '.join(tensor.latitude)})" if tensor.latitude else ""
            return f"{tensor.dtype} {list(tensor.shape)}{free}"


def _add_results(page: Page, vector: StoredVector | None, results: Iterable[Result]) -> None:
    """Add the results of implementations, equal ones together, and the dialects and commands for them."""
    groups: dict[str, Group] = {}
    for result in results:
        groups.setdefault(_digest(result), Group()).add(result, "")
    ordered = sorted(groups.values(), key=lambda group: group.members[0][0].verdict != "conforms")
    for group in ordered:
        result = group.members[0][0]
        page.gap()
        colour = VERDICTS[result.verdict].colour
        page.fields([(result.verdict, group.implementations)], indent=2, style=colour)
        _add_reasons(page, result)
        _add_elements(page, vector, result)
    first = [group.members[0][0] for group in ordered]
    _add_advice(page, [result for result in first if result.verdict not in ("conforms", "unsupported")])


def _digest(result: Result) -> str:
    """Return a text that results have in common if a page shows them as one."""
    if result.verdict == "conforms":
        return f"conforms {result.judged}"
    # The digest is that of all elements, the page has the worst one.
    outputs = [(name, replace(o, digest="")) for name, o in result.outputs.items() if o.verdict != "conforms"]
    return repr((result.verdict, result.dialect, result.short_reason, result.known, outputs))


def _add_reasons(page: Page, result: Result) -> None:
    if not result.judged:
        page.say("Recorded, not judged: the spec leaves it open.", indent=4)
    if result.known:
        page.say(f"known: {result.known}", indent=4)
    if result.reason:
        page.say(result.short_reason, indent=4)
    for name, output in result.outputs.items():
        if output.verdict != "conforms":
            also = f"; also fits: {joined(output.also)}" if output.also else ""
            page.say(f"{name}: {output.dialect or output.verdict}{also}", indent=4)
            if output.problem:
                page.say(output.problem, indent=6)
            if output.measured:
                page.say("; ".join(_statistics(output.measured)), indent=6)


def _statistics(measured: Measured) -> Iterator[str]:
    """Yield the statistics of a random sample, each with its expected value."""
    yield f"deviation {measured.stddev:.6g}, expected {measured.expected_stddev:.6g}"
    low, high = measured.implied_fan_low, measured.implied_fan_high
    if measured.implied_fan is not None and low is not None and high is not None:
        interval = f" ({low:.6g} to {high:.6g})" if low < high else ""
        yield f"implies the fan {measured.implied_fan:.6g}{interval}, expected {measured.expected_fan:.6g}"
    if measured.scale is not None:
        yield f"draws scaled by {measured.scale:.9g}, expected {measured.expected_scale:.9g}"
    yield f"largest {measured.largest:.6g}"
    if measured.distinct is not None:
        yield f"{measured.distinct} different values"


def _add_elements(page: Page, vector: StoredVector | None, result: Result) -> None:
    """Add tables of worst elements: the inputs, the expected and actual value, and the error."""
    columns = {
        output.worst.place(name): dict(numbers(vector, name, output))
        for name, output in result.outputs.items()
        if output.verdict != "conforms" and output.worst
    }
    labels = dict.fromkeys(label for column in columns.values() for label, text in column.items() if text)
    # The inputs of all outputs come first.
    order = [*(label for label in labels if label not in MEASURES), *(label for label in MEASURES if label in labels)]
    if columns:
        page.side_by_side(order, columns, indent=4)


def numbers(vector: StoredVector | None, name: str, output: Output) -> Iterator[tuple[str, str]]:
    """Yield labels and decimals of an output's worst element; a decimal may be empty.

    Args:
        vector: as its file stores it; None if it is not published, or has changed since the run.
        name: the output's flat name.
        output: its verdict, with a worst element.
    """
    worst = output.worst
    assert worst is not None
    expected = vector.expected.get(name) if vector else None
    dtype = "float64" if expected is None or isinstance(expected, StoredSparse) else expected.dtype
    if vector:
        yield from inputs(vector, name, worst.index)
    yield "expected", decimal(worst.expected, dtype)
    yield "bound", f"{worst.bound:.3g}"
    yield "got", decimal(worst.got, dtype)
    if vector:
        yield from _by_dialect(vector, name, output.dialect, worst.index)
    yield "error in ULP", f"{output.ulp:.4g}"
    yield "error / bound", f"{output.ratio:.4g}"


def _by_dialect(vector: StoredVector, name: str, dialect: str, place: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield the value and the bound that a dialect prescribes for an element, as far as the file stores them."""
    prescribed = vector.dialects.get(dialect, {}).get(name)
    expected = vector.expected.get(name)
    if isinstance(prescribed, StoredTensor) and isinstance(expected, StoredTensor):
        place = place_in_call(vector, place)
        yield "by the dialect", element_of(replace(prescribed, shape=expected.shape), place)
        if bound := word_at(prescribed.bound, expected.shape, place):
            yield "dialect's bound", f"{float(bound):.3g}"


def _add_advice(page: Page, results: Sequence[Result]) -> None:
    """Add the dialects of results with their remedies, and the commands that reproduce the results."""
    descriptions = dialects.dialects()
    parts = dict.fromkeys(part for result in results for _, dialect in result.dialects() for part in dialect.split("+"))
    for part in (part for part in parts if part in descriptions):
        page.section(part)
        page.say(descriptions[part].summary, indent=2)
        page.fields(descriptions[part].advice, indent=2)
    if results:
        page.section("To reproduce it")
    for result in results:
        options = ["--implementation", result.implementation, "--mode", result.mode]
        page.command(["nnconform", "reproduce", result.vector, result.framework, *options])
