"""What the tests share: the published vectors, the command line, and a cache that is not the user's."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import recorded
from click.testing import CliRunner, Result

from nnconform.conformance.commands.cli import cli as commands
from nnconform.conformance.vectors import reading
from nnconform.conformance.vectors.reading import files, load
from nnconform.conformance.vectors.vector import Vector

Cli = Callable[..., Result]
LIARS = Path(__file__).parent / "liars"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many mutants are caught, from whatever processes they ran in."""
    reports = [r for words in ("passed", "failed") for r in terminalreporter.getreports(words)]
    found = [value for r in reports for name, value in r.user_properties if name == "mutant" and r.when == "call"]
    if found:
        terminalreporter.write_line(f"mutants: {found.count('caught')} of {len(found)} caught")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal out the tests so that what some share is made in one process, whatever ``--dist`` says."""
    from support.scheduling import Together

    return Together(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Let NumPy in each process of pytest-xdist, which has a core, take one thread: two would wait for each other."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def _can_be_interrupted() -> None:
    """What tests start can be interrupted, even where a shell started pytest in the background, which cannot be."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _reads_once() -> Iterator[None]:
    """Read a vector file once in a process: every run in it reads all of them, which takes 2 seconds."""
    read = reading.parse_file
    kept: dict[tuple[bytes, str], list[Vector]] = {}

    def once(data: bytes, where: str) -> list[Vector]:
        if (data, where) not in kept:
            kept[data, where] = read(data, where)
        return [*kept[data, where]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "parse_file", once)
        yield


@pytest.fixture(scope="session")
def published() -> dict[str, Vector]:
    """The published vectors by id."""
    return {vector.id: vector for vector in load()[0]}


@pytest.fixture(scope="session")
def explained() -> Any:
    """The recorded report of a run of three frameworks on a few vectors."""
    return recorded.fresh(recorded.EXPLAINED)


@pytest.fixture(scope="session")
def full() -> Any:
    """The report of a whole run of three frameworks: the one that CI has just made, else the recorded one."""
    return recorded.fresh(recorded.full())


@pytest.fixture(scope="session")
def file_of() -> Callable[..., str]:
    """Return the text of a file of one published vector, after a change to it, with the digest that it then has."""
    texts = [data.decode() for _, data in files()]

    def run(name: str, change: Callable[[str], str] = str) -> str:
        text = next(text for text in texts if f"\n- id: {name}\n" in text)
        vector = re.search(rf"^- id: {re.escape(name)}\n(?:  .*\n)*", text, re.MULTILINE)
        assert vector is not None
        body = f"vectors:\n{change(vector[0])}"
        head = text[: text.index("\nvectors:") + 1]
        return re.sub("sha256:[0-9a-f]{64}", f"sha256:{hashlib.sha256(body.encode()).hexdigest()}", head) + body

    return run


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Run the command line in this process; an exception that it does not handle is the test's."""

    def run(*words: str | Path) -> Result:
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            return CliRunner().invoke(commands, [str(word) for word in words], catch_exceptions=False)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    return run


@pytest.fixture(scope="session")
def report_of(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Result, Any]]:
    """Run ``nnconform run WORDS`` and return its result and the report that it wrote."""

    def run(*words: str | Path) -> tuple[Result, Any]:
        path = tmp_path_factory.mktemp("report") / "report.json"
        result = cli("run", *words, "--json", path)
        return result, json.loads(path.read_text()) if path.exists() else None

    return run


@pytest.fixture(scope="session")
def good(report_of: Callable[..., tuple[Result, Any]]) -> Any:
    """The report of a run in which all conforms."""
    return report_of("numpy", "--operation", "clip_by_value")[1]


@pytest.fixture(scope="session")
def bad(report_of: Callable[..., tuple[Result, Any]]) -> Any:
    """The report of a run in which some outputs diverge."""
    return report_of("--adapter", LIARS / "drops_one.py", "--operation", "clip_by_value")[1]


@pytest.fixture(scope="session")
def differs(report_of: Callable[..., tuple[Result, Any]]) -> Any:
    """The report of a whole run of a liar that differs in several ways."""
    return report_of("--adapter", LIARS / "known_differs.py")[1]
