"""What a guide tells to change: calls, what was a default, weights and statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nnconform.conformance.vectors.dialects import dialects

from . import source
from .code_layout import code, fenced, wrapped
from .recommendations import Guide, Row
from .tables import INFERENCE, KERNEL, TRAINING, Choice, Parameter
from .weights import FLATTENED, transposition

UNBIASED = "unbiased-running-variance"


def calls(guide: Guide) -> Iterator[str]:
    """Yield which call is which, the parameters of the new one in terms of the old one's."""
    yield "```text"
    for row in guide.rows:
        yield from code(own(row.ours))
        yield from code(translated(row.best.choice, row.ours) + _mark(row.best.choice), "  -> ")
        if row.exact:
            yield from code(translated(row.exact.choice, row.ours) + _mark(row.exact.choice), "  in float64 -> ")
    yield "```"
    if any(pick.choice.recipe for row in guide.rows for pick in row.picks):
        yield ""
        yield from wrapped("(recipe): its source stands at the end, to be copied.")


def _mark(choice: Choice) -> str:
    return "  (recipe)" if choice.recipe else ""


def own(choice: Choice) -> str:
    """Return how a choice is written, its parameters by its own names."""
    return _filled(choice.write, {name: parameter.name for name, parameter in choice.parameters.items()})


def translated(choice: Choice, ours: Choice) -> str:
    """Return how a choice is written, its parameters in terms of those that one has."""
    return _filled(choice.write, {name: term(ours.parameters.get(name), p) for name, p in choice.parameters.items()})


def _filled(write: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], write)


def term(ours: Parameter | None, theirs: Parameter) -> str:
    """Return what to give for one parameter: the other's name, one minus it, or the own default where it has none."""
    if ours is None or not ours.name:
        return theirs.name if theirs.default is None else f"{theirs.default:g}"
    return ours.name if ours.complement == theirs.complement else f"1 - {ours.name}"


# --- defaults ----------------------------------------------------------------------------------------------


def defaults(guide: Guide) -> Iterator[str]:
    """Yield what the two take where nothing is said, and what to write for it, if they differ anywhere."""
    told: set[str] = set()
    for row in guide.rows:
        for name, ours in row.ours.parameters.items():
            theirs = guide.target.reached(row.use)[0].parameters.get(name)
            what = f"{'batch norm' if row.use in (TRAINING, INFERENCE) else row.use}, {name.replace('_', ' ')}"
            if theirs is None or ours.default is None or what in told:
                continue
            told.add(what)
            wanted = theirs.of_spec(ours.of_spec(ours.default))
            if theirs.default is None or f"{wanted:g}" != f"{theirs.default:g}":
                yield from _differs(guide, what, _number(ours, ours.default), _taken(theirs), _given(theirs, wanted))
        if row.use == KERNEL:
            yield from _beginnings(guide, row)


def _differs(guide: Guide, what: str, ours: str, theirs: str, write: str) -> Iterator[str]:
    text = f"- {what}: {guide.source.title} {ours}, {guide.target.title} {theirs}. Write {write}."
    yield from wrapped(text, "  ")


def _number(parameter: Parameter, value: float) -> str:
    return f"`{parameter.name}={value:g}`" if parameter.name else f"{value:g}"


def _taken(theirs: Parameter) -> str:
    return f"wants `{theirs.name}` given" if theirs.default is None else _number(theirs, theirs.default)


def _given(theirs: Parameter, wanted: float) -> str:
    """Return what to write for a default; an axis, the only whole number, can also be moved, or must be."""
    if isinstance(wanted, int):
        move = f"the data with their channels on axis {theirs.default}"
        return f"{_number(theirs, wanted)}, or {move}" if theirs.name else move
    return _number(theirs, wanted)


def _beginnings(guide: Guide, row: Row) -> Iterator[str]:
    """Yield how the kernel and the bias of a layer begin; of the kernel as it was measured."""
    for gap in row.plain.agreement.gaps[:1] if row.plain else ():
        laws = [
            str(dialects()[name]["formula"]).partition(";")[0].replace(" / ", "/") for name in (gap.ours, gap.theirs)
        ]
        theirs = "has no layers" if row.plain and row.plain.choice.recipe else laws[1]
        yield from _differs(guide, "a layer's kernel", laws[0], theirs, f"`{row.best.choice.write}`")
    if guide.source.initial_bias != guide.target.initial_bias:
        biases = guide.source.initial_bias, guide.target.initial_bias
        yield from _differs(guide, "a layer's bias", *biases, "an initializer that does the same")


# --- weights and statistics --------------------------------------------------------------------------------


def state(guide: Guide) -> Iterator[str]:
    """Yield what becomes of a trained model's variables."""
    ours, theirs = guide.source, guide.target
    for layer, axes in ours.layouts.items():
        order = transposition(axes, theirs.layouts[layer])
        before, after = (f"{f.kernel} ({', '.join(f.layouts[layer])})" for f in (ours, theirs))
        how = "as it is" if order == tuple(sorted(order)) else f"`k.transpose{order}`"
        yield from wrapped(f"- {layer} kernel: {before} to {after}: {how}", "  ")
    if ours.channels != theirs.channels:
        yield from wrapped(
            "- dense kernel after a flattened image of c channels, whose inputs change their order:", "  "
        )
        yield f"  `{FLATTENED[ours.channels]}`"
    names = ", ".join(f"`{name}` to `{theirs.state[what]}`" for what, name in ours.state.items())
    yield from wrapped(f"- batch norm: {names}, all as they are{_inference(guide)}", "  ")
    yield from _statistics(guide)


def beside(guide: Guide) -> Iterator[str]:
    """Yield what a porter must know beside the operations of the spec; examples/porting shows that it is needed."""
    for entry in guide.target.beside:
        if guide.source.title in entry.get("from", (guide.source.title,)):
            yield from wrapped(f"- {entry['say']}", "  ")


def _inference(guide: Guide) -> str:
    row = guide.row(INFERENCE)
    return "" if row is None else f": inference then agrees ({row.best.agreement.count} vectors)"


def _statistics(guide: Guide) -> Iterator[str]:
    """Tell how the running statistics of the two relate."""
    unbiased = [_unbiased(guide, side) for side in (0, 1)]
    if unbiased[0] == unbiased[1] or guide.target.reached(TRAINING)[0].recipe:
        return
    verb, name = ("without", "without_correction") if unbiased[0] else ("with", "with_correction")
    yield ""
    yield from wrapped(
        f"{guide.source.title} trains its running variance {'with' if unbiased[0] else 'without'} a factor n / (n - 1) "
        f"for the n elements of a channel in a batch, {guide.target.title}'s own layer {verb} one. To compare the two "
        "after the same training:"
    )
    yield ""
    yield from fenced("python", source.definition("nnconform.conformance.guide", "weights", name))


def _unbiased(guide: Guide, side: int) -> bool:
    """Say whether the plain batch norm of a side (0 the source) was seen to take the unbiased variance."""
    row = guide.row(TRAINING)
    gaps = () if row is None else (row.plain or row.best).agreement.gaps
    names = {(gap.ours, gap.theirs)[side] for gap in gaps if gap.output == "running_variance"}
    return any(UNBIASED in name.split("+") for name in names)
