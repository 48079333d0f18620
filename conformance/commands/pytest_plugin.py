"""The pytest plugin: ``pytest --nnconform torch`` makes every vector a test.

All tests that were selected are run together when the first of them is wanted, as ``nnconform run`` would, since a
dialect's name depends on other vectors. Under pytest-xdist one process does so for all.
"""

from __future__ import annotations

import fcntl
import json
import math
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nnconform.conformance.vectors.vector import Vector

Row = Mapping[str, Any]
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
    group.addoption("--nnconform-vectors", metavar="PATH", help="vectors of your own instead of the published")
    group.addoption("--nnconform-known", metavar="FILE", help="list of known divergences")
    group.addoption("--nnconform-strict", action="store_true", help="fail for a dialect too")
    group.addoption(
        "--nnconform-timeout", type=float, default=120.0, metavar="SECONDS", help="how long a call may take"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the one run that the tests share."""
    if config.getoption("nnconform") or config.getoption("nnconform_adapter"):
        if not 0 < config.getoption("nnconform_timeout") < math.inf:
            raise pytest.UsageError("--nnconform-timeout: wanted a number of seconds above 0")
        config.stash[RUN] = _Run(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the processes shared."""
    if (run := config.stash.get(RUN, None)) is not None and not hasattr(config, "workerinput"):
        shutil.rmtree(run.folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where the run is shared."""
    if (run := node.config.stash.get(RUN, None)) is not None:
        node.workerinput[SHARED] = str(run.folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for every vector and framework, before -k and -m choose."""
    if (run := config.stash.get(RUN, None)) is not None:
        found = list(run.collect(session))
        items.extend(found)
        # So that pytest's own count of what was collected is right.
        report = pytest.CollectReport("nnconform", "passed", None, list(found))
        config.hook.pytest_collectreport(report=report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was told while the frameworks were looked for, such as lines of a file that are not followed."""
    if (run := config.stash.get(RUN, None)) is not None and (told := run.read()["told"]):
        terminalreporter.section("nnconform")
        for line in told:
            terminalreporter.write_line(line)


class _Group(pytest.Collector):
    """The tests of one framework."""

    def collect(self) -> Sequence[pytest.Item]:
        """Return nothing: the plugin adds the tests itself, since no file stands for them."""
        return ()


class VectorItem(pytest.Item):
    """One vector on one framework, on all of its implementations and in all modes."""

    def __init__(self, *, target: str, vector: Vector, run: _Run, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.target, self.vector, self._run = target, vector, run

    def runtest(self) -> None:
        """Look up what the run says of the vector."""
        from nnconform.conformance.report.findings_of_rows import is_finding

        rows = self._run.rows(self.target, self.vector.id, self.session)
        strict = self.config.getoption("nnconform_strict")
        if findings := [row for row in rows if is_finding(row, strict=strict)]:
            raise Finding(self.vector, findings)
        known = {row["known"] for row in rows if "known" in row and (strict or row["verdict"] != "dialect")}
        if known:
            pytest.xfail("; ".join(sorted(known)))
        if all(row["verdict"] == "unsupported" for row in rows):
            reasons = sorted({row.get("reason", "") for row in rows})
            pytest.skip("; ".join(filter(None, reasons)) or f"nothing of {self.target} takes this vector")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what, where and how far, without this module's own lines."""
        if isinstance(excinfo.value, Finding | RunFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the test stands and what it is called."""
        return self.path, None, f"{self.target}: {self.vector.id}"


class KnownItem(pytest.Item):
    """The list of known divergences, which must be right about this run."""

    def __init__(self, *, run: _Run, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._run = run

    def runtest(self) -> None:
        """Fail where the list is stale."""
        if problems := self._run.report(self.session).get("known_problems"):
            raise RunFailed("\n".join(problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what is wrong with the list."""
        return str(excinfo.value) if isinstance(excinfo.value, RunFailed) else super().repr_failure(excinfo, style)


class Finding(Exception):
    """A framework differs from the spec on a vector; the message says what, where and how far."""

    def __init__(self, vector: Vector, rows: Sequence[Row]) -> None:
        from nnconform.conformance.report.findings_of_rows import finding_text

        lines = [f"{vector.id} ({', '.join(vector.clauses)})"]
        for row in rows:
            lines.append(f"  {row['implementation']} ({row['mode']}) {row['version']}: {row['verdict']}")
            lines += [f"    {text}" for text in finding_text(row)]
        super().__init__("\n".join(lines))


class RunFailed(Exception):
    """There is no result: the framework did not run, or its adapter is at fault."""


class _Run:
    """The run that all tests share: made when the first of them wants it, read by the others."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        given = getattr(config, "workerinput", {}).get(SHARED)
        self.folder = Path(given or tempfile.mkdtemp(prefix="nnconform-pytest-"))
        self._path = self.folder / "report.json"
        self._report: dict[str, Any] | None = None
        # By word: positions among the report's frameworks, and globs of the implementations that it names.
        self._standing: dict[str, list[tuple[int, list[str]]]] = {}
        self._rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self._vectors: list[Vector] = []
        self._targets = list(dict.fromkeys([*config.getoption("nnconform"), *config.getoption("nnconform_adapter")]))

    def collect(self, session: pytest.Session) -> Iterator[pytest.Item]:
        """Yield the tests: a framework's vectors in the order of the spec."""
        from nnconform.conformance.vectors.reading import load
        from nnconform.conformance.vectors.vector import VectorError

        own = self._config.getoption("nnconform_vectors")
        try:
            self._vectors, problems = load(Path(own) if own else None)
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

    def rows(self, target: str, vector: str, session: pytest.Session) -> list[Row]:
        """Return the results of a framework on a vector.

        Raises:
            RunFailed: there are none, and there should be.
        """
        from nnconform.conformance.running.selection import matches

        report = self.report(session)
        found: list[Row] = []
        for number, globs in self._standing[target]:
            entry = report["frameworks"][number]
            of_it = (f for f in report["faults"] if (f["vector"], f["framework"]) == (vector, entry["name"]))
            if faults := [fault for fault in of_it if matches(fault["implementation"], globs)]:
                raise RunFailed("\n".join(fault["message"] for fault in faults))
            rows = [row for row in self._rows[entry["name"], vector] if matches(row["implementation"], globs)]
            if entry["status"] != "ran" and not rows:
                raise RunFailed(f"{target}: {entry['status']}: {entry['reason']}")
            found += rows
        return found

    def report(self, session: pytest.Session) -> dict[str, Any]:
        """Return the report, which the first process that wants it makes."""
        from nnconform.conformance.files import write_whole

        if self._report is not None:
            return self._report
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._path.exists():
                write_whole(self._path, json.dumps(self._made(session)).encode())
        shared = self.read()
        self._report, self._standing = shared["report"], shared["standing"]
        for row in self._report["results"]:
            self._rows[row["framework"], row["vector"]].append(row)
        return self._report

    def read(self) -> dict[str, Any]:
        """Return what the processes share; nothing was told where there is nothing yet."""
        return json.loads(self._path.read_text()) if self._path.exists() else {"told": []}

    def _made(self, session: pytest.Session) -> dict[str, Any]:
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
        chosen = frozenset(item.vector.id for item in session.items if isinstance(item, VectorItem))
        try:
            listed = config.getoption("nnconform_known")
            knowledge = known_file.read(Path(listed)) if listed else None
            words = (list(dict.fromkeys(config.getoption(name))) for name in ("nnconform", "nnconform_adapter"))
            told: list[str] = []
            found = locate(*words, notify=told.append)
        except (UsageError, known_file.KnownError, EnvironmentFailed) as error:
            pytest.exit(f"nnconform: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
        options = Options(Selection(ids=chosen), config.getoption("nnconform_timeout"), cache_folder())
        outcome = run(found, self._vectors, options)
        if not outcome.complete:
            raise KeyboardInterrupt
        report = build.build(outcome, SPEC, [], {"frameworks": self._targets})
        if knowledge is not None:
            # Entries about published vectors are not stale where vectors of the user's own are run.
            published = load()[0] if self._config.getoption("nnconform_vectors") else []
            report = apply(knowledge, report, [*published, *self._vectors])
        standing = {word: indices_of(word, found) for word in self._targets}
        return {"report": report.to_json(), "standing": standing, "told": told}
