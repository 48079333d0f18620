"""Print the distance of each port from torch after each step, its bound, and the cost of each setting.

The exit status is 1 if a port with the guide leaves the bound.
"""

import sys

import numpy as np
from trajectory import Arrays, load

# The permitted distance of a port from torch, in units of torch's distance from itself; README.md gives the reason.
MULTIPLE = 8
PARTS = ("weight", "mean", "var", "loss")


def part(name: str) -> str:
    """Return the element of PARTS that an array belongs to."""
    return {"running_mean": "mean", "running_var": "var", "loss": "loss"}.get(name.rpartition(".")[2], "weight")


def differences(torch: Arrays, other: Arrays) -> np.ndarray:
    """Return the largest difference (parts, steps), relative to the largest element of each array."""
    largest = np.zeros((len(PARTS), len(torch["loss"])))
    for name, array in torch.items():
        rest = tuple(range(1, array.ndim))
        relative = np.abs(other[name] - array).max(rest) / np.abs(array).max(rest)
        row = largest[PARTS.index(part(name))]
        np.maximum(row, relative, out=row)
    return largest


def bound(torch: Arrays, shuffled: list[Arrays]) -> np.ndarray:
    """Return the bound (parts, steps) from torch's runs on shuffled batches, up to each step."""
    growth = np.max([differences(torch, run) for run in shuffled], axis=0)
    return MULTIPLE * np.maximum.accumulate(growth, axis=1)


def print_steps(limit: np.ndarray, guide: np.ndarray, naive: np.ndarray) -> None:
    """Print the bound, the port with the guide and the naive port, step by step."""
    print("    " + "".join(f"{title:>25}" for title in ("bound", "guide", "naive")))
    print("step" + 3 * (" " + "".join(f"{name:>6}" for name in PARTS)))
    for step, columns in enumerate(np.stack([limit, guide, naive]).transpose(2, 0, 1), 1):
        print(f"{step:>4}" + "".join(" " + "".join(f"{value:>6.0e}" for value in column) for column in columns))


def print_costs(limit: np.ndarray, runs: dict[str, np.ndarray]) -> None:
    """Print the largest differences over all steps of some runs, and the worst in units of the bound."""
    print(f"{'':27}" + "".join(f"{name:>8}" for name in PARTS) + "  times the bound")
    for name, run in runs.items():
        worst = "".join(f"{value:>8.0e}" for value in run.max(axis=1))
        print(f"{name:27}{worst}{(run / limit).max():>17.1g}")


def main() -> None:
    """Print the tables of both ports."""
    runs = load("torch.npz")
    torch = runs.pop("torch")
    clipped = torch.pop("clipped").sum()
    limit = bound(torch, list(runs.values()))
    print("Largest differences from torch, each array's in units of its largest number.")
    print(f"torch clips the gradient at {clipped} of {len(torch['loss'])} steps.")
    outside = 0
    for framework in ("keras", "flax"):
        ports = {name: differences(torch, run) for name, run in load(f"{framework}.npz").items()}
        print(f"\ntorch to {framework}, step by step\n")
        print_steps(limit, ports["guide"], ports["naive"])
        print(f"\ntorch to {framework}, with one setting left out, at the worst step\n")
        print_costs(limit, ports)
        outside += np.sum(~(ports["guide"] <= limit))  # a NaN is outside too
    sys.exit(int(outside > 0))


if __name__ == "__main__":
    main()
