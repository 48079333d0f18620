"""How the tests of pages name what is in them."""

from __future__ import annotations

from urllib.parse import urlencode

RESULTS = "view=results&operation=elu&framework=tensorflow"


def address(row):
    """Return the view of a result."""
    by = f"{row['framework']}: {row['implementation']} ({row['mode']})"
    return urlencode({"view": "vector", "vector": row["vector"], "by": by})


def number(text):
    """Return a number as a page shows it."""
    return float(text.replace(",", ""))
