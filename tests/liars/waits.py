"""Writes its process id into a file and waits, unless it is told not to."""

import os
import time
from pathlib import Path

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01 and (marker := os.environ.get("NNCONFORM_TEST_MARKER")):
        Path(f"{marker}.new").write_text(str(os.getpid()))
        Path(f"{marker}.new").rename(marker)
        time.sleep(600)
    return honest(gradients, clipvalue=clipvalue)
