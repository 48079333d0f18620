"""Vectors with several samples: several kernels of one initializer, or the first sample only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnconform.conformance.model.result import Result
from nnconform.conformance.vectors.vector import LawTensor, Vector

from .case import Case, NothingToShow, indent, literal
from .families import Family
from .reported_calls import output_of

REPEATS = "initializer-repeats"


def makes_several(framework: str, family: Family, vector: Vector) -> bool:
    """Return True if a script makes several kernels with one initializer.

    Raises:
        NothingToShow: the implementation is for several kernels, but the vector has one.
    """
    several = "layers" in vector.attributes
    if family.writer == "shared" and not several:
        raise NothingToShow(f"{family.call} is shared by several kernels, but {vector.id} has one kernel")
    return several and (family.writer == "shared" or (framework, family.writer) == ("tensorflow", "initializer"))


def one_sample(vector: Vector, result: Result | None) -> Vector:
    """Return the vector with the first of its samples only. All samples have the same law.

    Raises:
        NothingToShow: the problem in the report is about all samples together.
    """
    if not vector.seeds and "layers" not in vector.attributes:
        return vector
    if result is not None and result.verdict != "conforms":
        other = f"{vector.operation}/dense*"
        raise NothingToShow(f"{vector.id} has several samples, but a script draws one; try a vector of {other}")
    attributes = {name: value for name, value in vector.attributes.items() if name != "layers"}
    expected = {name: _first(vector.expected[name]) for name in vector.expected}
    return replace(vector, attributes=attributes, seeds=(), expected=expected)


def _first(law: object) -> LawTensor:
    assert isinstance(law, LawTensor)
    return replace(law, shape=law.shape[1:], pattern="")


def check(result: Result | None) -> Iterator[str]:
    """Yield the assertion that two kernels of one initializer differ.

    Raises:
        NothingToShow: the report has another problem.
    """
    problem = "the kernels of one initializer are the same"
    if result is not None and result.verdict != "conforms":
        output = output_of(result, "sample")
        if REPEATS not in output.dialect.split("+"):
            raise NothingToShow(f"the problem is not that the kernels are the same: {output.problem or result.verdict}")
        problem = output.problem or problem
    yield "first, second = (np.array(sample) for sample in samples)"
    yield f"assert not np.array_equal(first, second), {literal(f'sample: {problem}')}"


def keras_kernels(case: Case) -> Iterator[str]:
    """Write one initializer that several kernels or layers use."""
    rows, columns = case.vector.attributes["shape"]
    seed, initializer = case.number("seed"), case.family.options or f"{case.family.call}()"
    if "{seed}" not in initializer:
        yield f"keras.utils.set_random_seed({seed})"
    yield f"initializer = {initializer.format(seed=seed)}"
    if not case.family.options:
        yield f"samples = [initializer({(rows, columns)}) for _ in range({case.number('layers')})]"
        return
    layer = f"{case.family.call}({columns}, kernel_initializer=initializer)"
    yield f"layers = [{layer} for _ in range({case.number('layers')})]"
    yield "for layer in layers:"
    yield f"    layer.build((None, {rows}))"
    yield "samples = [layer.kernel for layer in layers]"


def flax_kernels(case: Case) -> Iterator[str]:
    """Write several layers of one module with one initializer."""
    rows, columns = case.vector.attributes["shape"]
    seed, count = case.number("seed"), case.number("layers")
    call = case.family.call.removeprefix("flax.")
    yield f"initializer = jax.nn.initializers.{case.vector.operation}()"
    if call.startswith("nnx."):
        yield f"rngs = nnx.Rngs({seed})"
        layer = f"{call}({rows}, {columns}, kernel_init=initializer, rngs=rngs)"
        yield f"samples = [{layer}.kernel[...] for _ in range({count})]"
        return
    yield "class Layers(linen.Module):"
    layer = f'{call}({columns}, kernel_init=initializer, name=f"layer{{i}}")(x)'
    body = ["@linen.compact", "def __call__(self, x):", f"    return [{layer} for i in range({count})]"]
    yield from indent(body)
    yield ""
    yield f'layers = Layers().init(jax.random.key({seed}), np.zeros((0, {rows}), np.float32))["params"]'
    yield 'samples = [layer["kernel"] for layer in layers.values()]'
