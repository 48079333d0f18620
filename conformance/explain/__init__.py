"""Explanations: the spec's text on a name, and the results of the last run, in words and numbers."""
