"""How the implementations of TensorFlow and Keras are called in a script: one function a family."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nnconform.adapters import SparseGradient

from . import kernels, shared_initializers
from .case import Case, arguments, complement, dtype_and_shape, indented, literal

NUMERIC = "np.float64({})"


def imports(case: Case) -> tuple[str, ...]:
    """Return the imports; Keras runs on its TensorFlow backend."""
    if "keras" not in case.family.call:
        return ("import numpy as np", "import tensorflow as tf")
    backend = 'os.environ["KERAS_BACKEND"] = "tensorflow"'
    own = () if case.vector.operation.startswith("he_") else ("import tensorflow as tf",)
    return ("import os", "", backend, "import keras", "import numpy as np", *own)


def run(case: Case, lines: Iterable[str], takes: str, gives: str) -> Iterator[str]:
    """Yield lines as they stand, or inside one tf.function that takes and gives arrays of these names."""
    yield ""
    if case.mode == "eager":
        yield from lines
        return
    yield "@tf.function(jit_compile=True)" if case.mode == "xla" else "@tf.function"
    yield f"def run({takes}):"
    yield from indented([*lines, f"return {gives}"] if gives else lines)
    yield "\n"
    yield f"{gives} = run({takes})" if gives else f"run({takes})"


def differentiated(case: Case, forward: Iterable[str], sources: dict[str, str]) -> Iterator[str]:
    """Yield the lines that give y, and the gradients of ``sources`` (by output) where one is looked at."""
    if not case.backward:
        yield from forward
        return
    watched = [source for source in sources.values() if "." not in source]
    yield "with tf.GradientTape() as tape:"
    yield f"    tape.watch({watched[0] if len(watched) == 1 else '[' + ', '.join(watched) + ']'})"
    yield from indented(forward)
    of = ", ".join(sources.values())
    yield f"{', '.join(sources)} = tape.gradient(y, {f'[{of}]' if len(sources) > 1 else of}, dy)"


def _activated(case: Case, call: str) -> Iterator[str]:
    yield from case.declared("x", *(["dy"] if case.backward else []))
    lines = differentiated(case, [f"y = {call}"], {"dx": "x"})
    yield from run(case, lines, "x, dy", "y, dx")


def activation(case: Case) -> Iterator[str]:
    """Write a function."""
    alpha = case.number("alpha") if case.family.call.startswith("keras") else None
    case.refuse(alpha is None and case.number("alpha") not in (None, "1.0"), "it has no alpha")
    yield from _activated(case, f"{case.family.call}({arguments('x', alpha=alpha)})")


def activation_layer(case: Case) -> Iterator[str]:
    """Write a layer; it casts its input to its own dtype, float32 unless it is told otherwise."""
    dtype = case.vector.dtype
    given = None if dtype == "float32" else literal(dtype)
    alpha = case.number("alpha") if case.family.call.endswith("ELU") else None
    case.refuse(alpha is None and case.number("alpha") not in (None, "1.0"), "it has no alpha")
    layer = f"{case.family.call}({arguments(case.family.options.replace(chr(39), chr(34)), alpha=alpha, dtype=given)})"
    if case.mode == "eager":
        yield from _activated(case, f"{layer}(x)")
    else:
        yield f"layer = {layer}"
        yield from _activated(case, "layer(x)")


def _batches(case: Case) -> Iterator[str]:
    x, dy = ("batches", "upstream") if case.vector.steps else ("x", "dy")
    yield from case.declared(x=x, **({"dy": dy} if case.backward else {}))


def batch_norm(case: Case) -> Iterator[str]:
    """Write tf.nn.batch_normalization, in training by the moments of tf.nn.moments."""
    yield from _batches(case)
    given = [] if case.training else ["running_mean", "running_variance"]
    names = {name: name.replace("running", "moving") for name in given}
    affine = ["gamma", "beta"] if case.affine else []
    yield from case.declared(*affine, **names)
    shape = [1] * case.rank
    shape[case.axis] = case.shape[case.axis]
    last = case.axis == case.rank - 1
    wide = {n: n if last else f"tf.reshape({n}, {shape})" for n in (*affine, *names.values())}
    scale = arguments(wide.get("beta", "None"), wide.get("gamma", "None"), case.number("epsilon"))
    if case.training:
        axes = [axis for axis in range(case.rank) if axis != case.axis]
        forward = [
            f"mean, variance = tf.nn.moments(x, {axes}, keepdims=True)",
            f"y = tf.nn.batch_normalization(\n    x, mean, variance,\n    {scale}\n)",
        ]
    else:
        statistics = arguments(*(wide[n] for n in names.values()))
        forward = [f"y = tf.nn.batch_normalization(\n    x, {statistics},\n    {scale}\n)"]
    sources = {"dx": "x"} | ({"dgamma": "gamma", "dbeta": "beta"} if case.affine else {})
    lines = list(differentiated(case, forward, sources))
    if case.training and (case.mode != "eager" or case.needed & {"batch_mean", "batch_variance"}):
        flat = ("batch_mean", "mean"), ("batch_variance", "variance")
        lines += [f"{output} = tf.reshape({name}, [-1])" for output, name in flat]
    takes = ", ".join(["x", "dy", *affine, *names.values()])
    gives = ", ".join(["y", *(["batch_mean", "batch_variance"] if case.training else []), *sources])
    yield from _steps(case, lines, takes, gives)


def _steps(case: Case, lines: Iterable[str], takes: str, gives: str) -> Iterator[str]:
    if case.mode == "eager" or not case.vector.steps:
        yield from case.stepped("batches, upstream", list(run(case, lines, takes, gives)), NUMERIC)
        return
    *body, call = run(case, lines, takes, gives)
    yield from body
    yield from case.stepped("batches, upstream", [call], NUMERIC)


LAYOUTS = {(4, 3): "NHWC", (4, 1): "NCHW", (5, 4): "NDHWC", (5, 1): "NCDHW"}


def fused_batch_norm(case: Case) -> Iterator[str]:
    """Write the fused operation, which is always affine, and wants no old statistics where it keeps nothing of them."""
    case.refuse((case.rank, case.axis) not in LAYOUTS, "it has no such layout")
    yield from _batches(case)
    factor = complement(case.number("momentum"))
    replaces = case.training and (factor is None or case.vector.attributes["momentum"] == 0)
    running = [] if replaces else ["running_mean", "running_variance"]
    affine = ["gamma", "beta"] if case.affine else []
    yield from case.declared(*affine, *running)
    size = case.shape[case.axis]
    scale = affine or [f"tf.ones({size})", f"tf.zeros({size})"]
    layout = arguments(data_format=literal(LAYOUTS[case.rank, case.axis]), is_training=case.training)
    factor = factor if case.training else None
    numbers = arguments(epsilon=case.number("epsilon"), exponential_avg_factor=factor)
    tensors = arguments("x", *scale, *running)
    rows = ",\n    ".join(filter(None, [tensors, numbers, layout]))
    forward = [f"y, running_mean, running_variance = {case.family.call}(\n    {rows}\n)"]
    sources = {"dx": "x"} | ({"dgamma": "gamma", "dbeta": "beta"} if case.affine else {})
    gives = ", ".join(["y", "running_mean", "running_variance", *sources])
    takes = ", ".join(["x", "dy", *affine, *running])
    yield from _steps(case, differentiated(case, forward, sources), takes, gives)


def batch_norm_layer(case: Case) -> Iterator[str]:
    """Write keras.layers.BatchNormalization with the given statistics and parameters."""
    yield from _batches(case)
    statistics, _ = dtype_and_shape(case.input("running_mean"))
    dtype = case.vector.dtype if statistics == case.vector.dtype else f"mixed_{case.vector.dtype}"
    axis = case.number("channel_axis")
    options = arguments(
        axis=None if axis == "-1" else axis,
        momentum=case.number("momentum"),
        epsilon=case.number("epsilon"),
        center=None if case.affine else False,
        scale=None if case.affine else False,
        dtype=None if dtype == "float32" else literal(dtype),
    )
    yield ""
    yield f"bn = {case.family.call}({options})"
    yield f"bn.build({'batches[0]' if case.vector.steps else 'x'}.shape)"
    names = {"gamma": "bn.gamma", "beta": "bn.beta"} if case.affine else {}
    names |= {"running_mean": "bn.moving_mean", "running_variance": "bn.moving_variance"}
    for name, variable in names.items():
        yield case.array.within(f"{variable}.assign(", case.input(name), ")")
    sources = {"dx": "x"} | ({"dgamma": "bn.gamma", "dbeta": "bn.beta"} if case.affine else {})
    lines = differentiated(case, [f"y = bn({arguments('x', training=case.training)})"], sources)
    yield from _steps(case, lines, "x, dy", ", ".join(["y", *sources]))


def initializer(case: Case) -> Iterator[str]:
    """Write an initializer; HeNormal and HeUniform have one mode only."""
    a = case.vector.attributes
    mode = case.number("mode") if case.family.options else None
    case.refuse(not mode and a.get("mode", "fan_in") != "fan_in", "it has the mode fan_in alone")
    options = arguments(case.family.options.replace("'", '"'), mode=mode, seed=a["seed"])
    dtype = None if a["dtype"] == "float32" else literal(a["dtype"])
    yield f"initializer = {case.family.call}({options})"
    sample = f"initializer({arguments(tuple(a['shape']), dtype=dtype)})"
    yield f"samples = [{sample} for _ in range({a['layers']})]" if "layers" in a else f"sample = {sample}"


shared = shared_initializers.keras_kernels


def layer(case: Case) -> Iterator[str]:
    """Write a layer that is given an initializer, or told nothing about its initialization."""
    kind, seed = kernels.kind_of(case), case.number("seed")
    size = kernels.sizes(case, "spatial_out_in" if kind == "transposed_conv" else "spatial_in_out")
    _refuse(case, kind, size)
    told = case.family.options and f"{case.family.options}(seed={seed})"
    dtype = kernels.dtype(case)
    options = arguments(told, groups=size.groups, dtype=dtype and literal(dtype))
    if not told:
        yield f"keras.utils.set_random_seed({seed})"
    yield f"layer = {case.family.call}({arguments(*_sizes(case, kind, size), options)})"
    inputs = () if kind == "embedding" else (size.inputs,)
    yield f"layer.build({(*[None] * (size.rank - 1), *inputs)})"


def _refuse(case: Case, kind: str, size: kernels.Sizes) -> None:
    case.refuse(kind == "transposed_conv" and size.groups is not None, "it has no groups")
    case.refuse(case.vector.attributes.get("mode", "fan_in") != "fan_in", "it has the mode fan_in alone")
    pointwise = "pointwise" in case.family.outputs["sample"]
    case.refuse(pointwise and {*(size.spatial or ())} != {1}, "its kernel has no spatial size")


def _sizes(case: Case, kind: str, size: kernels.Sizes) -> tuple[object, ...]:
    if kind == "embedding":
        return size.inputs, size.outputs
    if kind != "depthwise_conv":
        return size.outputs, size.spatial
    # A separable layer has outputs of its own after those of each input.
    outputs = 1 if "Separable" in case.family.call else None
    return outputs, size.spatial, f"depth_multiplier={size.outputs}"


def gradients(case: Case) -> Iterator[str]:
    """Yield the list of gradients."""
    given: list[Any] = case.input("gradients")
    for i, gradient in enumerate(given):
        if gradient is not None:
            yield case.array(f"g{i}", gradient)
    entries = ["None" if gradient is None else f"g{i}" for i, gradient in enumerate(given)]
    yield f"gradients = [{', '.join(entries)}]"


def _clipped(case: Case, line: str, gives: str) -> Iterator[str]:
    yield from gradients(case)
    yield from run(case, [line], "gradients", gives)
    yield from _dense(case)


def _dense(case: Case) -> Iterator[str]:
    if any(isinstance(g, SparseGradient) for g in case.input("gradients")):
        yield _each(case, "tf.convert_to_tensor(g)").replace("in gradients", "in clipped")


def _each(case: Case, call: str) -> str:
    absent = any(g is None for g in case.input("gradients"))
    return f"clipped = [{'g if g is None else ' if absent else ''}{call} for g in gradients]"


def clip_by_value(case: Case) -> Iterator[str]:
    """Write tf.clip_by_value on every gradient."""
    yield from _clipped(case, _each(case, f"tf.clip_by_value(g, -{case.threshold}, {case.threshold})"), "clipped")


def clip_by_norm(case: Case) -> Iterator[str]:
    """Write tf.clip_by_norm on every gradient."""
    yield from _clipped(case, _each(case, f"tf.clip_by_norm(g, {case.threshold})"), "clipped")


def clip_by_global_norm(case: Case) -> Iterator[str]:
    """Write tf.clip_by_global_norm."""
    line = f"clipped, norm = tf.clip_by_global_norm(gradients, {case.threshold})"
    yield from _clipped(case, line, "clipped, norm")


def sgd(case: Case) -> Iterator[str]:
    """Write a step of keras.optimizers.SGD with its own clipping."""
    weights = case.input("weights")
    for i, weight in enumerate(weights):
        dtype, _ = dtype_and_shape(weight)
        # keras.Variable is of floatx, float32, whatever it is made from.
        given = "" if dtype == "float32" else f", dtype={literal(dtype)}"
        yield case.array.within(f"w{i} = keras.Variable(", weight, f"{given})")
    yield f"variables = [{', '.join(f'w{i}' for i in range(len(weights)))}]"
    yield from gradients(case)
    names = ("learning_rate", "clipvalue", "clipnorm", "global_clipnorm")
    yield f"optimizer = {case.family.call}({arguments(**{name: case.number(name) for name in names})})"
    if case.mode != "eager":
        yield "optimizer.build(variables)"
    yield from run(case, ["optimizer.apply(gradients, variables)"], "gradients", "")
