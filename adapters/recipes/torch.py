"""Recipes for PyTorch: the behaviour of Keras, flax, optax and TensorFlow."""

from __future__ import annotations

import functools

import torch

from nnconform.adapters.torch import (
    adapter,
    array,
    batch_norm_layer,
    clipped,
    clipped_sgd,
    has_rank,
    is_given,
    sgd,
)

__all__ = ["adapter"]


# Batch normalization


def biased(batch_norm):
    """Return a class of batch norm, BatchNorm2d for example, as a subclass.

    Its running variance takes the variance of the batch without n / (n - 1).
    It needs a momentum, and running statistics to move.
    """

    class Biased(batch_norm):
        def forward(self, x):
            if not self.training:
                return super().forward(x)
            # A buffer of its own, since the gradient needs it unchanged.
            kept = self.running_var
            self.running_var = torch.zeros_like(kept)
            y = super().forward(x)
            new = self.running_var  # momentum * variance * n / (n - 1)
            self.running_var = kept
            n = x.numel() // x.shape[1]
            kept.mul_(1 - self.momentum).add_(new * ((n - 1) / n))
            return y

    return Biased


for kind, ranks in (
    (torch.nn.BatchNorm1d, (2, 3)),
    (torch.nn.BatchNorm2d, (4,)),
    (torch.nn.BatchNorm3d, (5,)),
):
    adapter.implements(
        "batch_norm_train",
        f"recipe biased(torch.nn.{kind.__name__})",
        modes=("eager",),
        omits=("batch_mean", "batch_variance"),
        applies=has_rank(ranks),
    )(functools.partial(batch_norm_layer, biased(kind), True))


# Initialization


def truncated_he_normal_(weight):
    """Fill a weight (out, in, *kernel) from He's normal law, truncated."""
    fan_in = weight[0].numel()
    std = (2 / fan_in) ** 0.5 / 0.87962566103423978
    return torch.nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


def lecun_normal_(weight):
    """Fill a weight (out, in, *kernel) as flax's layers do by themselves."""
    fan_in = weight[0].numel()
    std = (1 / fan_in) ** 0.5 / 0.87962566103423978
    return torch.nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


def filled(initializer, *, shape, dtype, seed, **_):
    """Return a tensor filled by ``initializer``."""
    torch.manual_seed(seed)
    return {"sample": array(initializer(torch.empty(shape, dtype=getattr(torch, dtype))))}


adapter.implements(
    "he_normal",
    "recipe truncated_he_normal_",
    modes=("eager",),
    applies=lambda layout, mode, **_: layout in ("out_in_spatial", "in_out_spatial") and mode == "fan_in",
)(functools.partial(filled, truncated_he_normal_))

for name, initializer in (
    ("recipe lecun_normal_", lecun_normal_),
    ("torch.nn.init.xavier_uniform_", torch.nn.init.xavier_uniform_),
):
    adapter.implements(
        "he_uniform",
        name,
        modes=("eager",),
        applies=lambda kind, layout, **_: kind in ("dense", "conv") and layout == "out_in_spatial",
        defaults=True,
    )(functools.partial(filled, initializer))


# Clipping and gradient descent


def clip_grad_global_norm_(parameters, max_norm):
    """Clip as clip_grad_norm_ does, without its 1e-6; return the norm."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    scale = torch.where(norm <= max_norm, 1.0, max_norm / norm)
    for gradient in gradients:
        gradient.mul_(scale)
    return norm


def clip_each_grad_norm_(parameters, max_norm):
    """Clip the norm of each gradient on its own."""
    for gradient in [p.grad for p in parameters if p.grad is not None]:
        norm = torch.linalg.vector_norm(gradient)
        gradient.mul_(torch.where(norm <= max_norm, 1.0, max_norm / norm))


for name, clip, operation, omits, threshold in (
    ("recipe clip_each_grad_norm_", clip_each_grad_norm_, "clip_by_norm", (), "clipnorm"),
    (
        "recipe clip_grad_global_norm_",
        clip_grad_global_norm_,
        "clip_by_global_norm",
        ("global_norm",),
        "global_clipnorm",
    ),
):
    adapter.implements(operation, name, modes=("eager",), omits=omits)(functools.partial(clipped, clip, {}))
    adapter.implements("sgd_step", f"{name} + torch.optim.SGD", modes=("eager",), applies=is_given(threshold))(
        functools.partial(clipped_sgd, clip, threshold)
    )


@adapter.implements("sgd_step", "torch.optim.SGD(lr of float32)", modes=("eager",))
def rounded_sgd(weights, gradients, *, learning_rate, **clips):
    """Take a step with the learning rate that Keras keeps for float64 weights."""
    rate = torch.tensor(learning_rate, dtype=torch.float32).item()
    return sgd({}, weights, gradients, learning_rate=rate, **clips)
