"""Has a mistake of its own in a function that it registers as a partial, as adapters of real frameworks do."""

import functools

from nnconform.adapters import Adapter

adapter = Adapter("liar", requires=("numpy",))


def clip_by_value(name, gradients, *, clipvalue):
    return {"gradients": gradients.no_such_attribute}


adapter.implements("clip_by_value", "liar")(functools.partial(clip_by_value, "x"))
