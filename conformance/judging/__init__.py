"""Verdicts: the comparison with expected outputs, and the names of the differences."""
