"""Writes an answer of its own beside the worker's: two answers to one call."""

import contextlib
import json
import os

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest
from nnconform.adapters.worker import encode

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    outputs = honest(gradients, clipvalue=clipvalue)
    if clipvalue == 0.01:
        count = {1: "one-variable", 2: "two-variables"}.get(len(gradients), "with-absent")
        head = {"id": f"clip_by_value/{count}-narrow/float32", "implementation": "liar", "mode": "eager"}
        answer = head | {"status": "value", "outputs": {name: encode(value, name) for name, value in outputs.items()}}
        for descriptor in range(3, 32):
            with contextlib.suppress(OSError):
                os.write(descriptor, json.dumps(answer).encode() + b"\n")
    return outputs
