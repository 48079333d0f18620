"""Environments for other versions of the frameworks."""
