"""Verdicts: comparing with what is expected, and naming what differs."""
