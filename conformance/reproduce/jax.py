"""Calls of JAX, flax and optax in a script: one function per family of implementations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from nnconform.adapters import SparseGradient

from . import kernels, shared_initializers
from .case import Case, arguments, dtype_and_shape, indent, literal

NUMERIC = "np.float64({})"


def imports(case: Case) -> tuple[str, ...]:
    """Return the imports of the family, and the setting that allows 64-bit numbers if the vector has them."""
    package, _, rest = case.family.call.partition(".")
    own = [f"from flax import {rest.partition('.')[0]}"] if package == "flax" else []
    if case.vector.operation == "sgd_step" or package == "optax":
        own = ["import optax"]
    wide = ["", 'jax.config.update("jax_enable_x64", True)'] if case.vector.dtype == "float64" else []
    sampled = case.vector.operation.startswith("he_")
    return ("import jax", *([] if sampled else ["import jax.numpy as jnp"]), "import numpy as np", *own, *wide)


def run(case: Case, lines: Iterable[str], takes: str, gives: str, decorator: str = "jax.jit") -> Iterator[str]:
    """Yield lines unchanged, or in a function that ``decorator`` compiles."""
    return case.write_call(lines, takes, gives, decorator)


def _steps(case: Case, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of ``run`` in a loop over all steps; a compiled function is before the loop."""
    *body, last = lines
    if case.vector.steps and case.mode == "eager":
        yield ""
        yield from case.write_steps("batches, upstream", [line for line in (*body, last) if line], NUMERIC)
    else:
        yield from body
        yield from case.write_steps("batches, upstream", [last], NUMERIC)


def activation(case: Case) -> Iterator[str]:
    """Write a function of x."""
    alpha = case.number("alpha")
    call = f"{case.family.call}({arguments('x', alpha=alpha)})"
    yield from case.declare("x", *(["dy"] if case.backward else []))
    if not case.backward:
        yield f"\ny = {call}"
        return
    function = f"lambda x: {call}" if alpha else case.family.call
    yield from run(case, [f"y, vjp = jax.vjp({function}, x)", "(dx,) = vjp(dy)"], "x, dy", "y, dx")


def _layer(case: Case, *positional: object, **more: object) -> str:
    """Return a flax layer. With mixed precision it has the dtype of x; otherwise flax would promote x."""
    dtype, _ = dtype_and_shape(case.input("gamma" if case.affine else "running_mean"))
    half = case.vector.dtype not in ("float32", "float64") and case.vector.profile != "defaults"
    axis = case.number("channel_axis")
    options = arguments(
        *positional,
        use_running_average=not case.training,
        axis=None if axis == "-1" else axis,
        momentum=case.number("momentum"),
        epsilon=case.number("epsilon"),
        use_bias=None if case.affine else False,
        use_scale=None if case.affine else False,
        dtype=case.array.dtype(case.vector.dtype) if half else None,
        param_dtype=case.array.dtype(dtype) if half and dtype != "float32" else None,
        **more,
    )
    text = f"{case.family.options}, {options}" if case.family.options else options
    if positional and case.family.options:
        text = options.replace(", ", f", {case.family.options}, ", 1)
    lines = textwrap.wrap(text, 75, break_long_words=False, break_on_hyphens=False)
    return "\n    ".join([f"bn = {case.family.call.removeprefix('flax.')}(", *lines]) + "\n)"


