"""Answers by itself, beside the worker: the right question, and outputs that are none."""

import contextlib
import json
import os

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))
TENSOR = {"dtype": "float32", "shape": [7], "data": "AAAA"}


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        count = {1: "one-variable", 2: "two-variables"}.get(len(gradients), "with-absent")
        head = {"id": f"clip_by_value/{count}-narrow/float32", "implementation": "liar", "mode": "eager"}
        answer = head | {"status": "value", "outputs": {"gradients": [TENSOR]}}
        for descriptor in range(3, 32):
            with contextlib.suppress(OSError):
                os.write(descriptor, json.dumps(answer).encode() + b"\n")
    return honest(gradients, clipvalue=clipvalue)
