"""Lists of known divergences."""
