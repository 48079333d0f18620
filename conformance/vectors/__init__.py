"""Vectors: the data that a vector file holds, and the readers of these files."""
