"""Standalone scripts that show one result of a report, with nothing but the framework and NumPy."""
