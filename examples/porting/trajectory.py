"""The data that the processes exchange: npz files in the folder `runs`.

A trajectory has, by torch's names and in torch's layouts, every weight and running statistic after each step, stacked
on the first axis, and the loss of each step.
"""

from pathlib import Path

import numpy as np

RUNS = Path("runs")
Arrays = dict[str, np.ndarray]


def save(file: str, runs: dict[str, list[Arrays]]) -> None:
    """Save the trajectories of some runs, each a list of the states after each step."""
    RUNS.mkdir(exist_ok=True)
    arrays = {f"{run}/{name}": [step[name] for step in steps] for run, steps in runs.items() for name in steps[0]}
    np.savez(RUNS / file, **arrays)


def load(file: str) -> dict[str, Arrays]:
    """Return the trajectories of the runs, by their names."""
    runs: dict[str, Arrays] = {}
    for key, array in np.load(RUNS / file).items():
        run, name = key.split("/")
        runs.setdefault(run, {})[name] = array
    return runs


def save_start(images: np.ndarray, labels: np.ndarray, weights: Arrays) -> None:
    """Save the start of every port: the batches, and the weights and statistics before the first step."""
    RUNS.mkdir(exist_ok=True)
    np.savez(RUNS / "start.npz", images=images, labels=labels, **weights)


def load_start() -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Return images (steps, batch, channels, height, width), labels (steps, batch) and the weights at the start."""
    start = dict(np.load(RUNS / "start.npz"))
    return start.pop("images"), start.pop("labels"), start
