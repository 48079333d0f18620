"""Environments of other versions: found, resolved, made and kept."""
