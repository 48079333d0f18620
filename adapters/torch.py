"""PyTorch's implementations: functions, layers, initializers, gradient clipping and SGD."""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np
import torch
from torch.nn import functional

from nnconform.adapters import Adapter, SparseGradient, Unsupported
from nnconform.adapters.initialization import torch as initialization


def setup(threads):
    """Fix the number of threads, inside an operator and between operators."""
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(threads)


adapter = Adapter("torch", requires=("torch",), modes=("eager", "compile"), on_request=("compile",), setup=setup)


def tensor(a):
    """Return a copy of ``a`` as a tensor; bfloat16 travels as its bits, torch not knowing ml_dtypes."""
    if a.dtype == ml_dtypes.bfloat16:
        return torch.tensor(a.view(np.int16)).view(torch.bfloat16)
    return torch.tensor(a)


def array(t):
    """Return a copy of ``t`` as an array: a cached layer writes over its statistics in the next call."""
    t = t.detach().clone()
    if t.dtype == torch.bfloat16:
        return t.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return t.numpy()


@functools.cache
def compiled(function):
    """Return ``function`` or layer compiled, its backward pass with it."""
    # After 8 graphs of a function torch raises, or without fullgraph runs it eagerly and only logs that.
    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = 10_000
    # Shapes and numbers are constants of the graph: else the second shape would get a dynamic kernel,
    # and a vector's result would hang on which vectors ran before it.
    return torch.compile(function, fullgraph=True, dynamic=False)


def runnable(function):
    """Return ``function`` or layer as the mode wants it."""
    return compiled(function) if adapter.mode == "compile" else function


@functools.cache
def layer(kind, **hyperparameters):
    """Return the one layer with these hyperparameters, so that it is compiled once."""
    return kind(**hyperparameters)


# Activations


def activation(function, x, dy, **hyperparameters):
    """Return y and dx of an activation function or layer."""
    x = tensor(x).requires_grad_()
    y = runnable(function)(x, **hyperparameters)
    (dx,) = torch.autograd.grad(y, x, tensor(dy))
    return {"y": array(y), "dx": array(dx)}


def activation_layer(kind, x, dy, **hyperparameters):
    """Return y and dx of an activation layer; without hyperparameters, of the default one."""
    return activation(layer(kind, **hyperparameters), x, dy)


def relu_in_place(x):
    """Return relu in place, of a copy: a leaf that wants its gradient cannot be overwritten."""
    return functional.relu(x.clone(), inplace=True)


def elu_in_place(x, **alpha):
    """Return elu in place, of a copy, as for relu."""
    return functional.elu(x.clone(), inplace=True, **alpha)


for operation, name, run in (
    ("relu", "torch.nn.functional.relu", functools.partial(activation, functional.relu)),
    ("relu", "torch.nn.functional.relu(inplace=True)", functools.partial(activation, relu_in_place)),
    ("relu", "torch.nn.ReLU", functools.partial(activation_layer, torch.nn.ReLU)),
    ("elu", "torch.nn.functional.elu", functools.partial(activation, functional.elu)),
    ("elu", "torch.nn.functional.elu(inplace=True)", functools.partial(activation, elu_in_place)),
    ("elu", "torch.nn.ELU", functools.partial(activation_layer, torch.nn.ELU)),
):
    adapter.implements(operation, name)(run)
    if operation == "elu":  # relu has no attribute to leave out
        adapter.implements(operation, name, defaults=True)(run)


# Batch normalization


def translated(epsilon=None, momentum=None):
    """Return the hyperparameters that are given by torch's names; its momentum weighs the new value."""
    values = {"eps": epsilon, "momentum": None if momentum is None else 1 - momentum}
    return {name: value for name, value in values.items() if value is not None}


def normalized(run, x, dy, mean, variance, parameters, channel_axis):
    """Return the outputs of ``run``, which takes channels on axis 1, by their names.

    ``mean`` and ``variance`` are the running statistics, and ``parameters`` (weight, bias) or empty.
    """
    x = tensor(x).requires_grad_()
    y = run(x.movedim(channel_axis, 1)).movedim(1, channel_axis)
    dx, *rest = torch.autograd.grad(y, (x, *parameters), tensor(dy))
    outputs = {"y": y, "running_mean": mean, "running_variance": variance, "dx": dx}
    outputs |= zip(("dgamma", "dbeta"), rest, strict=False)
    return {name: array(value) for name, value in outputs.items()}


