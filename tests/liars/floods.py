"""Prints 10 MB on standard output and on standard error."""

import sys

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        for stream in (sys.stdout, sys.stderr):
            stream.write("noise " * 1_700_000)
            stream.flush()
    return honest(gradients, clipvalue=clipvalue)
