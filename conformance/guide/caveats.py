"""The measured part of a guide: how many vectors agree, why the plain call does not, and the remaining differences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from nnconform.conformance.vectors.dialects import dialects

from .agreement import Difference, Gap
from .code_layout import wrapped
from .recommendations import Guide, Row

# From here on a difference is a percentage.
PER_CENT = 1e-3
# From here on a percentage needs no fraction.
CLEAR = 0.095

# The dialects of the source and of the target by which they differ.
Cause = tuple[frozenset[str], frozenset[str]]


def proof(guide: Guide) -> Iterator[str]:
    """Yield the number of agreeing vectors of each row, and why it is not the plainest call."""
    several = Counter(row.use for row in guide.rows)
    for row in guide.rows:
        api = f", `{row.source.apis[0]}`" if several[row.use] > 1 else ""
        agreement = row.picks[-1].agreement
        rest = "" if len(agreement.agreed) == len(agreement.vectors) else "; for the others see Remaining differences"
        text = f"- **{row.use}**{api}: {agreement.count} vectors agree{rest}.{_why(guide, row)}"
        yield from wrapped(text, "  ")


def _why(guide: Guide, row: Row) -> str:
    """Return the differences of the plain call, and those in which the target is nearer to the exact value."""
    text = ""
    if row.plain is not None and (gaps := _by_cause(row.plain.agreement.gaps)):
        name, count = row.plain.choice.apis[0], row.plain.agreement.count
        text += f" With `{name}`, {count} agree: {describe_gap(guide, gaps[0], gaps[0].dialects)}"
    if row.exact is not None:
        gap, count = _by_cause(row.best.agreement.gaps)[0], row.best.agreement.count
        text += f" With the call for float32, {count} agree: {describe_gap(guide, gap, gap.dialects)}"
    nearer = [name for gap in row.best.agreement.gaps if gap.target_is_nearer for name in gap.dialects]
    if nearer:
        names = " and ".join(dict.fromkeys(f"`{name}`" for name in nearer))
        text += f" {guide.target.title} is nearer to the exact value: {guide.source.title} has {names}."
    return text


def remaining(guide: Guide) -> Iterator[str]:
    """Yield the differences that every way to write it has, with the dialects' remedies."""
    uses: dict[Cause, list[str]] = {}
    gaps: dict[Cause, Gap] = {}
    for row in guide.rows:
        for gap in _by_cause(row.picks[-1].agreement.gaps):
            uses.setdefault(_cause(gap), []).append(row.use)
            _merge(gaps, gap)
    explained: set[str] = set()
    for cause, gap in gaps.items():
        new = [name for name in gap.dialects if name in dialects() and name not in explained]
        explained.update(new)
        of_rows = f"- **{', '.join(dict.fromkeys(uses[cause]))}** ({_vectors(gap)})"
        yield from wrapped(f"{of_rows}: {describe_gap(guide, gap, new)} {_remedies(gap, new)}".rstrip(), "  ")


def _remedies(gap: Gap, names: Sequence[str]) -> str:
    # The user leaves a dialect of the target, and adopts one of the source.
    target = gap.target.split("+")
    advice = (dialects()[name].remedy if name in target else dialects()[name].adopt for name in names)
    return " ".join(dict.fromkeys(advice))


def _cause(gap: Gap) -> Cause:
    source, target = (frozenset(name.split("+")) & set(gap.dialects) for name in (gap.source, gap.target))
    return source, target


def _by_cause(gaps: Sequence[Gap]) -> list[Gap]:
    """Return the gaps in which the target is not nearer, one for each cause, the most frequent first."""
    merged: dict[Cause, Gap] = {}
    for gap in gaps:
        if not gap.target_is_nearer:
            _merge(merged, gap.copy())
    return sorted(merged.values(), key=lambda gap: -len(gap.vectors))


def _merge(gaps: dict[Cause, Gap], gap: Gap) -> None:
    cause = _cause(gap)
    if cause in gaps:
        gaps[cause].merge(gap)
    else:
        gaps[cause] = gap


def _vectors(gap: Gap) -> str:
    names = list(dict.fromkeys(name.split("/")[1] for name in gap.vectors))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def describe_gap(guide: Guide, gap: Gap, names: Sequence[str]) -> str:
    """Return a few sentences on a gap: the dialects of each side, those with these names explained, and its size."""
    sides = [(guide.source.title, gap.source), (guide.target.title, gap.target)]
    sides_text = " and ".join(
        f"{title} has {', '.join(f'`{part}`' for part in name.split('+') if part in gap.dialects)}"
        for title, name in sides
        if set(name.split("+")) & set(gap.dialects)
    )
    place = f" in {gap.output}" if gap.output and gap.output != "sample" else ""
    summaries = "".join(f" {dialects()[name].summary}" for name in names if name in dialects())
    return f"{sides_text}{place}.{summaries}{_sizes(gap)}"


def _sizes(gap: Gap) -> str:
    """Return the size of a gap on ordinary numbers, and near the ends of the range if it is larger there."""
    text, size = "", 0.0
    for profile, label in (("core", "Measured"), ("defaults", "Measured"), ("range", "At worst")):
        difference = gap.largest.get(profile)
        if difference is not None and difference.relative > 2 * size:
            size = difference.relative
            text += f" {label}: {_describe_difference(difference)}."
    return text


def _describe_difference(difference: Difference) -> str:
    source, target, relative = f"{difference.source:.4g}", f"{difference.target:.4g}", difference.relative
    texts = [f"{source} became {target}"] if source != target else []
    if relative >= PER_CENT and math.isfinite(relative):
        texts.append(f"{100 * relative:.{1 if relative < CLEAR else 0}f} %")
    elif math.isfinite(relative):
        texts.append(f"{relative:.1e} relative")
    return f"{', '.join(texts)} (`{difference.vector}`, {difference.output})"
