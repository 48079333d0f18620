"""What a guide tells of the measurement: how many vectors agree, why the plain call does not do, and what stays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from nnconform.conformance.vectors.dialects import dialects

from .agreement import Gap, Sight
from .code_layout import wrapped
from .recommendations import Guide, Row

# Below it a difference is told as a number, above in per cent.
PER_CENT = 1e-3
# From here on per cents need no fraction.
CLEAR = 0.095


def proof(guide: Guide) -> Iterator[str]:
    """Yield for each row on how many vectors the two agree, and why it is not the plainest call."""
    several = Counter(row.use for row in guide.rows)
    for row in guide.rows:
        of = f", `{row.ours.apis[0]}`" if several[row.use] > 1 else ""
        agreement = row.picks[-1].agreement
        rest = "" if len(agreement.agreed) == len(agreement.vectors) else "; the others: What stays different"
        text = f"- **{row.use}**{of}: {agreement.count} vectors agree{rest}.{_why(guide, row)}"
        yield from wrapped(text, "  ")


def _why(guide: Guide, row: Row) -> str:
    """Say what the plain call would have done, and where the new call is nearer to the exact value."""
    said = ""
    if row.plain is not None:
        main = _different(row.plain.agreement.gaps)
        if main:
            name, count = row.plain.choice.apis[0], row.plain.agreement.count
            said += f" With `{name}` {count} do: {told(guide, main[0], main[0].names)}"
    if row.exact is not None:
        gap, count = _different(row.best.agreement.gaps)[0], row.best.agreement.count
        said += f" With the call for float32 {count} do: {told(guide, gap, gap.names)}"
    nearer = dict.fromkeys(f"`{name}`" for gap in row.best.agreement.gaps if gap.nearer for name in gap.names)
    if nearer:
        said += f" {guide.target.title} is nearer to the exact value: {guide.source.title} has {' and '.join(nearer)}."
    return said


def remaining(guide: Guide) -> Iterator[str]:
    """Yield the differences that no way to write it takes away, with the dialects' remedies."""
    uses: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
    gaps: dict[tuple[frozenset[str], frozenset[str]], Gap] = {}
    for row in guide.rows:
        for gap in _different(row.picks[-1].agreement.gaps):
            key = _sides(gap)
            uses.setdefault(key, []).append(row.use)
            if key in gaps:
                gaps[key].join(gap)
            else:
                gaps[key] = gap
    known: set[str] = set()
    for key, gap in gaps.items():
        new = [name for name in gap.names if name in dialects() and name not in known]
        known.update(new)
        # Where the target has it, it is to be left; where the source has it, to be had in the target too.
        theirs = gap.theirs.split("+")
        advice = (str(dialects()[name]["remedy" if name in theirs else "adopt"]) for name in new)
        remedies = " ".join(dict.fromkeys(advice))
        where = f"- **{', '.join(dict.fromkeys(uses[key]))}** ({_vectors(gap)})"
        yield from wrapped(f"{where}: {told(guide, gap, new)} {remedies}".rstrip(), "  ")


def _sides(gap: Gap) -> tuple[frozenset[str], frozenset[str]]:
    """Return the dialects by which the two differ, those of the one and those of the other."""
    ours, theirs = (frozenset(name.split("+")) & set(gap.names) for name in (gap.ours, gap.theirs))
    return ours, theirs


def _different(gaps: Sequence[Gap]) -> list[Gap]:
    """Return the gaps that matter, those of several outputs for the same reason as one, the most frequent first."""
    found: dict[tuple[frozenset[str], frozenset[str]], Gap] = {}
    for gap in (gap for gap in gaps if not gap.nearer):
        key = _sides(gap)
        if key in found:
            found[key].join(gap)
        else:
            found[key] = gap.copy()
    return sorted(found.values(), key=lambda gap: -len(gap.vectors))


def _vectors(gap: Gap) -> str:
    names = list(dict.fromkeys(name.split("/")[1] for name in gap.vectors))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def told(guide: Guide, gap: Gap, names: Sequence[str]) -> str:
    """Say in a few sentences who differs, how, and by how much; explain dialects of these names."""
    who = [(guide.source.title, gap.ours), (guide.target.title, gap.theirs)]
    has = " and ".join(
        f"{title} has {', '.join(f'`{part}`' for part in name.split('+') if part in gap.names)}"
        for title, name in who
        if set(name.split("+")) & set(gap.names)
    )
    place = f" in {gap.output}" if gap.output and gap.output != "sample" else ""
    summaries = "".join(f" {dialects()[name]['summary']}" for name in names if name in dialects())
    return f"{has}{place}.{summaries}{_numbers(gap)}"


def _numbers(gap: Gap) -> str:
    """Return the measured size of a gap on ordinary numbers, and near the ends of the range where it is larger."""
    said, size = "", 0.0
    for profile, where in (("core", "Measured"), ("defaults", "Measured"), ("range", "At worst")):
        if profile in gap.sights and gap.sights[profile].relative > 2 * size:
            size = gap.sights[profile].relative
            said += f" {where}: {_sight(gap.sights[profile])}."
    return said


def _sight(sight: Sight) -> str:
    a, b = f"{sight.ours:.4g}", f"{sight.theirs:.4g}"
    said = [f"{a} became {b}"] if a != b else []
    if sight.relative >= PER_CENT and math.isfinite(sight.relative):
        said.append(f"{100 * sight.relative:.{1 if sight.relative < CLEAR else 0}f} %")
    elif math.isfinite(sight.relative):
        said.append(f"{sight.relative:.1e} relative")
    return f"{', '.join(said)} (`{sight.vector}`, {sight.output})"