def batch_norm(training, x, dy, running_mean, running_variance, gamma=None, beta=None, *, channel_axis, **numbers):
    """Return the outputs of torch.nn.functional.batch_norm."""
    statistics = tensor(running_mean), tensor(running_variance)
    parameters = [] if gamma is None else [tensor(gamma).requires_grad_(), tensor(beta).requires_grad_()]
    options = translated(**numbers)

    def run(x):
        function = runnable(functional.batch_norm)
        return function(x, *statistics, *(parameters or (None, None)), training=training, **options)

    return normalized(run, x, dy, *statistics, parameters, channel_axis)


def batch_norm_layer(
    kind, training, x, dy, running_mean, running_variance, gamma=None, beta=None, *, channel_axis, **numbers
):
    """Return the outputs of a layer that is loaded with the given statistics and parameters."""
    state = {"running_mean": tensor(running_mean), "running_var": tensor(running_variance)}
    if gamma is not None:
        state |= {"weight": tensor(gamma), "bias": tensor(beta)}
    options = {"affine": gamma is not None, "dtype": state["running_mean"].dtype, **translated(**numbers)}
    bn = layer(kind, num_features=len(running_mean), **options)
    unknown = bn.load_state_dict(state, strict=False)
    # A renamed key would leave the layer at its defaults, and the framework would be blamed.
    assert {*unknown.unexpected_keys, *unknown.missing_keys} <= {"num_batches_tracked"}, unknown
    bn.train(training)
    statistics = bn.running_mean, bn.running_var
    return normalized(runnable(bn), x, dy, *statistics, list(bn.parameters()), channel_axis)


def has_rank(ranks):
    """Return the predicate that is true of an x with one of ``ranks``."""
    return lambda x, **_: x.ndim in ranks


for operation, training in (("batch_norm_train", True), ("batch_norm_eval", False)):
    for name, function, ranks in (
        ("torch.nn.functional.batch_norm", batch_norm, (2, 3, 4, 5)),
        ("torch.nn.BatchNorm1d", functools.partial(batch_norm_layer, torch.nn.BatchNorm1d), (2, 3)),
        ("torch.nn.BatchNorm2d", functools.partial(batch_norm_layer, torch.nn.BatchNorm2d), (4,)),
        ("torch.nn.BatchNorm3d", functools.partial(batch_norm_layer, torch.nn.BatchNorm3d), (5,)),
    ):
        for defaults in (False, True):
            adapter.implements(
                operation,
                name,
                omits=("batch_mean", "batch_variance") if training else (),
                applies=has_rank(ranks),
                defaults=defaults,
            )(functools.partial(function, training))


# Initialization

initialization.register(adapter, array)


# Clipping


def as_gradient(gradient):
    """Return a gradient as a tensor: sparse if it is, None if it is absent."""
    if isinstance(gradient, SparseGradient):
        indices = tensor(gradient.indices).unsqueeze(0)
        return torch.sparse_coo_tensor(indices, tensor(gradient.values), tuple(gradient.dense_shape))
    return None if gradient is None else tensor(gradient)


def with_gradients(gradients, weights=None):
    """Return parameters that hold ``gradients``; their own values are ``weights``, or of no matter."""
    held = [as_gradient(g) for g in gradients]
    if weights is None:
        values = [torch.zeros(()) if g is None else torch.zeros(g.shape, dtype=g.dtype) for g in held]
    else:
        values = [tensor(w) for w in weights]
    parameters = [torch.nn.Parameter(v) for v in values]
    for parameter, gradient in zip(parameters, held, strict=True):
        parameter.grad = gradient
    return parameters


def gradients_of(parameters):
    """Return the gradients of ``parameters`` as dense arrays; an absent one stays None."""
    return [None if p.grad is None else array(p.grad.to_dense()) for p in parameters]


def clip_value(parameters, clipvalue, **foreach):
    """Clip every element of the gradients in place."""
    runnable(torch.nn.utils.clip_grad_value_)(parameters, clipvalue, **foreach)


