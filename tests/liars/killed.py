"""Is killed, as by a system that has no memory left."""

import os
import signal

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        os.kill(os.getpid(), signal.SIGKILL)
    return honest(gradients, clipvalue=clipvalue)
