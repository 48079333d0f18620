"""The report, and every picture that is drawn from it."""
