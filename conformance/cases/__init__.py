"""Inputs of the vectors with the faults that they hunt: one module per operation family."""
