"""What changed between two real versions is what `upgrade` finds, in environments that it makes for them."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def flax(cli, tmp_path_factory):
    """The diff of flax 0.10.7, which does not run beside today's JAX, and 0.12.8, on one vector in bfloat16."""
    path = tmp_path_factory.mktemp("flax") / "diff.json"
    filters = "--vector", "batch_norm_eval/epsilon-0.1/bfloat16", "--implementation", "flax.*", "--mode", "eager"
    result = cli("upgrade", "flax==0.10.7", "flax==0.12.8", *filters, "--json", path)
    return result, json.loads(path.read_text())


def test_flax_normalizes_half_precision_data_in_half_precision_since_0_12(flax):
    result, document = flax
    found = {(c["implementation"], c["output"], c["kind"], c["new"].get("dialect")) for c in document["changes"]}
    assert ("flax.nnx.BatchNorm", "y", "regressed", "half-precision-arithmetic") in found
    assert not [c for c in document["changes"] if c["implementation"].startswith("flax.linen") and c["fails"]]
    assert "y now has the dialect half-precision-arithmetic" in result.stdout
    assert result.exit_code == 1


def test_an_old_version_is_run_beside_the_jax_of_its_time(flax):
    _, document = flax
    old, new = (document[side]["frameworks"][0] for side in ("old", "new"))
    assert (old["versions"]["flax"], new["versions"]["flax"]) == ("0.10.7", "0.12.8")
    assert old["versions"]["jax"].startswith("0.6.")
