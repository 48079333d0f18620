"""The example of a port: run as its README says, it agrees with torch to the bound, and needs each of its settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from nnconform.conformance.guide.recipe_source import recipe

EXAMPLE = Path(__file__).parents[2] / "examples" / "porting"
README = (EXAMPLE / "README.md").read_text()
PARTS = {"weight": r"\.(weight|bias)$", "mean": r"\.running_mean$", "var": r"\.running_var$", "loss": r"^loss$"}
FRAMEWORKS = pytest.mark.parametrize("framework", ["keras", "flax"])


# Which recipes of the guide each port takes.
RECIPES = {
    "keras": ("tensorflow", ("keras_elu", "UnbiasedBatchNormalization", "TorchClippedSGD")),
    "flax": ("jax", ("elu", "UnbiasedBatchNorm", "clip_by_global_norm_like_torch")),
}


class Printed(NamedTuple):
    """What the example printed, and the folder that it ran in."""

    text: str
    folder: Path

    def section(self, title: str) -> str:
        return self.text.split(f"\n{title}\n\n")[1].split("\n\n")[0]

    def steps(self, framework: str) -> np.ndarray:
        """The printed table, (20 steps; bound, guide and naive; parts)."""
        rows = self.section(f"torch to {framework}, step by step").splitlines()[2:]
        table = np.array([row.split() for row in rows], float)
        assert list(table[:, 0]) == list(range(1, 21))
        return table[:, 1:].reshape(20, 3, len(PARTS))

    def times_the_bound(self, framework: str) -> dict[str, float]:
        rows = self.section(f"torch to {framework}, with one setting left out, at the worst step").splitlines()[1:]
        return {row[:27].rstrip(): float(row.split()[-1]) for row in rows}


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> Printed:
    folder = tmp_path_factory.mktemp("example") / "porting"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("runs"))
    block = re.search(r"<!-- run -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", block[1]]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return Printed(ran.stdout, folder)


@FRAMEWORKS
def test_a_port_has_the_recipes_of_the_guide_as_they_stand_there(framework):
    port = (EXAMPLE / f"torch_to_{framework}.py").read_text()
    adapter, names = RECIPES[framework]
    for name in names:
        imports, _, source = recipe(adapter, name).partition("\n\n\n")
        assert imports.startswith("import ")
        assert source in port


@FRAMEWORKS
def test_a_port_by_the_guide_stays_within_the_bound_at_every_step(printed, framework):
    bound, guide, _ = printed.steps(framework).transpose(1, 0, 2)
    assert (guide <= bound).all()


@FRAMEWORKS
def test_the_bound_is_no_more_than_rounding_explains(printed, framework):
    assert (printed.steps(framework)[:, 0] < 1e-9).all()


@FRAMEWORKS
def test_the_naive_port_leaves_the_bound_at_every_step(printed, framework):
    bound, _, naive = printed.steps(framework).transpose(1, 0, 2)
    assert (naive > bound).all()


@FRAMEWORKS
def test_each_setting_left_out_alone_leaves_the_bound(printed, framework):
    times = printed.times_the_bound(framework)
    assert times.pop("guide") <= 1
    assert len(times) >= 9
    assert {name: value for name, value in times.items() if value <= 1} == {}


@FRAMEWORKS
def test_what_is_printed_is_what_the_runs_hold(printed, framework):
    torch = np.load(printed.folder / "runs" / "torch.npz")
    port = np.load(printed.folder / "runs" / f"{framework}.npz")
    for number, pattern in enumerate(PARTS.values()):
        names = [key.removeprefix("torch/") for key in torch if key.startswith("torch/")]
        names = [name for name in names if re.search(pattern, name)]
        assert names
        for step, row in enumerate(printed.steps(framework)):
            pairs = [(torch[f"torch/{name}"][step], port[f"guide/{name}"][step]) for name in names]
            largest = max(np.max(abs(ours - theirs)) / np.max(abs(theirs)) for theirs, ours in pairs)
            assert f"{row[1][number]:.0e}" == f"{largest:.0e}"


def test_the_first_page_has_the_figures_of_the_last_step(printed):
    text = (EXAMPLE.parents[1] / "README.md").read_text()
    naive = [float(cell) / 100 for cell in re.findall(r"(\d+) % \|", text)]
    guide = [float(cell) for cell in re.findall(r"(\de-\d+) \|", text)]
    last = printed.steps("keras")[-1]
    np.testing.assert_allclose(naive, last[2], rtol=0.25)
    # Rounding differs between processors.
    np.testing.assert_allclose(np.log10(guide), np.log10(last[1]), atol=0.5)


def test_torch_clips_at_most_steps(printed):
    found = re.search(r"clips the gradient at (\d+) of 20 steps", printed.text)
    assert found is not None
    assert 10 < int(found[1]) < 20


@pytest.mark.parametrize("wrong", [1e-9, np.nan])
def test_a_port_that_leaves_the_bound_fails_the_comparison(printed, tmp_path, wrong):
    shutil.copytree(printed.folder, tmp_path, dirs_exist_ok=True)
    arrays = dict(np.load(tmp_path / "runs" / "flax.npz"))
    variance = arrays["guide/norm2.running_var"][-1]
    variance[0] += wrong * variance.max()
    np.savez(tmp_path / "runs" / "flax.npz", **arrays)
    ran = subprocess.run([sys.executable, "compare.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")


def test_the_table_fits_a_terminal(printed):
    assert max(map(len, printed.text.splitlines())) <= 80


@FRAMEWORKS
def test_the_readme_shows_every_setting_that_is_printed(printed, framework):
    assert [name for name in printed.times_the_bound(framework) if f"\n{name} " not in README] == []
