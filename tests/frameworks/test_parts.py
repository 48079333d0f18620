"""A part of a framework that is named, with filters, gives the results that it gives in a run of the whole."""

from __future__ import annotations

VECTORS = ("batch_norm_eval/rank-2/*", "batch_norm_eval/rank-4-channels-last/*")


def test_a_part_of_a_framework_gives_what_it_gives_among_the_others(found, report_of):
    words = [word for glob in VECTORS for word in ("--vector", glob)]
    _, part = report_of("flax", *words, "--mode", "eager", "--dtype", "float32", "--implementation", "flax.*")
    whole = found("jax", vector=VECTORS, mode=["eager"], dtype=["float32"], implementation=["flax.*"])
    assert part["results"]
    assert part["results"] == whole["results"]
    assert part["frameworks"][0]["name"] == "jax"
