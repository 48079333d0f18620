"""Adapters, one module per framework, and the types that they are written with: see ``nnconform.adapters.contract``."""

from nnconform.adapters.contract import Adapter, Function, Implementation, SparseGradient, Unsupported

__all__ = ["Adapter", "Function", "Implementation", "SparseGradient", "Unsupported"]
