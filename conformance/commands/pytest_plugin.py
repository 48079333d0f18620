"""The pytest plugin: ``pytest --nnconform torch`` makes every vector a test.

The first test runs all selected tests together, as ``nnconform run`` does, since a dialect's name depends on other
vectors. Under pytest-xdist one process runs them for all.
"""

from __future__ import annotations

import fcntl
import json
import math
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nnconform.conformance.model.report import Report
    from nnconform.conformance.model.result import Result
    from nnconform.conformance.vectors.vector import Vector

SHARED = "nnconform_folder"
RUN = pytest.StashKey["_Run"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("nnconform", "conformance of neural-network building blocks (nnconform)")
    group.addoption(
        "--nnconform",
        action="append",
        default=[],
        metavar="FRAMEWORK",
        help="run every vector on this framework: torch, jax==0.9.2, python:PATH; may be repeated",
    )
    group.addoption("--nnconform-adapter", action="append", default=[], metavar="PATH", help="run this adapter too")
    group.addoption("--nnconform-vectors", metavar="PATH", help="your own vectors instead of the published ones")
    group.addoption("--nnconform-known", metavar="FILE", help="list of known divergences")
    group.addoption("--nnconform-strict", action="store_true", help="fail for a dialect too")
    group.addoption("--nnconform-timeout", type=float, default=120.0, metavar="SECONDS", help="seconds per call")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the run that the tests share."""
    if config.getoption("nnconform") or config.getoption("nnconform_adapter"):
        if not 0 < config.getoption("nnconform_timeout") < math.inf:
            raise pytest.UsageError("--nnconform-timeout: expected a number of seconds above 0")
        config.stash[RUN] = _Run(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of the shared run."""
    if (run := config.stash.get(RUN, None)) is not None and not hasattr(config, "workerinput"):
        shutil.rmtree(run.folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a process of pytest-xdist the folder of the shared run."""
    if (run := node.config.stash.get(RUN, None)) is not None:
        node.workerinput[SHARED] = str(run.folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for every vector and framework, before -k and -m select."""
    if (run := config.stash.get(RUN, None)) is not None:
        added = list(run.collect(session))
        items.extend(added)
        # So that pytest counts them as collected.
        report = pytest.CollectReport("nnconform", "passed", None, list(added))
        config.hook.pytest_collectreport(report=report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the notes from locating the frameworks, such as ignored lines of a requirements file."""
    if (run := config.stash.get(RUN, None)) is not None and (notes := run.read_shared().notes):
        terminalreporter.section("nnconform")
        for line in notes:
            terminalreporter.write_line(line)


class _Group(pytest.Collector):
    """The tests of one framework."""

    def collect(self) -> Sequence[pytest.Item]:
        """Return nothing: the plugin adds the tests itself, since they have no file."""
        return ()


class VectorItem(pytest.Item):
    """One vector on one framework, on all of its implementations and in all modes."""

    def __init__(self, *, target: str, vector: Vector, run: _Run, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.target, self.vector, self._run = target, vector, run

    def runtest(self) -> None:
        """Look up the results of the vector."""
        results = self._run.results(self.target, self.vector.id, self.session)
        strict = self.config.getoption("nnconform_strict")
        if findings := [result for result in results if result.fails(strict=strict)]:
            raise Finding(self.vector, findings)
        accepted = {r.known for r in results if r.known and (strict or r.verdict != "dialect")}
        if accepted:
            pytest.xfail("; ".join(sorted(accepted)))
        if all(result.verdict == "unsupported" for result in results):
            reasons = sorted({result.reason for result in results})
            pytest.skip("; ".join(filter(None, reasons)) or f"nothing of {self.target} takes this vector")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the message of a finding without this module's own lines."""
        if isinstance(excinfo.value, Finding | RunFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the place and the name of the test."""
        return self.path, None, f"{self.target}: {self.vector.id}"


class KnownItem(pytest.Item):
    """The test that the list of known divergences holds for this run."""

    def __init__(self, *, run: _Run, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._run = run

    def runtest(self) -> None:
        """Fail if the list is stale."""
        if problems := self._run.report(self.session).known_problems:
            raise RunFailed("\n".join(problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the problems of the list."""
        return str(excinfo.value) if isinstance(excinfo.value, RunFailed) else super().repr_failure(excinfo, style)


class Finding(Exception):
    """A framework differs from the spec on a vector. The message names the outputs, elements and errors."""

    def __init__(self, vector: Vector, results: Sequence[Result]) -> None:
        from nnconform.conformance.report.findings import describe

        lines = [f"{vector.id} ({', '.join(vector.clauses)})"]
        for result in results:
            lines.append(f"  {result.implementation} ({result.mode}) {result.version}: {result.verdict}")
            lines += [f"    {text}" for text in describe(result)]
        super().__init__("\n".join(lines))


class RunFailed(Exception):
    """There is no result: the framework did not run, or its adapter is at fault."""


@dataclass(frozen=True)
class _Shared:
    """The part of the run that the processes of pytest-xdist share.

    Attributes:
        document: of the report.
        places: by target, positions among the report's frameworks and globs of their implementations.
        notes: from locating the frameworks.
    """

    document: dict[str, Any] = field(default_factory=dict)
    places: dict[str, list[tuple[int, tuple[str, ...]]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Run:
    """The run that all tests share: the first of them makes it, the others read it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        folder = getattr(config, "workerinput", {}).get(SHARED)
        self.folder = Path(folder or tempfile.mkdtemp(prefix="nnconform-pytest-"))
        self._path = self.folder / "report.json"
        self._report: Report | None = None
        self._places: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        self._results: dict[tuple[str, str], list[Result]] = defaultdict(list)
        self._vectors: list[Vector] = []
        self._targets = list(dict.fromkeys([*config.getoption("nnconform"), *config.getoption("nnconform_adapter")]))

    def collect(self, session: pytest.Session) -> Iterator[pytest.Item]:
        """Yield the tests: a framework's vectors in the order of the spec."""
        from nnconform.conformance.vectors.reading import load
        from nnconform.conformance.vectors.vector import VectorError

        folder = self._config.getoption("nnconform_vectors")
        try:
            self._vectors, problems = load(Path(folder) if folder else None)
        except VectorError as error:
            raise pytest.UsageError(str(error)) from None
        if problems:
            raise pytest.UsageError("\n".join(problems))
        for target in self._targets:
            label = Path(target).stem if target.endswith(".py") else target
            group = _Group.from_parent(session, name=label, nodeid=f"nnconform/{label}")
            for vector in self._vectors:
                yield VectorItem.from_parent(group, name=vector.id, target=target, vector=vector, run=self)
        if self._config.getoption("nnconform_known"):
            group = _Group.from_parent(session, name="known", nodeid="nnconform/known")
            yield KnownItem.from_parent(group, name="list-of-known-divergences", run=self)

    def results(self, target: str, vector: str, session: pytest.Session) -> list[Result]:
        """Return the results of a framework on a vector.

        Raises:
            RunFailed: there are none, and there should be.
        """
        from nnconform.conformance.running.selection import matches

        report = self.report(session)
        results: list[Result] = []
        for number, globs in self._places[target]:
            entry = report.frameworks[number]
            faults = [f for f in report.faults if (f.vector, f.framework) == (vector, entry.name)]
            if messages := [fault.message for fault in faults if matches(fault.implementation, globs)]:
                raise RunFailed("\n".join(messages))
            of_entry = [r for r in self._results[entry.name, vector] if matches(r.implementation, globs)]
            if entry.status != "ran" and not of_entry:
                raise RunFailed(f"{target}: {entry.status}: {entry.reason}")
            results += of_entry
        return results

    def report(self, session: pytest.Session) -> Report:
        """Return the report. The first process that needs it makes the run."""
        from nnconform.conformance.files import write_whole
        from nnconform.conformance.model.report import Report

        if self._report is not None:
            return self._report
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._path.exists():
                write_whole(self._path, json.dumps(vars(self._make(session))).encode())
        shared = self.read_shared()
        self._report, self._places = Report.from_json(shared.document), shared.places
        for result in self._report.results:
            self._results[result.framework, result.vector].append(result)
        return self._report

    def read_shared(self) -> _Shared:
        """Return the shared part of the run, empty if there is no run yet."""
        return _Shared(**json.loads(self._path.read_text())) if self._path.exists() else _Shared()

    def _make(self, session: pytest.Session) -> _Shared:
        from nnconform.conformance.environments.location import indices_of, locate
        from nnconform.conformance.environments.subprocesses import EnvironmentFailed
        from nnconform.conformance.files import cache_folder
        from nnconform.conformance.known import file as known_file
        from nnconform.conformance.known.matching import apply
        from nnconform.conformance.report import build
        from nnconform.conformance.running.frameworks import UsageError
        from nnconform.conformance.running.options import Options
        from nnconform.conformance.running.run import run
        from nnconform.conformance.running.selection import Selection
        from nnconform.conformance.vectors.reading import load
        from nnconform.conformance.vectors.vector import SPEC

        config = self._config
        ids = frozenset(item.vector.id for item in session.items if isinstance(item, VectorItem))
        try:
            listed = config.getoption("nnconform_known")
            knowledge = known_file.read(Path(listed)) if listed else None
            words = (list(dict.fromkeys(config.getoption(name))) for name in ("nnconform", "nnconform_adapter"))
            notes: list[str] = []
            frameworks = locate(*words, notify=notes.append)
        except (UsageError, known_file.KnownError, EnvironmentFailed) as error:
            pytest.exit(f"nnconform: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
        options = Options(Selection(ids=ids), config.getoption("nnconform_timeout"), cache_folder())
        outcome = run(frameworks, self._vectors, options)
        if not outcome.complete:
            raise KeyboardInterrupt
        report = build.build(outcome, SPEC, [], {"frameworks": self._targets})
        if knowledge is not None:
            # Entries about published vectors are not stale if the user runs other vectors.
            published = load()[0] if self._config.getoption("nnconform_vectors") else []
            report = apply(knowledge, report, [*published, *self._vectors])
        places = {word: indices_of(word, frameworks) for word in self._targets}
        return _Shared(report.to_json(), places, notes)
