"""The edits of a port: calls, former defaults, weights and statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nnconform.conformance.vectors.dialects import dialects

from . import recipe_source
from .code_layout import code, fenced, wrapped
from .recommendations import Guide, Row
from .tables import INFERENCE, KERNEL, TRAINING, Choice, Parameter
from .weights import FLATTENED, transposition

UNBIASED = "unbiased-running-variance"


def calls(guide: Guide) -> Iterator[str]:
    """Yield the calls of the source and their replacements, whose arguments are the source's."""
    yield "```text"
    for row in guide.rows:
        yield from code(own(row.source))
        yield from code(translated(row.best.choice, row.source) + _mark(row.best.choice), "  -> ")
        if row.exact:
            yield from code(translated(row.exact.choice, row.source) + _mark(row.exact.choice), "  in float64 -> ")
    yield "```"
    if any(pick.choice.recipe for row in guide.rows for pick in row.picks):
        yield ""
        yield from wrapped("(recipe): copy its source from the end of this guide.")


def _mark(choice: Choice) -> str:
    return "  (recipe)" if choice.recipe else ""


def own(choice: Choice) -> str:
    """Return the code of a choice with its own parameter names."""
    return _filled(choice.write, {name: parameter.name for name, parameter in choice.parameters.items()})


def translated(choice: Choice, source: Choice) -> str:
    """Return the code of a choice, its arguments in terms of the source's parameters."""
    return _filled(choice.write, {name: term(source.parameters.get(name), p) for name, p in choice.parameters.items()})


def _filled(write: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], write)


def term(source: Parameter | None, target: Parameter) -> str:
    """Return the argument for a parameter: the source's name, one minus it, or the target's default without one."""
    if source is None or not source.name:
        return target.name if target.default is None else f"{target.default:g}"
    return source.name if source.complement == target.complement else f"1 - {source.name}"


# --- defaults ----------------------------------------------------------------------------------------------


def defaults(guide: Guide) -> Iterator[str]:
    """Yield the defaults that differ, and what to write to get the source's."""
    listed: set[str] = set()
    for row in guide.rows:
        for name, source in row.source.parameters.items():
            target = guide.target.target_choices(row.use)[0].parameters.get(name)
            label = f"{'batch norm' if row.use in (TRAINING, INFERENCE) else row.use}, {name.replace('_', ' ')}"
            if target is None or source.default is None or label in listed:
                continue
            listed.add(label)
            value = target.of_spec(source.of_spec(source.default))
            if target.default is None or f"{value:g}" != f"{target.default:g}":
                defaults = _number(source, source.default), _default(target)
                yield from _differs(guide, label, *defaults, _argument(target, value))
        if row.use == KERNEL:
            yield from _initializers(guide, row)


def _differs(guide: Guide, label: str, source: str, target: str, write: str) -> Iterator[str]:
    text = f"- {label}: {guide.source.title} {source}, {guide.target.title} {target}. Write {write}."
    yield from wrapped(text, "  ")


def _number(parameter: Parameter, value: float) -> str:
    return f"`{parameter.name}={value:g}`" if parameter.name else f"{value:g}"


def _default(parameter: Parameter) -> str:
    return f"requires `{parameter.name}`" if parameter.default is None else _number(parameter, parameter.default)


def _argument(target: Parameter, value: float) -> str:
    """Return the argument that gives a value; for an axis, the only integer, also how to move the data's axis."""
    if isinstance(value, int):
        move = f"data with channels on axis {target.default}"
        return f"{_number(target, value)}, or {move}" if target.name else move
    return _number(target, value)


def _initializers(guide: Guide, row: Row) -> Iterator[str]:
    """Yield the default initializers of a layer's kernel, as measured, and of its bias."""
    for gap in row.plain.agreement.gaps[:1] if row.plain else ():
        source, target = (_law(name) for name in (gap.source, gap.target))
        if row.plain and row.plain.choice.recipe:
            target = "has no layers"
        yield from _differs(guide, "a layer's kernel", source, target, f"`{row.best.choice.write}`")
    if guide.source.initial_bias != guide.target.initial_bias:
        biases = guide.source.initial_bias, guide.target.initial_bias
        yield from _differs(guide, "a layer's bias", *biases, "an initializer with the same law")


def _law(dialect: str) -> str:
    return dialects()[dialect].formula.partition(";")[0].replace(" / ", "/")


# --- weights and statistics --------------------------------------------------------------------------------


def state(guide: Guide) -> Iterator[str]:
    """Yield the conversion of a trained model's variables."""
    source, target = guide.source, guide.target
    for layer, axes in source.layouts.items():
        order = transposition(axes, target.layouts[layer])
        before, after = (f"{f.kernel} ({', '.join(f.layouts[layer])})" for f in (source, target))
        conversion = "unchanged" if order == tuple(sorted(order)) else f"`k.transpose{order}`"
        yield from wrapped(f"- {layer} kernel: {before} to {after}: {conversion}", "  ")
    if source.channels != target.channels:
        yield from wrapped(
            "- dense kernel after a flattened image of c channels; the order of its inputs changes:", "  "
        )
        yield f"  `{FLATTENED[source.channels]}`"
    names = ", ".join(f"`{name}` to `{target.state[variable]}`" for variable, name in source.state.items())
    yield from wrapped(f"- batch norm: {names}, all unchanged{_inference(guide)}", "  ")
    yield from _statistics(guide)


def notes(guide: Guide) -> Iterator[str]:
    """Yield notes on the target about more than the spec's operations; examples/porting shows why they are needed."""
    for note in guide.target.notes:
        if guide.source.title in (note.sources or (guide.source.title,)):
            yield from wrapped(f"- {note.text}", "  ")


def _inference(guide: Guide) -> str:
    row = guide.row(INFERENCE)
    return "" if row is None else f": inference then agrees ({row.best.agreement.count} vectors)"


def _statistics(guide: Guide) -> Iterator[str]:
    """Yield the conversion between the running statistics of the two."""
    row = guide.row(TRAINING)
    gaps = () if row is None else (row.plain or row.best).agreement.gaps
    in_variance = [gap for gap in gaps if gap.output == "running_variance"]
    unbiased = [
        any(UNBIASED in name.split("+") for name in names)
        for names in ([gap.source for gap in in_variance], [gap.target for gap in in_variance])
    ]
    if unbiased[0] == unbiased[1] or guide.target.target_choices(TRAINING)[0].recipe:
        return
    verb, name = ("without", "without_correction") if unbiased[0] else ("with", "with_correction")
    yield ""
    yield from wrapped(
        f"{guide.source.title} updates its running variance {'with' if unbiased[0] else 'without'} a factor "
        f"n / (n - 1), n being the elements per channel in a batch, and {guide.target.title}'s own layer {verb} it. To "
        "compare the two after the same training:"
    )
    yield ""
    yield from fenced("python", recipe_source.definition("nnconform.conformance.guide", "weights", name))
