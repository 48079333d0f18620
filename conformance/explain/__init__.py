"""Explanations: what a name stands for, from the spec, and what the last run found of it, in words and numbers."""
