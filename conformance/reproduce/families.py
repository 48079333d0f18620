"""The implementations that have scripts, in families that one function of a framework's module writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

BATCH_NORMS = ("batch_norm_train", "batch_norm_eval")
HE = ("he_normal", "he_uniform")
HIDDEN = ("batch_mean", "batch_variance")
RUNNING = ("running_mean", "running_variance")


@dataclass(frozen=True)
class Family:
    """The call of one implementation of an operation.

    Attributes:
        writer: the function of the framework's module that writes the call.
        call: the function or class of the public API.
        options: keyword arguments that are part of the implementation, ``inplace=True``.
        modes: the modes, as in the adapter.
        omits: outputs that the API does not have.
        outputs: the Python expression of each output, by name; ``{i}`` is the number of an entry.
    """

    writer: str
    call: str
    options: str = ""
    modes: tuple[str, ...] = ("eager",)
    omits: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)


Families = Mapping[tuple[str, str], Family]


def families(framework: str) -> Families:
    """Return the families of a framework by operation and implementation, empty if it has no scripts."""
    return dict(MAKERS[framework]()) if framework in MAKERS else {}


Entries = Iterator[tuple[tuple[str, str], Family]]


def _torch() -> Entries:
    both = ("eager", "compile")
    for operation, layer in (("relu", "ReLU"), ("elu", "ELU")):
        outputs = {"y": "y.detach()", "dx": "x.grad"}
        function = f"torch.nn.functional.{operation}"
        yield (operation, function), Family("activation", function, "", both, (), outputs)
        named = f"{function}(inplace=True)"
        yield (operation, named), Family("activation", function, "inplace=True", both, (), outputs)
        name = f"torch.nn.{layer}"
        yield (operation, name), Family("activation_layer", name, "", both, (), outputs)
    for operation in BATCH_NORMS:
        omits = HIDDEN if operation == "batch_norm_train" else ()
        outputs = {"y": "y.detach()", "dx": "x.grad"}
        free = {"running_mean": "running_mean", "running_variance": "running_var"}
        free |= {"dgamma": "weight.grad", "dbeta": "bias.grad"}
        name = "torch.nn.functional.batch_norm"
        yield (operation, name), Family("batch_norm", name, "", both, omits, outputs | free)
        attributes = {output: f"bn.{expression}" for output, expression in free.items()}
        for rank in "123":
            name = f"torch.nn.BatchNorm{rank}d"
            yield (operation, name), Family("batch_norm_layer", name, "", both, omits, outputs | attributes)
    yield from _torch_kernels()
    value, norm, each, sgd = (
        "torch.nn.utils.clip_grad_value_",
        "torch.nn.utils.clip_grad_norm_",
        " (each variable)",
        "torch.optim.SGD",
    )
    gradients = {"gradients": "w{i}.grad", "global_norm": "norm"}
    for options in ("", "foreach=False", "foreach=True"):
        brackets = f"({options})" if options else ""
        for operation, name in (("clip_by_value", value), ("clip_by_norm", norm), ("clip_by_global_norm", norm)):
            yield (operation, f"{name}{brackets}"), Family("clip", name, options, both, (), gradients)
        yield ("clip_by_norm", f"{norm}{brackets}{each}"), Family("clip_each", norm, options, both, (), gradients)
    weights = {"weights": "w{i}.detach()"}
    for options in ("", "foreach=False", "foreach=True", "fused=True"):
        yield ("sgd_step", f"{sgd}({options})" if options else sgd), Family("sgd", "", options, outputs=weights)
    for clip in (value, norm, norm + each):
        yield ("sgd_step", f"{clip} + {sgd}"), Family("sgd", clip, outputs=weights)


def _torch_kernels() -> Entries:
    weight = {"sample": "layer.weight.detach()"}
    embeddings = ("torch.nn.Embedding", "torch.nn.EmbeddingBag")
    convolutions = [f"torch.nn.Conv{kind}{n}d" for kind in ("", "Transpose") for n in "123"]
    layers = ("torch.nn.Linear", *convolutions, *embeddings)
    for operation, name in zip(HE, ("kaiming_normal_", "kaiming_uniform_"), strict=True):
        name = f"torch.nn.init.{name}"
        yield (operation, name), Family("initializer", name, outputs={"sample": "sample"})
        for layer in layers:
            yield (operation, f"{name}({layer}.weight)"), Family("layer", layer, name, outputs=weight)
    for layer in layers:
        operation = "he_normal" if layer in embeddings else "he_uniform"
        yield (operation, layer), Family("layer", layer, outputs=weight)


def _tensorflow() -> Entries:
    every = ("eager", "function", "xla")
    pair = {"y": "y", "dx": "dx"}
    for operation, layer in (("relu", "ReLU"), ("elu", "ELU")):
        for call in (f"tf.nn.{operation}", f"keras.activations.{operation}"):
            yield (operation, call), Family("activation", call, "", every, (), pair)
        call = f"keras.layers.{layer}"
        yield (operation, call), Family("activation_layer", call, "", every, (), pair)
        options = f"'{operation}'"
        name = f"keras.layers.Activation({options})"
        yield (operation, name), Family("activation_layer", "keras.layers.Activation", options, every, (), pair)
    outputs = {name: name for name in ("y", *HIDDEN, *RUNNING, "dx", "dgamma", "dbeta")}
    function = "tf.nn.batch_normalization"
    for operation, name in zip(BATCH_NORMS, (f"tf.nn.moments + {function}", function), strict=True):
        yield (operation, name), Family("batch_norm", name, "", every, RUNNING, outputs)
    for operation in BATCH_NORMS:
        omits = HIDDEN if operation == "batch_norm_train" else ()
        name = "tf.compat.v1.nn.fused_batch_norm"
        yield (operation, name), Family("fused_batch_norm", name, "", every, omits, outputs)
        name = "keras.layers.BatchNormalization"
        moving = {"running_mean": "bn.moving_mean", "running_variance": "bn.moving_variance"}
        yield (operation, name), Family("batch_norm_layer", name, "", every, omits, outputs | moving)
    scaling, sample = "keras.initializers.VarianceScaling", {"sample": "sample"}
    for operation, name, distributions in (
        ("he_normal", "keras.initializers.HeNormal", ("", "untruncated_normal")),
        ("he_uniform", "keras.initializers.HeUniform", ("uniform",)),
    ):
        yield (operation, name), Family("initializer", name, outputs=sample)
        for distribution in distributions:
            options = "scale=2.0" + (f", distribution='{distribution}'" if distribution else "")
            yield (operation, f"{scaling}({options})"), Family("initializer", scaling, options, outputs=sample)
    yield from _keras_kernels()
    yield from _shared_keras()
    for operation in ("clip_by_value", "clip_by_norm", "clip_by_global_norm"):
        outputs = {"gradients": "clipped[{i}]", "global_norm": "norm"}
        yield (operation, f"tf.{operation}"), Family(operation, f"tf.{operation}", "", every, (), outputs)
    name = "keras.optimizers.SGD"
    yield ("sgd_step", name), Family("sgd", name, "", ("eager", "function"), (), {"weights": "w{i}"})


def _keras_kernels() -> Entries:
    # The layer, its parameter for the initializer, and the name of its kernel.
    plain = ["Dense", *(f"Conv{n}D" for n in "123"), *(f"Conv{n}DTranspose" for n in "123")]
    layers = [(layer, "kernel_initializer", "kernel") for layer in plain]
    layers += [(f"DepthwiseConv{n}D", "depthwise_initializer", "kernel") for n in "12"]
    layers += [
        (f"SeparableConv{n}D", f"{k}_initializer", f"{k}_kernel") for n in "12" for k in ("depthwise", "pointwise")
    ]
    layers += [("Embedding", "embeddings_initializer", "embeddings")]
    for layer, parameter, kernel in layers:
        name, outputs = f"keras.layers.{layer}", {"sample": f"layer.{kernel}"}
        for operation, he in zip(HE, ("HeNormal", "HeUniform"), strict=True):
            option = f"{parameter}=keras.initializers.{he}"
            yield (operation, f"{name}({parameter}={he}())"), Family("layer", name, option, outputs=outputs)
        fresh = f"{name}.{kernel}" if "Separable" in layer else name
        yield ("he_uniform", fresh), Family("layer", name, outputs=outputs)


def _shared_keras() -> Entries:
    sample = {"sample": "samples"}
    for operation, he in zip(HE, ("HeNormal", "HeUniform"), strict=True):
        name, layers = f"keras.initializers.{he}", "keras.layers.Dense"
        yield (operation, f"{name}() (no seed)"), Family("shared", name, outputs=sample)
        seeded = Family("shared", layers, f"{name}(seed={{seed}})", outputs=sample)
        yield (operation, f"{layers} (one {he}(seed=n))"), seeded
        yield (operation, f"{layers} (one {he}())"), Family("shared", layers, f"{name}()", outputs=sample)


def _jax() -> Entries:
    both = ("eager", "jit")
    for operation in ("relu", "elu"):
        name = f"jax.nn.{operation}"
        yield (operation, name), Family("activation", name, "", both, (), {"y": "y", "dx": "dx"})
    for operation in BATCH_NORMS:
        omits = HIDDEN if operation == "batch_norm_train" else ()
        linen = {"y": "y", "dx": "dx", "dgamma": 'gradients["scale"]', "dbeta": 'gradients["bias"]'}
        linen |= {"running_mean": 'statistics["mean"]', "running_variance": 'statistics["var"]'}
        nnx = {"y": "y", "dx": "dx", "dgamma": 'gradients["scale"][...]', "dbeta": 'gradients["bias"][...]'}
        nnx |= {"running_mean": "bn.mean[...]", "running_variance": "bn.var[...]"}
        for package, outputs in (("linen", linen), ("nnx", nnx)):
            for options in ("", "use_fast_variance=False"):
                name = f"flax.{package}.BatchNorm"
                family = Family(f"{package}_batch_norm", name, options, both, omits, outputs)
                yield (operation, f"{name}({options})" if options else name), family
    outputs = {name: name for name in ("y", "dx", "dgamma", "dbeta")}
    name = "jax.nn.standardize"
    yield ("batch_norm_train", name), Family("standardize", name, "", both, (*HIDDEN, *RUNNING), outputs)
    sample = {"sample": "sample"}
    for operation, law in zip(HE, ("truncated_normal", "uniform"), strict=True):
        name = f"jax.nn.initializers.{operation}"
        yield (operation, name), Family("initializer", name, outputs=sample)
        name = "jax.nn.initializers.variance_scaling(2.0)"
        yield (operation, name), Family("variance_scaling", "jax.nn.initializers", law, outputs=sample)
        yield from _flax_kernels(operation)
    value, norm, each, sgd = "optax.clip", "optax.clip_by_global_norm", " (each variable)", "optax.sgd"
    clipped = {"gradients": "clipped[{i}]"}
    yield ("clip_by_value", value), Family("clip", value, "", both, (), clipped)
    yield ("clip_by_norm", norm), Family("clip", norm, "", both, (), clipped)
    yield ("clip_by_norm", norm + each), Family("clip_each", norm, "", both, (), clipped)
    yield ("clip_by_global_norm", norm), Family("clip", norm, "", both, ("global_norm",), clipped)
    weights = {"weights": "new_weights[{i}]"}
    yield ("sgd_step", sgd), Family("sgd", "", "", both, (), weights)
    for clip in (value, norm + each, norm):
        yield ("sgd_step", f"{clip} + {sgd}"), Family("sgd", clip, "", both, (), weights)


def _flax_kernels(operation: str) -> Entries:
    swapped = "transpose_kernel=True"
    for package, dense, writer in (("linen", "Dense", "linen_layer"), ("nnx", "Linear", "nnx_layer")):
        for layer, option, kernel in (
            (dense, "", "kernel"),
            ("Conv", "", "kernel"),
            ("ConvTranspose", "", "kernel"),
            ("ConvTranspose", swapped, "kernel"),
            ("Embed", "", "embedding"),
        ):
            name, parameter = f"flax.{package}.{layer}", "embedding_init" if layer == "Embed" else "kernel_init"
            outputs = {"sample": f'variables["params"]["{kernel}"]' if package == "linen" else f"layer.{kernel}[...]"}
            brackets = ", ".join(filter(None, (option, f"{parameter}={operation}()")))
            options = ", ".join(filter(None, (option, f"{parameter}=jax.nn.initializers.{operation}()")))
            yield (operation, f"{name}({brackets})"), Family(writer, name, options, outputs=outputs)
            yield (operation, f"{name}({option})" if option else name), Family(writer, name, option, outputs=outputs)
        shared = f"flax.{package}.{dense}"
        yield (operation, f"{shared} (one {operation}())"), Family("shared", shared, outputs={"sample": "samples"})


MAKERS = {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}
