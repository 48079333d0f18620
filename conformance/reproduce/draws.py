"""The standard draws of a framework's sampler with the seed of a vector. A sample is a multiple of them."""

from __future__ import annotations

from collections.abc import Iterator

from nnconform.conformance.vectors.vector import LawTensor

from .case import Case, NothingToShow

# A uniform sample is a multiple of draws from [-1, 1], a normal one of normal draws, truncated at 2 or not.
SAMPLERS = {
    "torch": {"normal": "normal_()", "uniform": "uniform_(-1, 1)"},
    "tensorflow": {"truncated_normal": "truncated_normal({shape}, 0.0, 1.0", "uniform": "uniform({shape}, -1.0, 1.0"},
    "jax": {"truncated_normal": "truncated_normal({key}, -2, 2, {shape}", "uniform": "uniform({key}, {shape}"},
}


def before(case: Case) -> Iterator[str]:
    """Yield the lines that reset the generator before the draws."""
    if case.array.framework == "torch":
        yield f"torch.manual_seed({case.number('seed')})"


def expression(case: Case, law: LawTensor) -> str:
    """Return the expression of the draws as an array of the framework.

    Args:
        case: an initializer, or a layer whose generator has the seed of the vector.
        law: the law (distribution) of the sample.

    Raises:
        NothingToShow: the layer creates its key itself, or the framework has no sampler of the law.
    """
    framework, attributes = case.array.framework, case.vector.attributes
    if framework == "jax" and not case.family.call.startswith("jax."):
        raise NothingToShow(f"{case.family.call} creates its key itself; try jax.nn.initializers")
    sampler = SAMPLERS[framework].get(law.law)
    if sampler is None:
        raise NothingToShow(f"{framework} has no sampler of the law {law.law}")
    dtype, shape, seed = str(attributes["dtype"]), tuple(attributes["shape"]), attributes["seed"]
    if framework == "torch":
        return f"torch.empty({shape}, dtype={case.array.dtype(dtype)}).{sampler}"
    call = sampler.format(shape=shape, key=f"jax.random.key({seed})")
    if framework == "tensorflow":
        return f'keras.random.{call}, dtype="{dtype}", seed={seed})'
    lowest = ", -1" if law.law == "uniform" else ""
    return f'jax.random.{call}, "{dtype}"{lowest})'
