"""Says that it needs a distribution that is not installed."""

from nnconform.adapters import Adapter

adapter = Adapter("liar", requires=("a-package-that-nobody-has",))
