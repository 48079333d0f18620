"""How long an environment takes to make, and to find the second time, against the start of its own interpreter.

    python benchmarks/environments.py [TARGET ...]     # numpy==2.2.6 and jax==0.10.2 when none is named

Each target is made in a cache of its own that is removed afterwards; what the installer has downloaded is its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

CODE = """
import sys
from nnconform.conformance.environments.targets import locate
[framework] = locate([sys.argv[1]], tell=lambda line: None)
print(framework.interpreter)
"""


def seconds(run: Callable[[], str]) -> tuple[float, str]:
    """Return how long a call takes, and its result."""
    began = time.perf_counter()
    result = run()
    return time.perf_counter() - began, result


def printed(*words: str) -> str:
    """Return what a process prints."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def measure(target: str) -> str:
    """Return a line about one target: first time, second time, the floor, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="nnconform-") as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        first, interpreter = seconds(lambda: printed(sys.executable, "-c", CODE, target))
        second, _ = seconds(lambda: printed(sys.executable, "-c", CODE, target))
        floor, _ = seconds(lambda: printed(interpreter, "-c", "import numpy"))
    return f"{target}: first {first:.2f} s, second {second:.2f} s, {second / floor:.1f} x the floor of {floor:.2f} s"


if __name__ == "__main__":
    for name in sys.argv[1:] or ["numpy==2.2.6", "jax==0.10.2"]:
        print(measure(name))