def linen_batch_norm(case: Case) -> Iterator[str]:
    """Write a layer of flax.linen with the variables of the vector."""
    yield from case.declare_batches()
    yield from case.declare("gamma", "beta", running_mean="mean", running_variance="var")
    yield 'params = {"scale": gamma, "bias": beta}' if case.affine else "params = {}"
    yield 'statistics = {"mean": mean, "var": var}'
    yield ""
    yield _layer(case)
    call = 'bn.apply(\n    {"params": params, "batch_stats": statistics}, x, mutable=["batch_stats"]\n)'
    if not case.backward:
        lines = [f"y, updated = {call}", 'statistics = updated["batch_stats"]']
        yield from _steps(case, run(case, lines, "", ""))
        return
    lines = [
        "def forward(x, params):",
        *indent([f"return {call}"]),
        "",
        "y, vjp, updated = jax.vjp(forward, x, params, has_aux=True)",
        "dx, gradients = vjp(dy)",
        'statistics = updated["batch_stats"]',
    ]
    if case.mode != "eager":
        # A name that a function assigns is local to it, so the argument needs another name.
        lines = [line.replace("statistics = updated", "new_statistics = updated") for line in lines]
        *body, last = run(case, lines, "x, dy, params, statistics", "y, dx, gradients, new_statistics")
        yield from _steps(case, [*body, last.replace("new_statistics", "statistics")])
        return
    yield from _steps(case, run(case, lines, "", ""))


def nnx_batch_norm(case: Case) -> Iterator[str]:
    """Write a layer of flax.nnx with the variables of the vector."""
    yield from case.declare_batches()
    yield from case.declare("gamma", "beta", running_mean="mean", running_variance="var")
    yield ""
    yield _layer(case, case.shape[case.axis], rngs="nnx.Rngs(0)")
    affine = ', "scale": gamma, "bias": beta' if case.affine else ""
    yield f'nnx.update(bn, {{"mean": mean, "var": var{affine}}})'
    if not case.backward:
        yield from _steps(case, run(case, ["y = bn(x)"], "", ""))
        return
    loss = ["def loss(bn, x):", "    y = bn(x)", "    return jnp.sum(y * dy), y", ""]
    gradient = "(gradients, dx), y = nnx.grad(loss, argnums=(0, 1), has_aux=True)(bn, x)"
    yield from _steps(case, run(case, [*loss, gradient], "bn, x, dy", "y, dx, gradients", "nnx.jit"))


def standardize(case: Case) -> Iterator[str]:
    """Write jax.nn.standardize over all axes except the channels, then scale and shift."""
    yield from case.declare_batches()
    yield from case.declare("gamma", "beta")
    axes = tuple(a for a in range(case.rank) if a != case.axis)
    y = f"{case.family.call}({arguments('x', axes, epsilon=case.number('epsilon'))})"
    sources = ["x", "gamma", "beta"] if case.affine else ["x"]
    if case.affine:
        wide = tuple(1 if a in axes else case.shape[a] for a in range(case.rank))
        last = case.axis == case.rank - 1
        scale, shift = (n if last else f"{n}.reshape({wide})" for n in ("gamma", "beta"))
        y = f"{y} * {scale} + {shift}"
        if dtype_and_shape(case.input("gamma"))[0] != case.vector.dtype:
            y = f"({y}).astype(x.dtype)"
    if not case.backward:
        yield from _steps(case, ["", f"y = {y}"])
        return
    gives = ", ".join(["dx", "dgamma", "dbeta"][: len(sources)])
    lines = [
        f"def forward({', '.join(sources)}):",
        f"    return {y}",
        "",
        f"y, vjp = jax.vjp(forward, {', '.join(sources)})",
        f"{gives if case.affine else '(dx,)'} = vjp(dy)",
    ]
    yield from _steps(case, run(case, lines, ", ".join(["x", "dy", *sources[1:]]), f"y, {gives}"))


def _sampled(case: Case, initializer: str) -> Iterator[str]:
    a = case.vector.attributes
    dtype = "" if a["dtype"] == "float32" else literal(a["dtype"])
    yield f"initializer = {initializer}"
    yield f"sample = initializer({arguments('jax.random.key({})'.format(a['seed']), tuple(a['shape']), dtype)})"


def initializer(case: Case) -> Iterator[str]:
    """Write an initializer."""
    case.refuse_fan_out()
    yield from _sampled(case, f"{case.family.call}()")


