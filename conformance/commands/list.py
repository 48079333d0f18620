"""``nnconform list``: the names of one kind, one per line."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from nnconform.conformance.console import show
from nnconform.conformance.layout import Line

from .cli_options import fail

KINDS = ("frameworks", "operations", "implementations", "vectors", "dialects", "clauses")


@click.command("list", short_help="List frameworks, vectors, dialects, clauses and more.")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.argument("framework", nargs=-1)
def command(kind: str, framework: tuple[str, ...]) -> None:
    """List the names of one KIND, one per line.

    KIND is frameworks, operations, implementations (public APIs of a framework), vectors (test cases), dialects (named,
    documented ways in which frameworks differ from the spec) or clauses (numbered rules of the spec). After
    `implementations`, each FRAMEWORK limits the list; the default is all installed frameworks.
    """
    from nnconform.conformance.running.frameworks import UsageError
    from nnconform.conformance.running.worker import WorkerFailed

    try:
        for line in _lines(kind, framework):
            # In a pipe each name has one line, so that other programs can search and count them.
            if sys.stdout.isatty():
                show([Line(line)])
            else:
                click.echo(line)
    except UsageError as error:
        fail(str(error))
    except WorkerFailed as error:
        fail(f"{error}\n{error.printed}".rstrip(), 3)


def _lines(kind: str, names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a kind.

    Args:
        kind: of ``KINDS``.
        names: of frameworks, for implementations.

    Raises:
        UsageError: a framework is unknown.
        WorkerFailed: an adapter cannot be loaded.
    """
    match kind:
        case "frameworks":
            return _frameworks()
        case "operations":
            return _operations()
        case "implementations":
            return _implementations(names)
        case "vectors":
            return _vectors()
        case "dialects":
            return _dialects()
        case _:
            return _clauses()


def _frameworks() -> Iterator[str]:
    from nnconform.conformance.running import frameworks

    for framework in frameworks.available().values():
        state = f"not installed; install with: {framework.install}" if framework.missing else "installed"
        yield f"{framework.name}: {state}"


def _operations() -> Iterator[str]:
    from nnconform.conformance.vectors.operations import OUTPUTS

    yield from (f"{name}: {', '.join(outputs)}" for name, outputs in OUTPUTS.items())


def _vectors() -> Iterator[str]:
    from nnconform.conformance.vectors.index import vector_ids

    yield from vector_ids()


def _dialects() -> Iterator[str]:
    from nnconform.conformance.vectors.dialects import dialects

    yield from (f"{name} ({dialect.kind}): {dialect.summary}" for name, dialect in dialects().items())


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
                yield f"{framework.name}: not installed; install with: {framework.install}"
                continue
            worker = Worker(Launch(framework.module), Path(folder))
            try:
                worker.start()
            finally:
                worker.stop()
            for i in worker.hello.implementations:
                modes = ", ".join(i.modes)
                yield f"{i.operation}: {i.name} ({modes}){' defaults' if i.defaults else ''}"
