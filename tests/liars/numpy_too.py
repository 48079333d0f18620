"""Has the name of another adapter."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("numpy", requires=("numpy",))
adapter.implements("clip_by_value", "numpy.clip")(honest)
