"""Diffs of reports in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnconform.conformance.diff.comparison import compare
from nnconform.conformance.model.diff import Diff
from nnconform.conformance.model.report import Report


def diff_of(old: Mapping[str, Any], new: Mapping[str, Any], *tensors: Any, **options: Any) -> Diff:
    """Return the diff of two documents of reports; arguments as of ``compare``."""
    return compare(Report.from_json(old), Report.from_json(new), *tensors, **options)
