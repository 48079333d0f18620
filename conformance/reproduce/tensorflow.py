"""Calls of TensorFlow and Keras in a script: one function per family of implementations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnconform.adapters import SparseGradient

from . import kernels, shared_initializers
from .case import Case, arguments, complement, dtype_and_shape, indent, literal

NUMERIC = "np.float64({})"


def imports(case: Case) -> tuple[str, ...]:
    """Return the imports. Keras runs on the TensorFlow backend."""
    if "keras" not in case.family.call:
        return ("import numpy as np", "import tensorflow as tf")
    backend = 'os.environ["KERAS_BACKEND"] = "tensorflow"'
    own = () if case.vector.operation.startswith("he_") else ("import tensorflow as tf",)
    return ("import os", "", backend, "import keras", "import numpy as np", *own)


def run(case: Case, lines: Iterable[str], takes: str, gives: str) -> Iterator[str]:
    """Yield lines unchanged, or in a tf.function."""
    decorator = "tf.function(jit_compile=True)" if case.mode == "xla" else "tf.function"
    return case.write_call(lines, takes, gives, decorator)


def differentiate(case: Case, forward: Iterable[str], sources: dict[str, str]) -> Iterator[str]:
    """Yield the lines that compute y, and the gradients of ``sources`` (by output) if the script checks one."""
    if not case.backward:
        yield from forward
        return
    watched = [source for source in sources.values() if "." not in source]
    yield "with tf.GradientTape() as tape:"
    yield f"    tape.watch({watched[0] if len(watched) == 1 else '[' + ', '.join(watched) + ']'})"
    yield from indent(forward)
    of = ", ".join(sources.values())
    yield f"{', '.join(sources)} = tape.gradient(y, {f'[{of}]' if len(sources) > 1 else of}, dy)"


def _write_activation(case: Case, call: str) -> Iterator[str]:
    yield from case.declare("x", *(["dy"] if case.backward else []))
    lines = differentiate(case, [f"y = {call}"], {"dx": "x"})
    yield from run(case, lines, "x, dy", "y, dx")


def activation(case: Case) -> Iterator[str]:
    """Write a function."""
    alpha = case.number("alpha") if case.family.call.startswith("keras") else None
    case.refuse_if(alpha is None and case.number("alpha") not in (None, "1.0"), "it has no alpha")
    yield from _write_activation(case, f"{case.family.call}({arguments('x', alpha=alpha)})")


def activation_layer(case: Case) -> Iterator[str]:
    """Write a layer, with a dtype unless it is float32: a Keras layer casts its input."""
    dtype = case.vector.dtype
    option = None if dtype == "float32" else literal(dtype)
    alpha = case.number("alpha") if case.family.call.endswith("ELU") else None
    case.refuse_if(alpha is None and case.number("alpha") not in (None, "1.0"), "it has no alpha")
    layer = f"{case.family.call}({arguments(case.family.options.replace(chr(39), chr(34)), alpha=alpha, dtype=option)})"
    if case.mode == "eager":
        yield from _write_activation(case, f"{layer}(x)")
    else:
        yield f"layer = {layer}"
        yield from _write_activation(case, "layer(x)")


def batch_norm(case: Case) -> Iterator[str]:
    """Write tf.nn.batch_normalization, in training with the moments of tf.nn.moments."""
    yield from case.declare_batches()
    running = [] if case.training else ["running_mean", "running_variance"]
    names = {name: name.replace("running", "moving") for name in running}
    affine = ["gamma", "beta"] if case.affine else []
    yield from case.declare(*affine, **names)
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
    lines = list(differentiate(case, forward, sources))
    if case.training and (case.mode != "eager" or case.needed & {"batch_mean", "batch_variance"}):
        flat = ("batch_mean", "mean"), ("batch_variance", "variance")
        lines += [f"{output} = tf.reshape({name}, [-1])" for output, name in flat]
    takes = ", ".join(["x", "dy", *affine, *names.values()])
    gives = ", ".join(["y", *(["batch_mean", "batch_variance"] if case.training else []), *sources])
    yield from _steps(case, lines, takes, gives)


def _steps(case: Case, lines: Iterable[str], takes: str, gives: str) -> Iterator[str]:
    if case.mode == "eager" or not case.vector.steps:
        yield from case.write_steps("batches, upstream", list(run(case, lines, takes, gives)), NUMERIC)
        return
    *body, call = run(case, lines, takes, gives)
    yield from body
    yield from case.write_steps("batches, upstream", [call], NUMERIC)


LAYOUTS = {(4, 3): "NHWC", (4, 1): "NCHW", (5, 4): "NDHWC", (5, 1): "NCDHW"}


def fused_batch_norm(case: Case) -> Iterator[str]:
    """Write the fused operation. It always has scale and shift, and takes old statistics only if it uses them."""
    case.refuse_if((case.rank, case.axis) not in LAYOUTS, "it has no such layout")
    yield from case.declare_batches()
    factor = complement(case.number("momentum"))
    replaces = case.training and (factor is None or case.vector.attributes["momentum"] == 0)
    running = [] if replaces else ["running_mean", "running_variance"]
    affine = ["gamma", "beta"] if case.affine else []
    yield from case.declare(*affine, *running)
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
    yield from _steps(case, differentiate(case, forward, sources), takes, gives)


def batch_norm_layer(case: Case) -> Iterator[str]:
    """Write keras.layers.BatchNormalization with the statistics and parameters of the vector."""
    yield from case.declare_batches()
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
    lines = differentiate(case, [f"y = bn({arguments('x', training=case.training)})"], sources)
    yield from _steps(case, lines, "x, dy", ", ".join(["y", *sources]))


def initializer(case: Case) -> Iterator[str]:
    """Write an initializer. HeNormal and HeUniform have only the mode fan_in."""
    a = case.vector.attributes
    mode = case.number("mode") if case.family.options else None
    if not mode:
        case.refuse_fan_out()
    options = arguments(case.family.options.replace("'", '"'), mode=mode, seed=a["seed"])
    dtype = None if a["dtype"] == "float32" else literal(a["dtype"])
    yield f"initializer = {case.family.call}({options})"
    sample = f"initializer({arguments(tuple(a['shape']), dtype=dtype)})"
    yield f"samples = [{sample} for _ in range({a['layers']})]" if "layers" in a else f"sample = {sample}"


shared = shared_initializers.keras_kernels


def layer(case: Case) -> Iterator[str]:
    """Write a layer with an initializer, or with the default one."""
    kind, seed = kernels.kind_of(case), case.number("seed")
    size = kernels.sizes(case, "spatial_out_in" if kind == "transposed_conv" else "spatial_in_out")
    _refuse(case, kind, size)
    initializer = case.family.options and f"{case.family.options}(seed={seed})"
    dtype = kernels.dtype(case)
    options = arguments(initializer, groups=size.groups, dtype=dtype and literal(dtype))
    if not initializer:
        yield f"keras.utils.set_random_seed({seed})"
    yield f"layer = {case.family.call}({arguments(*_sizes(case, kind, size), options)})"
    inputs = () if kind == "embedding" else (size.inputs,)
    yield f"layer.build({(*[None] * (size.rank - 1), *inputs)})"


def _refuse(case: Case, kind: str, size: kernels.Sizes) -> None:
    case.refuse_if(kind == "transposed_conv" and size.groups is not None, "it has no groups")
    case.refuse_fan_out()
    pointwise = "pointwise" in case.family.outputs["sample"]
    case.refuse_if(pointwise and {*(size.spatial or ())} != {1}, "its kernel has no spatial size")


def _sizes(case: Case, kind: str, size: kernels.Sizes) -> tuple[object, ...]:
    if kind == "embedding":
        return size.inputs, size.outputs
    if kind != "depthwise_conv":
        return size.outputs, size.spatial
    # A separable layer has a pointwise kernel after the depthwise one.
    outputs = 1 if "Separable" in case.family.call else None
    return outputs, size.spatial, f"depth_multiplier={size.outputs}"


def _write_clipping(case: Case, line: str, gives: str) -> Iterator[str]:
    yield from case.declare_list("gradients", "g")
    yield from run(case, [line], "gradients", gives)
    yield from _convert_to_dense(case)


def _convert_to_dense(case: Case) -> Iterator[str]:
    if any(isinstance(g, SparseGradient) for g in case.input("gradients")):
        yield _each(case, "tf.convert_to_tensor(g)").replace("in gradients", "in clipped")


def _each(case: Case, call: str) -> str:
    absent = any(g is None for g in case.input("gradients"))
    return f"clipped = [{'g if g is None else ' if absent else ''}{call} for g in gradients]"


def clip_by_value(case: Case) -> Iterator[str]:
    """Write tf.clip_by_value on every gradient."""
    yield from _write_clipping(
        case, _each(case, f"tf.clip_by_value(g, -{case.threshold}, {case.threshold})"), "clipped"
    )


def clip_by_norm(case: Case) -> Iterator[str]:
    """Write tf.clip_by_norm on every gradient."""
    yield from _write_clipping(case, _each(case, f"tf.clip_by_norm(g, {case.threshold})"), "clipped")


def clip_by_global_norm(case: Case) -> Iterator[str]:
    """Write tf.clip_by_global_norm."""
    line = f"clipped, norm = tf.clip_by_global_norm(gradients, {case.threshold})"
    yield from _write_clipping(case, line, "clipped, norm")


def sgd(case: Case) -> Iterator[str]:
    """Write a step of keras.optimizers.SGD with its clipping."""
    weights = case.input("weights")
    for i, weight in enumerate(weights):
        dtype, _ = dtype_and_shape(weight)
        # Without a dtype, keras.Variable converts its value to float32.
        option = "" if dtype == "float32" else f", dtype={literal(dtype)}"
        yield case.array.within(f"w{i} = keras.Variable(", weight, f"{option})")
    yield f"variables = [{', '.join(f'w{i}' for i in range(len(weights)))}]"
    yield from case.declare_list("gradients", "g")
    names = ("learning_rate", "clipvalue", "clipnorm", "global_clipnorm")
    yield f"optimizer = {case.family.call}({arguments(**{name: case.number(name) for name in names})})"
    if case.mode != "eager":
        yield "optimizer.build(variables)"
    yield from run(case, ["optimizer.apply(gradients, variables)"], "gradients", "")
