"""Layers whose kernels are tested: the kind of the kernel, and the sizes that the constructor takes."""

from __future__ import annotations

import re
from typing import NamedTuple

from nnconform.reference.initialization import LAYOUTS

from .case import Case

# The first word that is part of the name of a layer gives the kind; other layers are dense.
KINDS = {"Embed": "embedding", "Transpose": "transposed_conv", "Depthwise": "depthwise_conv", "Conv": "conv"}


class Sizes(NamedTuple):
    """The sizes of a layer.

    Attributes:
        inputs: input features, or channels of all groups; the rows of an embedding.
        outputs: output features, or channels of all groups; per input channel for a depthwise layer of Keras.
        spatial: the spatial sizes of the kernel, or None.
        groups: the number of groups as Python text, or None for one.
        rank: the rank of the kernel.
    """

    inputs: int
    outputs: int
    spatial: tuple[int, ...] | None
    groups: str | None
    rank: int


def sizes(case: Case, layout: str) -> Sizes:
    """Return the sizes of the layer of a case's family.

    Args:
        case: a call of he_normal or he_uniform.
        layout: the layout of the kernel.

    Raises:
        NothingToShow: the layer has no such kernel.
    """
    about = case.vector.attributes
    shape, groups = about["shape"], about.get("groups", 1)
    kind = kind_of(case)
    # A depthwise convolution of torch has one group per input channel.
    same = about["kind"] == kind or (kind == "conv" and layout == "out_in_spatial" and "depthwise" in about["kind"])
    dimensions = re.search(r"(\d)[dD]", case.family.call)
    fits = about["layout"] == layout and (dimensions is None or len(shape) == int(dimensions[1]) + 2)
    case.refuse_if(not (same and fits), f"its kernel is of the kind {kind} and the layout {layout}")
    into, out, spatial = LAYOUTS[layout]
    inputs, outputs = shape[into], shape[out]
    if kind == "transposed_conv":
        outputs *= groups
    elif kind == "conv":
        inputs *= groups
    text = str(groups) if groups > 1 and kind != "depthwise_conv" else None
    return Sizes(inputs, outputs, tuple(shape[spatial]) or None, text, len(shape))


def kind_of(case: Case) -> str:
    """Return the kind of the kernel; a separable layer has a depthwise and a pointwise one."""
    call = case.family.call
    if "Separable" in call:
        return "depthwise_conv" if "depthwise" in case.family.outputs["sample"] else "conv"
    return next((kind for word, kind in KINDS.items() if word in call), "dense")


def dtype(case: Case) -> str | None:
    """Return the dtype that a layer needs as an option, or None for float32."""
    name = str(case.vector.attributes["dtype"])
    return None if name == "float32" else name