def clip_norm(parameters, clipnorm, **foreach):
    """Clip the norm of all gradients together in place and return the norm before."""
    return runnable(torch.nn.utils.clip_grad_norm_)(parameters, clipnorm, **foreach)


def clip_each_norm(parameters, clipnorm, **foreach):
    """Clip the norm of each gradient on its own in place."""
    for parameter in parameters:
        clip_norm(parameter, clipnorm, **foreach)


def clipped(clip, foreach, gradients, **threshold):
    """Return the gradients after ``clip``, be its threshold called clipvalue or clipnorm."""
    parameters = with_gradients(gradients)
    clip(parameters, *threshold.values(), **foreach)
    return {"gradients": gradients_of(parameters)}


def clipped_globally(foreach, gradients, *, clipnorm):
    """Return the gradients after ``clip_norm``, and the norm that it returns."""
    parameters = with_gradients(gradients)
    norm = clip_norm(parameters, clipnorm, **foreach)
    return {"gradients": gradients_of(parameters), "global_norm": array(norm)}


NORM = "torch.nn.utils.clip_grad_norm_"
VALUE = "torch.nn.utils.clip_grad_value_"
EACH = " (each variable)"

# Without an argument torch takes foreach here, on a CPU too.
for brackets, options in (
    ("", {}),
    ("(foreach=False)", {"foreach": False}),
    ("(foreach=True)", {"foreach": True}),
):
    for operation, name, run in (
        ("clip_by_value", f"{VALUE}{brackets}", functools.partial(clipped, clip_value, options)),
        # Over all variables: what becomes of Keras's clipnorm when it is taken for this function.
        ("clip_by_norm", f"{NORM}{brackets}", functools.partial(clipped, clip_norm, options)),
        ("clip_by_norm", f"{NORM}{brackets}{EACH}", functools.partial(clipped, clip_each_norm, options)),
        ("clip_by_global_norm", f"{NORM}{brackets}", functools.partial(clipped_globally, options)),
    ):
        adapter.implements(operation, name)(run)


# Gradient descent. Eager only: torch puts a graph break of its own into step().


def descended(parameters, options):
    """Return the parameters after one step."""
    torch.optim.SGD(parameters, **options).step()
    return {"weights": [array(p) for p in parameters]}


def sgd(options, weights, gradients, *, clipvalue=None, clipnorm=None, global_clipnorm=None, **rate):
    """Return the weights after a step of torch.optim.SGD; ``rate`` is learning_rate, or nothing."""
    if clipvalue is not None:
        raise Unsupported(f"no clipvalue: call {VALUE} before step()")
    if clipnorm is not None:
        raise Unsupported(f"no clipnorm: call {NORM} for each parameter before step()")
    if global_clipnorm is not None:
        raise Unsupported(f"no global_clipnorm: call {NORM} for all parameters before step()")
    options = options | ({"lr": rate["learning_rate"]} if rate else {})
    return descended(with_gradients(gradients, weights), options)


for name, options in (
    ("torch.optim.SGD", {}),
    ("torch.optim.SGD(foreach=False)", {"foreach": False}),
    ("torch.optim.SGD(foreach=True)", {"foreach": True}),
    ("torch.optim.SGD(fused=True)", {"fused": True}),
):
    for defaults in (False, True):
        adapter.implements("sgd_step", name, modes=("eager",), defaults=defaults)(functools.partial(sgd, options))


def clipped_sgd(clip, threshold, weights, gradients, *, learning_rate, **thresholds):
    """Return the weights after ``clip`` of the gradients and a step."""
    parameters = with_gradients(gradients, weights)
    clip(parameters, thresholds[threshold])
    return descended(parameters, {"lr": learning_rate})


def is_given(threshold):
    """Return the predicate for vectors with this clip."""
    return lambda **attributes: attributes.get(threshold) is not None


for name, clip, threshold in (
    (f"{VALUE} + torch.optim.SGD", clip_value, "clipvalue"),
    (f"{NORM}{EACH} + torch.optim.SGD", clip_each_norm, "clipnorm"),
    (f"{NORM} + torch.optim.SGD", clip_norm, "global_clipnorm"),
):
    adapter.implements("sgd_step", name, modes=("eager",), applies=is_given(threshold))(
        functools.partial(clipped_sgd, clip, threshold)
    )
