"""The normative text, the schemas and the vectors: data, usable from any language; imports nothing."""
