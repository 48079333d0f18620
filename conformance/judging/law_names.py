"""Name the law that a sample follows instead of its own (spec/numerics.md, Laws)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nnconform.conformance.vectors.vector import LawTensor
from nnconform.reference.initialization import LAYOUTS, MODES, TRUNCATED_DEVIATION, fan

from .distribution import CUT
from .law_tests import expected_scale, fits, limit, statistics
from .sample import Sample

# Gains of other activations, by which sqrt(2), that of ReLU, may have been replaced.
GAINS = {
    "1": 1.0,
    "2": 2.0,
    "5/3 (tanh)": 5 / 3,
    "3/4 (SELU)": 0.75,
    "sqrt(2 / 1.0001) (leaky ReLU of slope 0.01)": math.sqrt(2 / 1.0001),
    "sqrt(2 / 1.04) (leaky ReLU of slope 0.2)": math.sqrt(2 / 1.04),
    "sqrt(1 / 3) (leaky ReLU of slope sqrt(5))": math.sqrt(1 / 3),
    "sqrt(6)": math.sqrt(6),
}
# The largest share beyond the support that is called a leak; an uncut normal law has 2.3 % there.
MOST_LEAKED = 0.01


class Named(NamedTuple):
    """A law that explains a sample.

    Attributes:
        name: of the fault, a name of spec/dialects.yaml.
        words: a short description.
    """

    name: str
    words: str


class Ratio(NamedTuple):
    """A way to get another deviation: the fault, its words, and the deviation over the right one."""

    name: str
    words: str
    ratio: float


def name(sample: Sample, law: LawTensor, attributes: Mapping[str, Any]) -> Named | None:
    """Return the law of a sample that does not follow its own; None if no known law explains it.

    Args:
        sample: of the right dtype and shape.
        law: the law that it should follow.
        attributes: shape, kind, layout, and groups and mode if the vector has them.
    """
    if not sample.finite or not sample.largest:
        return None
    if law.pattern:
        return _repeated(sample, law)
    candidates = (_scaled(sample, law, other, attributes) for other in _families(law))
    return next((named for named in candidates if named), None) or _leak(sample, law)


def _repeated(sample: Sample, law: LawTensor) -> Named | None:
    """Return the fault of samples that are equal and should differ, or differ and should be equal."""
    contents = [sample.elements[i].tobytes() for i in range(len(law.pattern))]
    letters = "".join("abcdefgh"[contents.index(elements)] for elements in contents)
    if len(set(letters)) < len(set(law.pattern)):
        return Named("seed-ignored", "samples of different seeds, or of several layers, have the same elements")
    if len(set(letters)) > len(set(law.pattern)):
        return Named("not-repeatable", "samples of the same seed have different elements")
    return None


def _families(law: LawTensor) -> Iterator[LawTensor]:
    """Yield the law itself, and the other ones of the same deviation."""
    yield law
    others = {
        "normal": math.inf,
        "truncated_normal": CUT / TRUNCATED_DEVIATION * law.stddev,
        "uniform": math.sqrt(3) * law.stddev,
    }
    yield from (replace(law, law=name, bound=bound) for name, bound in others.items() if name != law.law)


def _kind(other: str, expected: str) -> str:
    """Return the name of a law of another family than the expected one; "" for the same family."""
    if other == expected:
        return ""
    if expected == "uniform":
        return "normal-for-uniform"
    return "uniform-for-normal" if other == "uniform" else "untruncated-normal"


def _scaled(sample: Sample, law: LawTensor, other: LawTensor, attributes: Mapping[str, Any]) -> Named | None:
    """Return the name of a family that a sample follows at any scale, or None."""
    kind = _kind(other.law, law.law)
    if kind and fits(sample, other):
        return Named(kind, f"{other.law} of the right deviation, {other.stddev:.6g}")
    ratios = [r for r in _ratios(other, attributes) if fits(sample, _times(other, r.ratio))]
    measured = [r for r in _measured(sample, other) if fits(sample, _times(other, r))]
    if not ratios and not measured:
        return None
    names = " or ".join(dict.fromkeys(r.name for r in ratios)) or "wrong-deviation"
    words = " or ".join(dict.fromkeys(r.words for r in ratios)) or "no fan, gain or correction that is known"
    times = (measured or [r.ratio for r in ratios])[0]
    return Named("+".join(filter(None, (kind, names))), f"{other.law} of {times:.6g} times the deviation: {words}")


def _times(law: LawTensor, ratio: float) -> LawTensor:
    return replace(law, stddev=law.stddev * ratio, bound=law.bound * ratio)


def _measured(sample: Sample, law: LawTensor) -> Iterator[float]:
    """Yield estimates of a sample's deviation over that of a law."""
    if scale := sample.scale(law.law):
        yield (scale.low + scale.high) / 2 / expected_scale(law)
        return
    if math.isfinite(law.bound):
        # The largest of n elements determines the end of the law to about 25 / n, better than the variance does.
        yield sample.largest / law.bound
    yield math.sqrt(sample.moments[2]) / law.stddev


