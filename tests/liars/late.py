"""Answers, and dies a moment later."""

import os
import threading

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        threading.Timer(0.0005, lambda: os._exit(1)).start()
    return honest(gradients, clipvalue=clipvalue)
