"""The vectors: what they are, and how they are read and generated."""
