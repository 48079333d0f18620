"""What a run has found so far, written as it comes, so that a run that is interrupted or killed can be gone on with.

A journal is a file of JSON lines beside the report: a head that says what is run, then one line for each worker that
started and for each answer. Its verdicts are those before ``diagnose``, which needs all of them.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import IO, Any

from .judge import OutputResult, Result
from .selection import Selection
from .vectors import Vector

FORMAT = 1
SUFFIX = ".partial"


class JournalError(Exception):
    """A run cannot be gone on with; the message says why and what to do."""


@dataclass
class Earlier:
    """What an earlier, interrupted run found of one framework.

    Attributes:
        hello: what its worker said of itself.
        entries: one a call: vector, implementation, mode, and ``result``, ``fault`` or ``inapplicable``.
    """

    hello: Mapping[str, Any] = field(default_factory=dict)
    entries: list[Mapping[str, Any]] = field(default_factory=list)


def beside(report: Path) -> Path:
    """Return where the journal of a run lies that writes ``report``."""
    return report.with_name(report.name + SUFFIX)


def head(
    vectors: Sequence[Vector], selection: Selection, adapters: Mapping[str, str], only: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return what must be the same for a run to be gone on with.

    Args:
        vectors: all that there are.
        selection: which of them are run.
        adapters: the module or path of the adapter of each framework.
        only: the globs of implementations of each framework.
    """
    sources = hashlib.sha256()
    for path in sorted(Path(str(resources.files("nnconform.adapters"))).glob("*.py")):
        sources.update(path.read_bytes())
    for path in (Path(module) for module in adapters.values()):
        sources.update(path.read_bytes() if path.suffix == ".py" and path.is_file() else b"")
    digests = json.dumps([(v.id, v.digest) for v in vectors])
    return {
        "format": FORMAT,
        "vectors": hashlib.sha256(digests.encode()).hexdigest()[:16],
        "adapters": sources.hexdigest()[:16],
        "selection": {key: sorted(value) for key, value in dataclasses.asdict(selection).items()},
        "frameworks": {name: list(only[name]) for name in adapters},
    }


WORDS = {
    "format": "another version of nnconform wrote it",
    "vectors": "the vectors are others now",
    "adapters": "the adapters are others now",
    "selection": "it had other filters",
    "frameworks": "it ran other frameworks",
}


class Journal:
    """Writes a journal; ``end`` removes it, ``close`` leaves it."""

    def __init__(self, path: Path, beginning: Mapping[str, Any], *, resume: bool) -> None:
        """Open a journal and lock it.

        Args:
            path: the file.
            beginning: what ``head`` gave for this run.
            resume: go on with what is there, and not anew.

        Raises:
            JournalError: another run writes it, there is nothing to go on with, or it is of another run.
            OSError: the folder cannot be written to.
        """
        if resume and not path.exists():
            raise JournalError(f"{path}: there is no interrupted run to go on with; run without --resume")
        self.path = path
        self._file: IO[bytes] = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise JournalError(
                f"{path}: another run is writing it; wait for its end, or give --json another file"
            ) from None
        self.earlier: dict[str, Earlier] = {}
        try:
            if resume:
                self._read(beginning)
            else:
                self._file.truncate(0)
                self.add(beginning)
        except JournalError:
            self._file.close()
            raise

    def _read(self, beginning: Mapping[str, Any]) -> None:
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file):
            try:
                entry = json.loads(line)
            except ValueError:
                break  # the last line of a run that was killed while it wrote
            if number == 0:
                if changed := [key for key in WORDS if entry.get(key) != beginning[key]]:
                    raise JournalError(
                        f"{self.path}: the interrupted run cannot be gone on with: {WORDS[changed[0]]}; "
                        "run without --resume"
                    )
            else:
                earlier = self.earlier.setdefault(entry["target"], Earlier())
                if "hello" in entry:
                    if not same_framework(earlier.hello, entry["hello"]):
                        earlier.entries.clear()
                    earlier.hello = entry["hello"]
                else:
                    earlier.entries.append(entry)
            whole += len(line)
        if not whole:
            raise JournalError(f"{self.path}: nothing is in it; run without --resume")
        self._file.truncate(whole)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write an entry, so that it outlives this process."""
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Leave the journal for a run that goes on with it."""
        self._file.close()

    def end(self) -> None:
        """Remove the journal: the report has everything."""
        self.path.unlink(missing_ok=True)
        self._file.close()


def same_framework(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Say whether two workers' hellos are of the same versions, so that what the one found the other would find."""
    return all(earlier.get(key) == now.get(key) for key in ("versions", "python"))


def entry_of(result: Result) -> dict[str, Any]:
    """Return a result as a journal holds it."""
    row = {f.name: getattr(result, f.name) for f in dataclasses.fields(Result)}
    outputs = {name: dataclasses.asdict(output) for name, output in result.outputs.items()}
    return {k: v for k, v in row.items() if k not in ("vector", "framework")} | {"outputs": outputs}


def result_of(entry: Mapping[str, Any], framework: str, vector: Vector) -> Result:
    """Return the result that ``entry_of`` was given."""
    outputs = {name: OutputResult(**{**o, "also": tuple(o["also"])}) for name, o in entry["outputs"].items()}
    return Result(**{**entry, "framework": framework, "vector": vector, "outputs": outputs})
