"""Several samples of one vector: the kernels that one initializer makes, and one sample where that tells as much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnconform.conformance.model.result import Result
from nnconform.conformance.vectors.vector import LawTensor, Vector

from .case import Case, NothingToShow, indented, literal
from .families import Family
from .reported_calls import output_of

REPEATS = "initializer-repeats"


def makes_several(framework: str, family: Family, vector: Vector) -> bool:
    """Say whether a script makes all kernels that a vector asks of one initializer.

    Raises:
        NothingToShow: it is made of nothing else, and the vector asks for one kernel.
    """
    asked = "layers" in vector.attributes
    if family.writer == "shared" and not asked:
        raise NothingToShow(f"{family.call} is shared by several kernels, and {vector.id} asks for one")
    return asked and (family.writer == "shared" or (framework, family.writer) == ("tensorflow", "initializer"))


def one_sample(vector: Vector, result: Result | None) -> Vector:
    """Return a vector of several samples as of its first, which has the law of all.

    Raises:
        NothingToShow: the report says something of all of them together.
    """
    if not vector.seeds and "layers" not in vector.attributes:
        return vector
    if result is not None and result.verdict != "conforms":
        one = f"{vector.operation}/dense*"
        raise NothingToShow(f"{vector.id} asks for several samples, and a script draws one; try a vector of {one}")
    attributes = {name: value for name, value in vector.attributes.items() if name != "layers"}
    expected = {name: _first(vector.expected[name]) for name in vector.expected}
    return replace(vector, attributes=attributes, seeds=(), expected=expected)


def _first(law: object) -> LawTensor:
    assert isinstance(law, LawTensor)
    return replace(law, shape=law.shape[1:], pattern="")


def check(result: Result | None) -> Iterator[str]:
    """Yield the assertion that two kernels of one initializer differ.

    Raises:
        NothingToShow: the report has another problem with them.
    """
    problem = "the kernels of one initializer are the same"
    if result is not None and result.verdict != "conforms":
        output = output_of(result, "sample")
        if REPEATS not in output.dialect.split("+"):
            raise NothingToShow(f"the kernels are not told to be the same, but {output.problem or result.verdict}")
        problem = output.problem or problem
    yield "first, second = (np.array(sample) for sample in samples)"
    yield f"assert not np.array_equal(first, second), {literal(f'sample: {problem}')}"


def keras_kernels(case: Case) -> Iterator[str]:
    """Write an instance that is called for each kernel, or given to layers."""
    rows, columns = case.vector.attributes["shape"]
    seed, given = case.number("seed"), case.family.options or f"{case.family.call}()"
    if "{seed}" not in given:
        yield f"keras.utils.set_random_seed({seed})"
    yield f"initializer = {given.format(seed=seed)}"
    if not case.family.options:
        yield f"samples = [initializer({(rows, columns)}) for _ in range({case.number('layers')})]"
        return
    made = f"{case.family.call}({columns}, kernel_initializer=initializer)"
    yield f"layers = [{made} for _ in range({case.number('layers')})]"
    yield "for layer in layers:"
    yield f"    layer.build((None, {rows}))"
    yield "samples = [layer.kernel for layer in layers]"


def flax_kernels(case: Case) -> Iterator[str]:
    """Write the layers of one module, which are given one initializer."""
    rows, columns = case.vector.attributes["shape"]
    seed, count = case.number("seed"), case.number("layers")
    call = case.family.call.removeprefix("flax.")
    yield f"initializer = jax.nn.initializers.{case.vector.operation}()"
    if call.startswith("nnx."):
        yield f"rngs = nnx.Rngs({seed})"
        made = f"{call}({rows}, {columns}, kernel_init=initializer, rngs=rngs)"
        yield f"samples = [{made}.kernel[...] for _ in range({count})]"
        return
    yield "class Layers(linen.Module):"
    made = f'{call}({columns}, kernel_init=initializer, name=f"layer{{i}}")(x)'
    body = ["@linen.compact", "def __call__(self, x):", f"    return [{made} for i in range({count})]"]
    yield from indented(body)
    yield ""
    yield f'layers = Layers().init(jax.random.key({seed}), np.zeros((0, {rows}), np.float32))["params"]'
    yield 'samples = [layer["kernel"] for layer in layers.values()]'
