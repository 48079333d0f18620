"""The names of what there is: frameworks, operations, implementations, vectors, dialects, clauses.

What only some names need is imported where it is: the pages and dialects.yaml can be read without numbers or workers.
"""

from __future__ import annotations

import functools
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from .clauses import clauses
from .operations import OUTPUTS

# The C reader is ten times as fast; PyYAML has it wherever there is a wheel.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Clauses about this suite's own files, messages and names, which no implementation can keep or break.
OF_THE_SUITE = re.compile(r"(DIFF|FORMAT|KNOWN|PROTOCOL)-\d+|NUM-10")


def of_the_suite(clause: str) -> bool:
    """Say whether a clause is a rule of the suite, so that no vector can test it."""
    return OF_THE_SUITE.fullmatch(clause) is not None


@functools.cache
def _dialects_page() -> Mapping[str, Any]:
    text = resources.files("nnconform.spec").joinpath("dialects.yaml").read_text()
    document: Mapping[str, Any] = yaml.load(text, Loader=LOADER)
    return document


def dialects() -> Mapping[str, Any]:
    """Return what spec/dialects.yaml says of each dialect, by name."""
    found: Mapping[str, Any] = _dialects_page()["dialects"]
    return found


def faults() -> Mapping[str, str]:
    """Return what spec/dialects.yaml says of each fault, by name."""
    found: Mapping[str, str] = _dialects_page()["faults"]
    return found


def listing(what: str, names: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines of ``nnconform list WHAT``.

    Args:
        what: frameworks, operations, implementations, vectors, dialects or clauses.
        names: frameworks, for implementations.

    Raises:
        UsageError: a framework is unknown.
        WorkerFailed: an adapter cannot be loaded.
    """
    makers = {
        "frameworks": _frameworks,
        "operations": lambda: (f"{name}: {', '.join(outputs)}" for name, outputs in OUTPUTS.items()),
        "implementations": lambda: _implementations(names),
        "vectors": _vectors,
        "dialects": lambda: (f"{name} ({d['kind']}): {d['summary']}" for name, d in dialects().items()),
        "clauses": _clauses,
    }
    return iter(makers[what]())


def _frameworks() -> Iterator[str]:
    from nnconform.conformance.running import frameworks

    for framework in frameworks.available().values():
        state = f"not installed; {framework.install}" if framework.missing else "installed"
        yield f"{framework.name}: {state}"


def _vectors() -> Iterator[str]:
    from .reading import load

    yield from (vector.id for vector in load()[0])


def _clauses() -> Iterator[str]:
    from .reading import load

    tested = Counter(clause for vector in load()[0] for clause in vector.clauses)
    for number, clause in clauses().items():
        count = "rule of the suite" if of_the_suite(number) else f"{tested[number]} vectors"
        yield f"{number}: {clause.title} ({count})"


def _implementations(names: Sequence[str]) -> Iterator[str]:
    from nnconform.conformance.running import frameworks
    from nnconform.conformance.running.worker import Launch, Worker, stage

    with tempfile.TemporaryDirectory(prefix="nnconform-") as folder:
        stage(Path(folder))
        for framework in frameworks.choose(names):
            if framework.missing:
                yield f"{framework.name}: not installed; {framework.install}"
                continue
            worker = Worker(Launch(framework.module), Path(folder))
            try:
                worker.start()
            finally:
                worker.stop()
            for i in worker.hello["implementations"]:
                modes = ", ".join(i["modes"])
                yield f"{i['operation']}: {i['name']} ({modes}){' defaults' if i['defaults'] else ''}"
