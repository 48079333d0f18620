"""Ends its process on every call."""

import os

from nnconform.adapters import Adapter

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    os._exit(1)
