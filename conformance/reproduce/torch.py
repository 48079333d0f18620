"""How PyTorch's implementations are called in a script: one function a family."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from . import kernels
from .case import Case, arguments, complement, dtype_and_shape, literal

NUMERIC = "{}.double().numpy()"


def imports(_: Case) -> tuple[str, ...]:
    """Return the imports, the same for every family."""
    return ("import numpy as np", "import torch")


def declared(case: Case, names: tuple[str, str] = ("x", "dy")) -> Iterator[str]:
    """Yield x, which wants its gradient where that is looked at, and dy."""
    yield case.array(names[0], case.input("x"), grad=case.backward)
    if case.backward:
        yield case.array(names[1], case.input("dy"))


def run(case: Case, call: str) -> Iterator[str]:
    """Yield a function of x, compiled where the mode says so, and the backward pass."""
    yield ""
    if case.mode == "compile":
        yield f"@torch.compile\ndef run(x):\n    return {call}\n\n"
        call = "run(x)"
    yield f"y = {call}"
    if case.backward:
        yield "y.backward(dy)"


def activation(case: Case) -> Iterator[str]:
    """Write a function; in place of a copy, since a leaf that wants its gradient cannot be overwritten."""
    yield from declared(case)
    x, options = ("x.clone()" if case.family.options else "x"), case.family.options
    yield from run(case, f"{case.family.call}({arguments(x, options, alpha=case.number('alpha'))})")


def activation_layer(case: Case) -> Iterator[str]:
    """Write a layer."""
    yield from declared(case)
    yield from run(case, f"{case.family.call}({arguments(alpha=case.number('alpha'))})(x)")


def normalized(case: Case, call: str) -> Iterator[str]:
    """Yield a call on ``{x}``, whose channels torch wants on axis 1, and the backward pass; for every step."""
    channels = case.number("channel_axis")
    there, back = (f".movedim({channels}, 1)", f".movedim(1, {channels})") if case.axis != 1 else ("", "")
    if case.mode == "compile":
        function, _, rest = call.partition("(")
        yield f"norm = torch.compile({function})"
        call = f"norm({rest}"
    lines = [f"y = {call.format(x=f'x{there}')}{back}"]
    if case.vector.steps and case.backward:
        lines = ["x.requires_grad_()", *lines]
    if case.backward:
        lines += ["y.backward(dy)"]
    yield from case.stepped("batches, upstream", lines, NUMERIC)


def batch_norm(case: Case) -> Iterator[str]:
    """Write torch.nn.functional.batch_norm."""
    yield from _batches(case)
    yield from case.declared(running_mean="running_mean", running_variance="running_var")
    if case.affine:
        yield case.array("weight", case.input("gamma"), grad=case.backward)
        yield case.array("bias", case.input("beta"), grad=case.backward)
    yield ""
    parameters = ["weight", "bias"] if case.affine else []
    momentum = complement(case.number("momentum"))
    options = arguments(training=case.training, momentum=momentum, eps=case.number("epsilon"))
    tensors = arguments("{x}", "running_mean", "running_var", *parameters)
    yield from normalized(case, f"{case.family.call}(\n    {tensors},\n    {options}\n)")


def _batches(case: Case) -> Iterator[str]:
    if not case.vector.steps:
        yield from declared(case)
    else:
        yield case.array("batches", case.input("x"))
        if case.backward:
            yield case.array("upstream", case.input("dy"))


def batch_norm_layer(case: Case) -> Iterator[str]:
    """Write a layer with the given statistics and parameters."""
    ranks = {"1": (2, 3), "2": (4,), "3": (5,)}[case.family.call[-2]]
    case.refuse(case.rank not in ranks, f"x has {case.rank} axes")
    yield from _batches(case)
    yield ""
    dtype, shape = dtype_and_shape(case.input("running_mean"))
    options = arguments(
        shape[0],
        eps=case.number("epsilon"),
        momentum=complement(case.number("momentum")),
        affine=None if case.affine else False,
        dtype=None if dtype == "float32" else case.array.dtype(dtype),
    )
    yield f"bn = {case.family.call}({options})"
    if not case.training:
        yield "bn.eval()"
    names = {"running_mean": "bn.running_mean", "running_variance": "bn.running_var"}
    yield from case.declared(**names, gamma="bn.weight.data", beta="bn.bias.data")
    yield ""
    yield from normalized(case, "bn({x})")


def initializer(case: Case) -> Iterator[str]:
    """Write an initializer on an empty tensor."""
    dtype = case.vector.attributes["dtype"]
    given = None if dtype == "float32" else case.array.dtype(dtype)
    yield f"torch.manual_seed({case.number('seed')})"
    yield f"sample = torch.empty({arguments(*case.vector.attributes['shape'], dtype=given)})"
    mode = case.number("mode")
    yield f"{case.family.call}({arguments('sample', mode=mode, nonlinearity=mode and literal('relu'))})"


def layer(case: Case) -> Iterator[str]:
    """Write a layer, and the initializer that fills its weight, or a layer that is told nothing about that."""
    kind = kernels.kind_of(case)
    size = kernels.sizes(case, "in_out_spatial" if kind in ("transposed_conv", "embedding") else "out_in_spatial")
    dtype = kernels.dtype(case)
    options = arguments(groups=size.groups, dtype=dtype and case.array.dtype(dtype))
    made = f"layer = {case.family.call}({arguments(size.inputs, size.outputs, size.spatial, options)})"
    seeded = f"torch.manual_seed({case.number('seed')})"
    if case.family.options:
        mode = arguments(mode=case.number("mode"), nonlinearity='"relu"')
        yield from (made, seeded, f"{case.family.options}(layer.weight, {mode})")
    else:
        yield from (seeded, made)


def parameters(case: Case) -> Iterator[str]:
    """Yield parameters w0, w1, ... that hold the gradients; their values are the weights, or of no matter."""
    weights = case.input("weights")
    for i, gradient in enumerate(case.input("gradients")):
        dtype, shape = dtype_and_shape(gradient)
        given = None if dtype == "float32" else case.array.dtype(dtype)
        zeros = f"torch.zeros({arguments(*([f'{n:_}' for n in shape] or ['()']), dtype=given)})"
        opening = f"w{i} = torch.nn.Parameter("
        yield case.array.within(opening, weights[i], ")") if weights else f"{opening}{zeros})"
        if gradient is not None:
            yield case.array(f"w{i}.grad", gradient)
    yield ""


def _all(case: Case) -> str:
    return f"[{', '.join(f'w{i}' for i in range(len(case.input('gradients'))))}]"


def _each(case: Case, call: str) -> Iterator[str]:
    if len(case.input("gradients")) == 1:
        yield call.format("w0")
    else:
        yield f"for w in {_all(case)}:"
        yield f"    {call.format('w')}"


def clip(case: Case) -> Iterator[str]:
    """Write the clipping of all gradients in one call."""
    yield from parameters(case)
    name = yield from _function(case)
    norm = "norm = " if "global_norm" in case.needed else ""
    yield f"{norm}{name}({arguments(_all(case), case.threshold, case.family.options)})"


def clip_each(case: Case) -> Iterator[str]:
    """Write the clipping of each gradient on its own."""
    yield from parameters(case)
    name = yield from _function(case)
    yield from _each(case, f"{name}({{}}, {arguments(case.threshold, case.family.options)})")


def _function(case: Case) -> Generator[str, None, str]:
    """Yield what compiles the function, where it is compiled, and return its name."""
    if case.mode == "eager":
        return case.family.call
    yield f"clip = torch.compile({case.family.call})"
    return "clip"


def sgd(case: Case) -> Iterator[str]:
    """Write a step of torch.optim.SGD, after a clipping or none."""
    yield from parameters(case)
    clipping, _, each = case.family.call.partition(" ")
    fitting = {"": [], "torch.nn.utils.clip_grad_value_": ["clipvalue"]}.get(clipping, ["global_clipnorm"])
    case.refuse(case.clipped_by != (["clipnorm"] if each else fitting), "it does not clip so")
    if each:
        yield from _each(case, f"{clipping}({{}}, {case.threshold})")
    elif clipping:
        yield f"{clipping}({_all(case)}, {case.threshold})"
    yield f"torch.optim.SGD({arguments(_all(case), case.family.options, lr=case.number('learning_rate'))}).step()"
