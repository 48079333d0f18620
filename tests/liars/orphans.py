"""Starts a process in a session of its own, which goes on writing where the worker runs."""

import os
import subprocess
import sys
from pathlib import Path

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))
WRITE = """
import itertools, pathlib
for number in itertools.count():
    pathlib.Path(f"x{number % 1000}").write_text("")
"""
child = subprocess.Popen([sys.executable, "-c", WRITE], start_new_session=True)
Path(os.environ["NNCONFORM_TEST_MARKER"]).write_text(str(child.pid))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    return honest(gradients, clipvalue=clipvalue)
