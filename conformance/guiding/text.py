"""A guide as Markdown that reads well as plain text too, at most 80 columns wide where names allow it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nnconform.conformance.suite.catalogue import dialects

from . import source
from .agree import Gap
from .rows import Guide, Pick, Row
from .state import transposition
from .tables import Choice, Parameter

WIDTH = 79
UNBIASED = "unbiased-running-variance"
TRAINING, INFERENCE, KERNEL = "batch norm in training", "batch norm in inference", "a layer's own kernel"


def markdown(guide: Guide) -> str:
    """Return the whole guide."""
    parts = (_head, _calls, _defaults, _state, _proof, _remaining, _recipes)
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part(guide)))) + "\n"


def _head(guide: Guide) -> Iterator[str]:
    ours, theirs = guide.source, guide.target
    packages = {
        package: version
        for framework in (ours, theirs)
        for package, version in guide.measured[framework.adapter].versions.items()
        if package in framework.packages
    }
    dates = sorted({guide.measured[framework.adapter].report["created"][:10] for framework in (ours, theirs)})
    versions = ", ".join(f"{package} {version}" for package, version in packages.items())
    yield f"# From {ours.title} to {theirs.title}"
    yield ""
    yield from _wrapped(
        f"Measured on {' and '.join(dates)} with {versions}, on one CPU thread, in float32 and float64. Two calls "
        "agree on a test vector when both results are within the same proved bound of the same exact value. Half "
        f"precision and special values: `nnconform run {ours.adapter} {theirs.adapter}`."
    )


# --- which call is which -----------------------------------------------------------------------------------


def _calls(guide: Guide) -> Iterator[str]:
    yield "## 1. Replace the calls"
    yield ""
    yield "```text"
    for row in guide.rows:
        yield from _code(_own(row.ours), "")
        yield from _code(_translated(row.best.choice, row.ours), "  -> ", _mark(row.best.choice))
        if row.exact:
            yield from _code(_translated(row.exact.choice, row.ours), "  in float64 -> ", _mark(row.exact.choice))
    yield "```"
    if any(pick.choice.recipe for row in guide.rows for pick in (row.best, row.exact) if pick):
        yield ""
        yield from _wrapped("(recipe): its source stands at the end; it is yours to copy.")


def _mark(choice: Choice) -> str:
    return "  (recipe)" if choice.recipe else ""


def _code(text: str, lead: str, mark: str = "") -> Iterator[str]:
    yield from textwrap.wrap(
        text + mark,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * (len(lead) + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _own(choice: Choice) -> str:
    """Return how a choice is written, its parameters by its own names."""
    return _filled(choice.write, {name: parameter.name for name, parameter in choice.parameters.items()})


def _translated(choice: Choice, ours: Choice) -> str:
    """Return how a choice is written, its parameters in terms of those that one has."""
    return _filled(choice.write, {name: _term(ours.parameters.get(name), p) for name, p in choice.parameters.items()})


def _filled(write: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{([\w ]+)\}", lambda match: values[match[1]], write)


def _term(ours: Parameter | None, theirs: Parameter) -> str:
    """Return what to give for one parameter: the other's name, one minus it, or the own name where it has none."""
    if ours is None or not ours.name:
        return theirs.name
    return ours.name if ours.complement == theirs.complement else f"1 - {ours.name}"


# --- defaults ----------------------------------------------------------------------------------------------


def _defaults(guide: Guide) -> Iterator[str]:
    rows = list(_default_rows(guide))
    if not rows:
        return
    yield "## 2. Give what was a default"
    yield ""
    yield from _table(["where nothing is said", guide.source.title, guide.target.title, "so write"], rows)


def _default_rows(guide: Guide) -> Iterator[list[str]]:
    """Yield what differs where the user says nothing."""
    told = set()
    for row in guide.rows:
        plain = guide.target.reached(row.use)[0]
        for name, ours in row.ours.parameters.items():
            theirs = plain.parameters.get(name)
            if (
                theirs is None
                or ours.default is None
                or (row.use == INFERENCE and row.use != TRAINING and TRAINING in told)
            ):
                continue
            wanted = theirs.of_spec(ours.of_spec(ours.default))
            if theirs.default is None or f"{wanted:g}" != f"{theirs.default:g}":
                told.add(row.use)
                yield [f"{row.use.split(' in ')[0]}: {name}", _number(ours, ours.default), *_wanted(theirs, wanted)]
        if row.use == KERNEL:
            yield from _kernels(guide, row)


