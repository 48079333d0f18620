"""Run many scripts in one process, which starts a framework once, and tell how each ends.

Called as ``run_scripts.py FRAMEWORK``; reads a JSON list of scripts and writes one of [type of error, message].
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"


def settle(framework: str) -> None:
    """Set what a script may set, to what it is in a fresh process, or to what the script will set once for all."""
    if framework == "jax":
        import jax

        jax.config.update("jax_enable_x64", False)
    elif framework == "torch":
        import torch

        torch.set_num_threads(1)
    else:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)


def ending(path: Path) -> tuple[str, str]:
    """Return the error that a script ends with, or two empty strings."""
    try:
        runpy.run_path(str(path))
    except Exception as error:
        return type(error).__name__, str(error)
    return "", ""


def main() -> None:
    """Run the scripts of standard input."""
    endings = []
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        for number, text in enumerate(json.load(sys.stdin)):
            # In a file: tf.function looks at a function's source.
            path = Path(folder, f"script_{number}.py")
            path.write_text(text)
            settle(sys.argv[1])
            endings.append(ending(path))
    print(json.dumps(endings))


if __name__ == "__main__":
    main()
