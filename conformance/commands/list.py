"""``nnconform list``: the names of what there is."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from nnconform.conformance.console import show
from nnconform.conformance.layout import Line

from .options import fail


@click.command("list", short_help="Print the names of what there is.")
@click.argument(
    "what",
    type=click.Choice(["frameworks", "operations", "implementations", "vectors", "dialects", "clauses"]),
)
@click.argument("framework", nargs=-1)
def command(what: str, framework: tuple[str, ...]) -> None:
    """Print the names of what there is, one a line; implementations of FRAMEWORK... or of all installed."""
    from nnconform.conformance.running.frameworks import UsageError
    from nnconform.conformance.running.worker import WorkerFailed

    try:
        for line in _listing(what, framework):
            # In a pipe a thing is a line, so that it can be searched and counted.
            if sys.stdout.isatty():
                show([Line(line)])
            else:
                click.echo(line)
    except UsageError as error:
        fail(str(error))
    except WorkerFailed as error:
        fail(f"{error}\n{error.printed}".rstrip(), 3)


def _listing(what: str, names: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines of ``nnconform list WHAT``.

    Args:
        what: frameworks, operations, implementations, vectors, dialects or clauses.
        names: frameworks, for implementations.

    Raises:
        UsageError: a framework is unknown.
        WorkerFailed: an adapter cannot be loaded.
    """
    from nnconform.conformance.vectors.dialects import dialects
    from nnconform.conformance.vectors.operations import OUTPUTS

    makers = {
        "frameworks": _frameworks,
        "operations": lambda: (f"{name}: {', '.join(outputs)}" for name, outputs in OUTPUTS.items()),
        "implementations": lambda: _implementations(names),
        "vectors": _vectors,
        "dialects": lambda: (f"{name} ({d.kind}): {d.summary}" for name, d in dialects().items()),
        "clauses": _clauses,
    }
    return iter(makers[what]())


def _frameworks() -> Iterator[str]:
    from nnconform.conformance.running import frameworks

    for framework in frameworks.available().values():
        state = f"not installed; {framework.install}" if framework.missing else "installed"
        yield f"{framework.name}: {state}"


def _vectors() -> Iterator[str]:
    from nnconform.conformance.vectors.index import vector_ids

    yield from vector_ids()


def _clauses() -> Iterator[str]:
    from nnconform.conformance.vectors.clauses import clauses
    from nnconform.conformance.vectors.dialects import of_the_suite
    from nnconform.conformance.vectors.index import outlines

    tested = Counter(clause for vector in outlines() for clause in vector.clauses)
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
            for i in worker.hello.implementations:
                modes = ", ".join(i.modes)
                yield f"{i.operation}: {i.name} ({modes}){' defaults' if i.defaults else ''}"
