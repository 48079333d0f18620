"""Calls of PyTorch in a script: one function per family of implementations."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from . import kernels
from .case import Case, arguments, complement, dtype_and_shape, literal

NUMERIC = "{}.double().numpy()"


def imports(_: Case) -> tuple[str, ...]:
    """Return the imports; they are the same for all families."""
    return ("import numpy as np", "import torch")


def _declare(case: Case) -> Iterator[str]:
    """Yield x and dy, or their batches; x is a leaf with a gradient if the script has a backward pass."""
    x, dy = ("batches", "upstream") if case.vector.steps else ("x", "dy")
    yield case.array(x, case.input("x"), grad=case.backward and not case.vector.steps)
    if case.backward:
        yield case.array(dy, case.input("dy"))


def run(case: Case, call: str) -> Iterator[str]:
    """Yield a function of x, compiled in the mode compile, and the backward pass."""
    yield ""
    if case.mode == "compile":
        yield f"@torch.compile\ndef run(x):\n    return {call}\n\n"
        call = "run(x)"
    yield f"y = {call}"
    if case.backward:
        yield "y.backward(dy)"


def activation(case: Case) -> Iterator[str]:
    """Write a function. In place, it takes a copy: a leaf with a gradient cannot be overwritten."""
    yield from _declare(case)
    x, options = ("x.clone()" if case.family.options else "x"), case.family.options
    yield from run(case, f"{case.family.call}({arguments(x, options, alpha=case.number('alpha'))})")


def activation_layer(case: Case) -> Iterator[str]:
    """Write a layer."""
    yield from _declare(case)
    yield from run(case, f"{case.family.call}({arguments(alpha=case.number('alpha'))})(x)")


def _write_normalization(case: Case, call: str) -> Iterator[str]:
    """Yield a call on ``{x}``, with the channels moved to axis 1, and the backward pass, for each step."""
    channels = case.number("channel_axis")
    to_axis_1, from_axis_1 = (f".movedim({channels}, 1)", f".movedim(1, {channels})") if case.axis != 1 else ("", "")
    if case.mode == "compile":
        function, _, rest = call.partition("(")
        yield f"norm = torch.compile({function})"
        call = f"norm({rest}"
    lines = [f"y = {call.format(x=f'x{to_axis_1}')}{from_axis_1}"]
    if case.vector.steps and case.backward:
        lines = ["x.requires_grad_()", *lines]
    if case.backward:
        lines += ["y.backward(dy)"]
    yield from case.write_steps("batches, upstream", lines, NUMERIC)


def batch_norm(case: Case) -> Iterator[str]:
    """Write torch.nn.functional.batch_norm."""
    yield from _declare(case)
    yield from case.declare(running_mean="running_mean", running_variance="running_var")
    if case.affine:
        yield case.array("weight", case.input("gamma"), grad=case.backward)
        yield case.array("bias", case.input("beta"), grad=case.backward)
    yield ""
    parameters = ["weight", "bias"] if case.affine else []
    momentum = complement(case.number("momentum"))
    options = arguments(training=case.training, momentum=momentum, eps=case.number("epsilon"))
    tensors = arguments("{x}", "running_mean", "running_var", *parameters)
    yield from _write_normalization(case, f"{case.family.call}(\n    {tensors},\n    {options}\n)")


def batch_norm_layer(case: Case) -> Iterator[str]:
    """Write a layer with the statistics and parameters of the vector."""
    ranks = {"1": (2, 3), "2": (4,), "3": (5,)}[case.family.call[-2]]
    case.refuse_if(case.rank not in ranks, f"x has {case.rank} axes")
    yield from _declare(case)
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
    yield from case.declare(**names, gamma="bn.weight.data", beta="bn.bias.data")
    yield ""
    yield from _write_normalization(case, "bn({x})")


def initializer(case: Case) -> Iterator[str]:
    """Write an initializer on an empty tensor."""
    dtype = case.vector.attributes["dtype"]
    option = None if dtype == "float32" else case.array.dtype(dtype)
    yield f"torch.manual_seed({case.number('seed')})"
    yield f"sample = torch.empty({arguments(*case.vector.attributes['shape'], dtype=option)})"
    mode = case.number("mode")
    yield f"{case.family.call}({arguments('sample', mode=mode, nonlinearity=mode and literal('relu'))})"


def layer(case: Case) -> Iterator[str]:
    """Write a layer with the default initialization, or with an initializer that then fills its weight."""
    kind = kernels.kind_of(case)
    size = kernels.sizes(case, "in_out_spatial" if kind in ("transposed_conv", "embedding") else "out_in_spatial")
    dtype = kernels.dtype(case)
    options = arguments(groups=size.groups, dtype=dtype and case.array.dtype(dtype))
    construction = f"layer = {case.family.call}({arguments(size.inputs, size.outputs, size.spatial, options)})"
    seeding = f"torch.manual_seed({case.number('seed')})"
    if case.family.options:
        mode = arguments(mode=case.number("mode"), nonlinearity='"relu"')
        yield from (construction, seeding, f"{case.family.options}(layer.weight, {mode})")
    else:
        yield from (seeding, construction)


def _declare_parameters(case: Case) -> Iterator[str]:
    """Yield parameters w0, w1, ... with the gradients; the values are the weights, or zeros if there are none."""
    weights = case.input("weights")
    for i, gradient in enumerate(case.input("gradients")):
        dtype, shape = dtype_and_shape(gradient)
        option = None if dtype == "float32" else case.array.dtype(dtype)
        zeros = f"torch.zeros({arguments(*([f'{n:_}' for n in shape] or ['()']), dtype=option)})"
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
    yield from _declare_parameters(case)
    name = yield from _compile(case)
    norm = "norm = " if "global_norm" in case.needed else ""
    yield f"{norm}{name}({arguments(_all(case), case.threshold, case.family.options)})"


def clip_each(case: Case) -> Iterator[str]:
    """Write the clipping of each gradient by itself."""
    yield from _declare_parameters(case)
    name = yield from _compile(case)
    yield from _each(case, f"{name}({{}}, {arguments(case.threshold, case.family.options)})")


def _compile(case: Case) -> Generator[str, None, str]:
    """Yield the line that compiles the function, if it is compiled, and return its name."""
    if case.mode == "eager":
        return case.family.call
    yield f"clip = torch.compile({case.family.call})"
    return "clip"


def sgd(case: Case) -> Iterator[str]:
    """Write a step of torch.optim.SGD, with or without clipping before it."""
    yield from _declare_parameters(case)
    clipping, _, each = case.family.call.partition(" ")
    fitting = {"": [], "torch.nn.utils.clip_grad_value_": ["clipvalue"]}.get(clipping, ["global_clipnorm"])
    case.refuse_if(case.clipped_by != (["clipnorm"] if each else fitting), "it has no such clipping")
    if each:
        yield from _each(case, f"{clipping}({{}}, {case.threshold})")
    elif clipping:
        yield f"{clipping}({_all(case)}, {case.threshold})"
    yield f"torch.optim.SGD({arguments(_all(case), case.family.options, lr=case.number('learning_rate'))}).step()"