def _wanted(theirs: Parameter, wanted: float) -> tuple[str, str]:
    """Return what the target takes by itself, and what to write."""
    has = "must be given" if theirs.default is None else _number(theirs, theirs.default)
    if not theirs.name:
        return f"{theirs.default:g}", "move the axis"
    return has, _number(theirs, wanted)


def _number(parameter: Parameter, value: float) -> str:
    return f"{parameter.name}={value:g}" if parameter.name else f"{value:g}"


def _kernels(guide: Guide, row: Row) -> Iterator[list[str]]:
    """Yield how the kernel and bias of a layer begin, as measured."""
    gaps = row.plain.agreement.gaps if row.plain else []
    for gap in gaps:
        theirs = _law(gap.theirs) if row.plain and not row.plain.choice.recipe else "your own"
        yield ["a layer's kernel", _law(gap.ours), theirs, "the initializer above"]
    if guide.source.initial_bias != guide.target.initial_bias:
        yield ["a layer's bias", guide.source.initial_bias, guide.target.initial_bias, guide.source.initial_bias]


def _law(dialect: str) -> str:
    """Return the law of a dialect in a few words."""
    return str(dialects()[dialect]["formula"]).partition(";")[0].partition(",")[0].replace(" / ", "/")


# --- weights and statistics --------------------------------------------------------------------------------


def _state(guide: Guide) -> Iterator[str]:
    ours, theirs = guide.source, guide.target
    yield "## 3. Copy weights and statistics"
    yield ""
    rows = [[f"batch norm: {name}", ours.state[name], theirs.state[name], "as it is"] for name in ours.state]
    for layer, axes in ours.layouts.items():
        order = transposition(axes, theirs.layouts[layer])
        same = order == tuple(sorted(order))
        shapes = [f"{f.kernel} ({', '.join(f.layouts[layer])})" for f in (ours, theirs)]
        rows.append([layer, *shapes, "as it is" if same else f"w.transpose{order}"])
    yield from _table(["", ours.title, theirs.title, "conversion"], rows)
    if ours.channels != theirs.channels:
        yield ""
        yield from _flattened(guide)
    yield ""
    yield from _statistics(guide)


def _flattened(guide: Guide) -> Iterator[str]:
    """Tell of the layer whose inputs change their order with the layout of the data."""
    if guide.source.channels == "first":
        code = "w.reshape(units, c, h, w).transpose(2, 3, 1, 0).reshape(h * w * c, units)"
    else:
        code = "w.reshape(h, w, c, units).transpose(3, 2, 0, 1).reshape(units, c * h * w)"
    yield from _wrapped(
        "A dense layer after a flattened image sees its inputs in another order, since the channels move: its kernel is"
    )
    yield ""
    yield f"    {code}"


def _statistics(guide: Guide) -> Iterator[str]:
    """Tell how the running statistics of the two relate."""
    row = guide.row(INFERENCE)
    if row is not None:
        count = f"{len(row.best.agreement.agreed)} of {len(row.best.agreement.vectors)}"
        yield from _wrapped(
            f"Copied as they are, the statistics give the same inference ({count} vectors). Correct nothing there."
        )
    unbiased = [_unbiased(guide, side) for side in (0, 1)]
    if unbiased[0] == unbiased[1]:
        return
    verb, name = ("leaves out", "without_correction") if unbiased[0] else ("puts in", "with_correction")
    yield ""
    yield from _wrapped(
        f"Only training tells them apart: {guide.source.title if unbiased[0] else guide.target.title} moves the running "
        "variance by the variance of the batch times n / (n - 1), n being the elements of a channel in a batch. What the "
        f"running variance would have been in {guide.target.title} is, exactly, what {verb} that factor after equal "
        "batches (momentum as the weight of the old value):"
    )
    yield ""
    yield "```python"
    yield source.definition("nnconform.conformance.guiding", "state", name)
    yield "```"


def _unbiased(guide: Guide, side: int) -> bool:
    """Say whether the plain batch norm of a side (0 the source, 1 the target) was seen to take the unbiased variance."""
    row = guide.row(TRAINING)
    gaps = () if row is None else (row.plain or row.best).agreement.gaps
    names = {(gap.ours, gap.theirs)[side] for gap in gaps if gap.output == "running_variance"}
    return any(UNBIASED in name.split("+") for name in names)


