"""Runs: workers, what they are asked, and what is kept of it."""
