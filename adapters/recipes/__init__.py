"""Recipes of the porting guide: a few lines of one framework with the behaviour of another.

A recipe is a function or class that a user can copy; it calls its framework's public API and nothing of this project.
Each module adds its recipes to the adapter of its framework, so that the vectors prove what they do. `nnconform run`
does not load them, `nnconform guide` does.
"""
