"""What the vectors do not ask of the reference: types, signs, messages, and values between those of the vectors."""

from __future__ import annotations

import pytest

import nnconform.reference as ref
from nnconform.reference.initialization import connections


@pytest.mark.parametrize(
    ("kind", "layout"), [("conv", "out_in_spatial"), ("transposed_conv", "in_out_spatial"), ("depthwise_conv", "spatial_in_out")]
)
def test_connections_are_counted_in_whole_numbers(kind, layout):
    assert [type(n) for n in connections((4, 4, 3), kind=kind, layout=layout, groups=2)] == [int, int]


def test_the_fan_of_a_grouped_kernel_is_that_of_its_groups():
    for groups, wanted in ((1, 12), (2, 6)):
        assert ref.fan((4, 2, 3), kind="conv", layout="out_in_spatial", groups=groups, mode="fan_out") == wanted


def test_an_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'fan'.*'fan_in', 'fan_out', 'fan_avg'"):
        ref.fan((3, 3), kind="dense", layout="out_in_spatial", mode="fan")
