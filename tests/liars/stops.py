"""Stops its own process, which lives on and does nothing."""

import os
import signal

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        os.kill(os.getpid(), signal.SIGSTOP)
    return honest(gradients, clipvalue=clipvalue)