def variance_scaling(case: Case) -> Iterator[str]:
    """Write the general initializer with the scale of He."""
    mode, law = case.number("mode"), literal(case.family.options)
    yield from _sampled(case, f"jax.nn.initializers.variance_scaling(2.0, {mode}, {law})")


def _sized(case: Case) -> tuple[kernels.Sizes, tuple[object, ...], str]:
    """Return the sizes of a layer, and the positional and keyword arguments that linen and nnx share."""
    size = kernels.sizes(case, "spatial_out_in" if "transpose_kernel" in case.family.options else "spatial_in_out")
    case.refuse_if("Transpose" in case.family.call and size.groups is not None, "it has no groups")
    case.refuse_fan_out()
    dtype = kernels.dtype(case)
    keywords = arguments(case.family.options, feature_group_count=size.groups, param_dtype=dtype and literal(dtype))
    return size, (size.outputs, size.spatial), keywords


def linen_layer(case: Case) -> Iterator[str]:
    """Write a layer of flax.linen with an initializer, or with the default one."""
    size, sizes, keywords = _sized(case)
    embeds = kernels.kind_of(case) == "embedding"
    call = case.family.call.removeprefix("flax.")
    yield f"layer = {call}({arguments(size.inputs if embeds else '', *sizes, keywords)})"
    x = "np.zeros(1, np.int32)" if embeds else f"np.zeros({(1,) * (size.rank - 1) + (size.inputs,)}, np.float32)"
    yield f"variables = layer.init(jax.random.key({case.number('seed')}), {x})"


def nnx_layer(case: Case) -> Iterator[str]:
    """Write a layer of flax.nnx with an initializer, or with the default one."""
    size, sizes, keywords = _sized(case)
    options = arguments(size.inputs, *sizes, keywords, rngs=f"nnx.Rngs({case.number('seed')})")
    yield f"layer = {case.family.call.removeprefix('flax.')}({options})"


shared = shared_initializers.flax_kernels


def arrays(case: Case, name: str, letter: str) -> Iterator[str]:
    """Yield the list of gradients or weights."""
    case.refuse_if(any(isinstance(array, SparseGradient) for array in case.input(name)), "JAX has no sparse gradients")
    return case.declare_list(name, letter)


EACH = "jax.tree.map(lambda g: clip.update(g, clip.init(g))[0], gradients)"


def clip(case: Case, line: str = "clipped, _ = clip.update(gradients, clip.init(gradients))") -> Iterator[str]:
    """Write one update of a gradient transformation."""
    yield from arrays(case, "gradients", "g")
    yield ""
    yield f"clip = {case.family.call}({case.threshold})"
    yield from run(case, [line], "gradients", "clipped")


def clip_each(case: Case) -> Iterator[str]:
    """Write the clipping of each gradient by its own norm; optax clips by the global norm only."""
    return clip(case, f"clipped = {EACH}")


def sgd(case: Case) -> Iterator[str]:
    """Write a step of optax.sgd, with or without clipping before it."""
    yield from arrays(case, "weights", "w")
    yield from arrays(case, "gradients", "g")
    clipping, _, each = case.family.call.partition(" ")
    fitting = {"": [], "optax.clip": ["clipvalue"]}.get(case.family.call, ["clipnorm", "global_clipnorm"])
    clips = bool(clipping) == bool(case.clipped_by) and {*case.clipped_by} <= {*fitting}
    case.refuse_if(not clips, "it has no such clipping")
    optimizer = f"optax.sgd({case.number('learning_rate')})"
    yield ""
    lines = []
    if each:
        yield f"clip = {clipping}({case.threshold})"
        lines = [f"clipped = {EACH}"]
    elif clipping:
        optimizer = f"optax.chain({clipping}({case.threshold}), {optimizer})"
    yield f"optimizer = {optimizer}"
    lines += [
        f"updates, _ = optimizer.update({'clipped' if each else 'gradients'}, optimizer.init(weights), weights)",
        "new_weights = optax.apply_updates(weights, updates)",
    ]
    yield from run(case, lines, "weights, gradients", "new_weights")