def _ratios(law: LawTensor, attributes: Mapping[str, Any]) -> Iterator[Ratio]:
    right = 2 / law.stddev**2
    for words, size in _fans(attributes).items():
        if size > 0 and not math.isclose(size, right, rel_tol=1e-9):
            yield Ratio("wrong-fan", f"fan {size:g}, {words}, for {right:g}", math.sqrt(right / size))
    for words, gain in GAINS.items():
        yield Ratio("gain-forgotten" if gain == 1 else "wrong-gain", f"gain {words}", gain / math.sqrt(2))
    if law.law == "normal":
        yield Ratio("wrong-truncation", "corrected for a cut that is not made", 1 / TRUNCATED_DEVIATION)
    if law.law == "truncated_normal":
        yield Ratio("wrong-truncation", "the correction for the cut is missing", TRUNCATED_DEVIATION)
        yield Ratio("wrong-truncation", "the correction for the cut is made twice", 1 / TRUNCATED_DEVIATION)
    yield Ratio("deviation-for-variance", "the variance, 2 / fan, is taken as the deviation", law.stddev)
    yield Ratio("deviation-for-variance", "the root is taken twice", law.stddev**-0.5)
    if law.law == "uniform":
        yield Ratio("deviation-for-bound", "the deviation is taken as the end of the interval", 1 / math.sqrt(3))
        yield Ratio("deviation-for-bound", "the end of the interval is taken as its width", 0.5)


def _fans(attributes: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers that may have been taken for the fan, by description."""
    shape, layout, groups = attributes["shape"], attributes["layout"], attributes.get("groups", 1)
    kernel = {"kind": attributes["kind"], "layout": layout, "groups": groups}
    fans = {f"the {mode}": fan(shape, mode=mode, **kernel) for mode in MODES}
    in_axis, out_axis, spatial = LAYOUTS[layout]
    receptive = math.prod(shape[spatial])
    inputs, outputs = shape[in_axis], shape[out_axis]
    fans |= {
        "the kernel's own inputs": inputs * receptive,
        "the kernel's own outputs": outputs * receptive,
        "the mean of the kernel's own inputs and outputs": (inputs + outputs) * receptive / 2,
        "the inputs of all groups": inputs * groups * receptive,
        "the inputs without the receptive field": inputs,
        "the outputs without the receptive field": outputs,
        "fan_in + fan_out": fans["the fan_in"] + fans["the fan_out"],
        "the number of elements": math.prod(shape),
        "the first axis": shape[0],
        "the last axis": shape[-1],
    }
    by_size: dict[float, str] = {}
    for words, size in fans.items():
        by_size.setdefault(float(size), words)
    return {words: size for size, words in by_size.items()}


def _leak(sample: Sample, law: LawTensor) -> Named | None:
    """Return the leak of a sample that follows its law except for a few elements beyond the support."""
    outside = np.abs(sample.wide) > float(limit(law, sample.size))
    share = np.count_nonzero(outside) / sample.size
    if not 0 < share <= MOST_LEAKED:
        return None
    within = Sample(np.where(outside, 0, sample.elements).astype(sample.elements.dtype))
    hard = {"support", "distinct values"}
    if any(s.ratio > 1 for s in statistics(within, law) if s.name not in hard):
        return None
    kind = "leaky-truncation" if law.law == "truncated_normal" else "leaky-support"
    largest = sample.largest / law.stddev
    return Named(
        kind,
        f"{np.count_nonzero(outside)} of {sample.size} elements beyond {law.bound / law.stddev:.4g} deviations, "
        f"the largest at {largest:.4g}",
    )