# --- what the vectors say ----------------------------------------------------------------------------------


def _proof(guide: Guide) -> Iterator[str]:
    yield "## 4. What the vectors say"
    yield ""
    for row in guide.rows:
        yield from _wrapped(f"- **{row.use}**{_with(row)}: agrees on {_count(row.best)}.{_why(guide, row)}", "  ")


def _with(row: Row) -> str:
    return f", `{row.ours.apis[0]}`" if row.use == TRAINING else ""


def _count(pick: Pick) -> str:
    return f"{len(pick.agreement.agreed)} of {len(pick.agreement.vectors)} vectors"


def _why(guide: Guide, row: Row) -> str:
    """Say what the plain call would have done, and where the new call is nearer to the exact value."""
    said = ""
    if row.plain is not None and row.plain.agreement.vectors:
        gap = next((gap for gap in row.plain.agreement.gaps if not gap.nearer), None)
        if gap is not None:
            said += f" `{row.plain.choice.apis[0]}` alone agrees on {_count(row.plain)}: {_told(guide, gap)}"
    if row.exact is not None:
        gap = next(gap for gap in row.best.agreement.gaps if not gap.nearer)
        said += f" In float64 alone: {_told(guide, gap)}"
    nearer = [gap for gap in row.best.agreement.gaps if gap.nearer]
    if nearer:
        names = " and ".join(dict.fromkeys(f"`{gap.ours}`" for gap in nearer))
        said += f" It is nearer to the exact value than {guide.source.title}, which has {names}: nothing to set."
    return said


def _told(guide: Guide, gap: Gap) -> str:
    """Say in a sentence who differs, how, and by how much."""
    who = [(guide.source.title, gap.ours), (guide.target.title, gap.theirs)]
    names = " and ".join(f"{title} has `{name}`" for title, name in who if name)
    summaries = [str(dialects()[part]["summary"]) for part in _new_parts(gap) if part in dialects()]
    return f"{gap.output or 'it'}, as {names}. {' '.join(summaries[:1])}{_numbers(gap)}"


def _new_parts(gap: Gap) -> list[str]:
    """Return the dialects of one side that the other does not have."""
    ours, theirs = gap.ours.split("+"), gap.theirs.split("+")
    return [part for part in ours + theirs if part and (part in ours) != (part in theirs)]


def _numbers(gap: Gap) -> str:
    if gap.worst is None:
        return ""
    relative = f" ({gap.worst.relative:.2g} relative)" if gap.worst.relative < 1 else ""
    return f" At worst {gap.worst.ours:.4g} became {gap.worst.theirs:.4g}{relative}: `{gap.worst.vector}`, {gap.worst.output}."


# --- what stays, and the recipes ---------------------------------------------------------------------------


def _remaining(guide: Guide) -> Iterator[str]:
    found = [(row, gap) for row in guide.rows for gap in (row.exact or row.best).agreement.gaps if not gap.nearer]
    if not found:
        return
    yield "## 5. What stays different"
    yield ""
    told: set[str] = set()
    for row, gap in found:
        vectors = f"{len(gap.vectors)} vector{'s' * (len(gap.vectors) > 1)}"
        yield from _wrapped(f"- **{row.use}** ({vectors}): {_told(guide, gap)}{_remedy(gap, told)}", "  ")


def _remedy(gap: Gap, told: set[str]) -> str:
    """Return the remedies of dialects that were not told of yet."""
    parts = [part for part in _new_parts(gap) if part in dialects() and part not in told]
    told.update(parts)
    return "".join(f" {dialects()[part]['remedy']}" for part in parts)


def _recipes(guide: Guide) -> Iterator[str]:
    picks = [pick for row in guide.rows for pick in (row.best, row.exact) if pick and pick.choice.recipe]
    names = dict.fromkeys(pick.choice.recipe for pick in picks)
    if not names:
        return
    yield "## Recipes"
    for name in names:
        yield ""
        yield "```python"
        yield source.recipe(guide.target.adapter, name)
        yield "```"


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _table(heads: list[str], rows: Iterable[list[Any]]) -> Iterator[str]:
    """Yield a table whose columns are aligned in plain text too."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    for row in (heads, ["-" * width for width in widths], *rows):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
