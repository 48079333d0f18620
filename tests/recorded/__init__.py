"""The recorded reports: runs of the three frameworks that tests of explanations and of pages look into.

`python tests/recorded` makes them anew; see `__main__.py`.
"""

from __future__ import annotations

import json
import lzma
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nnconform.conformance.web.page import spec_texts

Document = Mapping[str, Any]
DATA = Path(__file__).parents[1] / "data"
EXPLAINED = DATA / "explained-report.json"
FULL = DATA / "full-report.json.xz"
# The report of a whole run of this machine, which CI has made before the tests.
CURRENT = "NNCONFORM_FULL_REPORT"
# Folders that frameworks print wherever they run: of PyTorch's own builds, and what an environment is recorded as.
PUBLISHED = ("/__w/pytorch/", "/venv/")


def read(path: Path) -> Any:
    """Return the report in a file, which may be compressed (.xz)."""
    data = path.read_bytes()
    return json.loads(lzma.decompress(data) if path.suffix == ".xz" else data)


def full() -> Path:
    """Return where the report of a whole run is: of this machine where CI has made one, else the recorded one."""
    return Path(os.environ.get(CURRENT) or FULL)


def fresh(path: Path) -> Any:
    """Return the report in a file, and fail the test that wants it where its vectors have changed since."""
    report = read(path)
    if problem := too_old(report, path.name):
        pytest.fail(problem, pytrace=False)
    return report


def too_old(report: Document, name: str) -> str:
    """Say that vectors have changed since a report was recorded, and what to do; "" where none has.

    New vectors make none too old: what it says of the others is still so.
    """
    asked = report["asked"]
    changed = sorted(set(asked) - set(spec_texts.published_vectors(asked)))
    if not changed:
        return ""
    some = f"{', '.join(changed[:3])}{', ...' if changed[3:] else ''}"
    return (
        f"{name} is too old: {len(changed)} of its {len(asked)} vectors have changed since it was recorded ({some}). "
        "Record it anew with `python tests/recorded`, and commit what that writes."
    )


def foreign_paths(report: Document) -> set[str]:
    """Return the absolute paths of a machine that stand in a report."""
    found = {path for text in _texts(report) for path in re.findall(r"(?<![\w./:~-])(?:/[\w.@+-]+){2,}", text)}
    return {path for path in found if not path.startswith(PUBLISHED)}


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a document, keys of objects too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
