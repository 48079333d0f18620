"""Is slow, and says in a file which process makes each call."""

import os
import time
from pathlib import Path

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    with Path(os.environ["NNCONFORM_TEST_MARKER"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.3)
    return honest(gradients, clipvalue=clipvalue)
