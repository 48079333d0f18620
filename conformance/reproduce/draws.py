"""The standard draws of a framework's own sampler, at the seed of a vector: what a sample is a multiple of."""

from __future__ import annotations

from collections.abc import Iterator

from nnconform.conformance.vectors.vector import LawTensor

from .case import Case, NothingToShow

# A uniform sample is a multiple of draws of [-1, 1], a normal one of normal draws, which may be cut at 2.
SAMPLERS = {
    "torch": {"normal": "normal_()", "uniform": "uniform_(-1, 1)"},
    "tensorflow": {"truncated_normal": "truncated_normal({shape}, 0.0, 1.0", "uniform": "uniform({shape}, -1.0, 1.0"},
    "jax": {"truncated_normal": "truncated_normal({key}, -2, 2, {shape}", "uniform": "uniform({key}, {shape}"},
}


def before(case: Case) -> Iterator[str]:
    """Yield what must be done before the draws are made again."""
    if case.array.framework == "torch":
        yield f"torch.manual_seed({case.number('seed')})"


def expression(case: Case, law: LawTensor) -> str:
    """Return the expression of the draws, as the framework gives them.

    Args:
        case: an initializer, or a layer whose generator has the vector's seed.
        law: of the sample.

    Raises:
        NothingToShow: a layer that makes its key itself, or a law that the framework has no sampler of.
    """
    framework, attributes = case.array.framework, case.vector.attributes
    if framework == "jax" and not case.family.call.startswith("jax."):
        raise NothingToShow(f"{case.family.call} makes its key itself; try jax.nn.initializers, which shows the same")
    sampler = SAMPLERS[framework].get(law.law)
    if sampler is None:
        raise NothingToShow(f"{framework} has no sampler of the law {law.law} whose draws could be shown")
    dtype, shape, seed = str(attributes["dtype"]), tuple(attributes["shape"]), attributes["seed"]
    if framework == "torch":
        return f"torch.empty({shape}, dtype={case.array.dtype(dtype)}).{sampler}"
    called = sampler.format(shape=shape, key=f"jax.random.key({seed})")
    if framework == "tensorflow":
        return f'keras.random.{called}, dtype="{dtype}", seed={seed})'
    lowest = ", -1" if law.law == "uniform" else ""
    return f'jax.random.{called}, "{dtype}"{lowest})'
