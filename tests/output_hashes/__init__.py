"""Every output of nnconform, drawn from recorded reports and hashed, so that a refactoring can show that none changed.

`python tests/output_hashes` prints the hashes; see `__main__.py`.
"""
