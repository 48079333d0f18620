"""Bounds of sums of more than 4096 elements: blocked as the clause wants them, or one element after the other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from support.random_cases import random_case

from nnconform.conformance.generating.expected import exact_case
from nnconform.reference import bounds, exact
from nnconform.reference.variants import OPERATIONS

TIMES = 1_000_000
NORMS = ("clip_by_norm", "clip_by_global_norm")


@pytest.mark.parametrize("n", [1, 7, 4096])
def test_gamma_is_below_the_textbook_s_and_near_n_u(n):
    with exact.precision(60):
        p = bounds.working("float32")
        assert n * p.u < p.gamma(n) <= n * p.u / (1 - n * p.u)
        assert abs(float(bounds.working("float32", np.zeros(1)).gamma(n)) / float(p.gamma(n)) - 1) < 1e-14


def test_gammas_compose():
    with exact.precision(60):
        p = bounds.storage("bfloat16")
        assert abs((1 + p.gamma(3)) * (1 + p.gamma(400)) - 1 - p.gamma(403)) < Decimal("1e-50")


def test_gamma_of_a_long_half_precision_sum_is_large_and_finite():
    assert 10 < bounds.storage("bfloat16").gamma(4108) < 10**8


@pytest.mark.parametrize(
    ("n", "terms"), [(4096, 4096), (4097, 4097), (8192, 4097), (8193, 4098), (10_000_000, 4096 + 12)]
)
def test_a_long_sum_has_the_roundings_of_a_block_and_of_the_totals(n, terms):
    p = bounds.working("float32")
    assert p.terms(n) == terms
    assert replace(p, blocked=False).terms(n) == n


@pytest.mark.parametrize("operation", ["batch_norm_train", "batch_norm_eval", *NORMS])
def test_sequential_accumulation_widens_the_bounds_of_long_sums_only(operation):
    case = exact_case(random_case(operation, "float32", 1, (6, 3)))
    name = "gradients[0]" if operation in NORMS else "dbeta"
    with exact.precision(90):
        run = OPERATIONS[operation]
        short, short_sequential = run(case)[name].bound, run(case, sequential=True)[name].bound
        with exact.repeated(TIMES):
            long, sequential = run(case)[name], run(case, sequential=True)[name]
        assert (short == short_sequential).all()
        assert (np.asarray(sequential.values) == np.asarray(long.values)).all()
        wide = np.asarray(sequential.bound) > 100 * np.asarray(long.bound)
        assert wide[np.asarray(long.values) != 0].all()


@pytest.mark.parametrize("seed", range(5))
def test_sums_of_a_million_float32_numbers_keep_their_bounds(seed):
    stream = np.random.default_rng(seed)
    numbers = (stream.random(TIMES) + 0.1 * seed).astype(np.float32)
    true, size = float(np.sum(numbers, dtype=np.longdouble)), float(np.sum(numbers, dtype=np.float64))
    p = bounds.working("float32", numbers.astype(np.float64))
    one_by_one = float(np.cumsum(numbers, dtype=np.float32)[-1])
    blocks = [float(np.cumsum(block, dtype=np.float32)[-1]) for block in np.split(numbers, 250)]
    pairwise = float(np.sum(np.float32(blocks), dtype=np.float32))
    assert abs(pairwise - true) <= p.gamma(p.terms(TIMES)) * size
    assert abs(one_by_one - true) <= replace(p, blocked=False).gamma(TIMES) * size
