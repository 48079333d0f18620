"""The journal of a run: results saved as they arrive, so that an interrupted or killed run can be resumed.

A journal is a file of JSON lines beside the report: a head that says what is run, then one line for each worker that
started and for each answer. Its verdicts are those before ``diagnose``, which needs all of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nnconform.conformance.model.calls import Call, Hello
from nnconform.conformance.model.document import DAMAGE
from nnconform.conformance.model.result import Result
from nnconform.conformance.numbers import Json
from nnconform.conformance.vectors.vector import Vector

if TYPE_CHECKING:
    from .frameworks import Framework
    from .options import Options

FORMAT = 1
SUFFIX = ".partial"


class JournalError(Exception):
    """A run cannot be resumed. The message gives the reason and the next step."""


class Busy(JournalError):
    """Another run is writing the journal."""


@dataclass(frozen=True)
class Entry:
    """One call in a journal.

    Attributes:
        vector: the vector's id.
        call: the implementation and mode.
        result: the verdict before ``diagnose``; None if there is none.
        fault: the adapter's breach of its contract; "" if there is none. Without both, the call does not apply.
    """

    vector: str
    call: Call
    result: Result | None = None
    fault: str = ""

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Entry:
        """Return the entry of a line."""
        result = None
        if "result" in row:
            points = {part: [(b, x, y) for b, x, y in of] for part, of in row["points"].items()}
            result = dataclasses.replace(Result.from_json(row["result"]), points=points)
        return cls(row["vector"], Call(row["implementation"], row["mode"]), result, row.get("fault", ""))

    def to_json(self) -> Json:
        """Return the line."""
        row: Json = {"vector": self.vector, "implementation": self.call.implementation, "mode": self.call.mode}
        if self.result is not None:
            row |= {"result": self.result.to_json(), "points": self.result.points}
        return row | ({"fault": self.fault} if self.fault else {})


@dataclass
class Earlier:
    """The results of an earlier, interrupted run for one framework.

    Attributes:
        hello: its worker's greeting.
        entries: one per call.
    """

    hello: Json = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


def beside(report: Path) -> Path:
    """Return the path of the journal for a run that writes ``report``."""
    return report.with_name(report.name + SUFFIX)


def head(vectors: Sequence[Vector], options: Options, frameworks: Sequence[Framework]) -> dict[str, Any]:
    """Return the conditions under which a run can be resumed.

    Args:
        vectors: all of them.
        options: of the run.
        frameworks: to run.
    """
    selection = dataclasses.asdict(options.selection)
    return {
        "format": FORMAT,
        "vectors": _digest([(v.id, v.digest) for v in vectors]),
        "frameworks": [[f.name, list(f.only), f.interpreter, list(f.command), dict(f.pins)] for f in frameworks],
        "adapters": _digest([_sources(f) for f in frameworks]),
        "selection": {key: sorted(value) for key, value in selection.items()},
        "limits": [options.timeout, options.memory],
    }


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _sources(framework: Framework) -> list[str]:
    """Return digests of the files of a framework's worker: the adapters, or the files of its command line."""
    paths = [Path(word) for word in (*framework.command, framework.module)]
    if not framework.command:
        paths += sorted(Path(str(resources.files("nnconform.adapters"))).rglob("*.py"))
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(framework.module)
            paths += [Path(spec.origin)] if spec is not None and spec.origin else []
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()]


DIFFERENCES = {
    "format": "a different version of nnconform wrote it",
    "frameworks": "it ran different frameworks or environments",
    "selection": "it had different filters",
    "limits": "it had a different --timeout or --memory",
    "vectors": "the vectors have changed",
    "adapters": "the adapters have changed",
}


class Journal:
    """Writes a journal; ``end`` removes it, ``close`` leaves it.

    Attributes:
        earlier: the results of an interrupted run, by framework.
        trouble: the reason if it could not be written to the end, or "".
    """

    def __init__(self, path: Path, beginning: Mapping[str, Any], *, resume: bool) -> None:
        """Open a journal and lock it.

        Args:
            path: of the file.
            beginning: the conditions that ``head`` returned for this run.
            resume: continue the journal instead of starting a new one.

        Raises:
            JournalError: another run is writing it, there is nothing to resume, or it belongs to a different run.
            OSError: the folder cannot be written to.
        """
        if resume and not path.exists():
            raise JournalError(f"{path}: there is no interrupted run to resume; run without --resume")
        self.path = path
        self.earlier: dict[str, Earlier] = {}
        self.trouble = ""
        self._file: IO[bytes] = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if resume:
                self._load(beginning)
            else:
                self._file.truncate(0)
                self._write(beginning)
        except BlockingIOError:
            self._file.close()
            raise Busy(
                f"{path}: another run is writing it; wait for its end, or give --json a different file"
            ) from None
        except BaseException:
            self._file.close()
            raise

    def _load(self, beginning: Mapping[str, Any]) -> None:
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break  # the last line of a run that was killed while it wrote
            try:
                self._take(json.loads(line), beginning, first=number == 1)
            except DAMAGE:
                raise JournalError(f"{self.path}: line {number} is damaged; run without --resume") from None
            whole += len(line)
        if not whole:
            raise JournalError(f"{self.path}: it is empty; run without --resume")
        self._file.truncate(whole)

    def _take(self, row: Json, beginning: Mapping[str, Any], *, first: bool) -> None:
        """Check the head, or take over a later line.

        Raises:
            JournalError: it belongs to a different run.
            one of ``DAMAGE``: it is damaged.
        """
        if first:
            if changed := [key for key in DIFFERENCES if row.get(key) != beginning[key]]:
                raise JournalError(
                    f"{self.path}: the interrupted run cannot be resumed: {DIFFERENCES[changed[0]]}; "
                    "repeat the run as it was, or run without --resume"
                )
            return
        earlier = self.earlier.setdefault(row["target"], Earlier())
        if "hello" in row:
            if earlier.hello != row["hello"]:
                earlier.entries.clear()
            earlier.hello = row["hello"]
        else:
            earlier.entries.append(Entry.from_json(row))

    def begin(self, target: str, hello: Hello) -> None:
        """Write the greeting of a framework's worker."""
        self._append({"target": target, "hello": hello.document})

    def add(self, target: str, entry: Entry) -> None:
        """Write a call of a framework, so that it outlives this process."""
        self._append({"target": target, **entry.to_json()})

    def _append(self, line: Mapping[str, Any]) -> None:
        """Write a line; a run with a full disk continues without its journal."""
        if self.trouble:
            return
        try:
            self._write(line)
        except OSError as error:
            self.trouble = f"{self.path}: cannot be written any more: {error.strerror}"

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Leave the journal for a run that goes on with it."""
        with contextlib.suppress(OSError):  # what could not be written before
            self._file.close()

    def end(self) -> None:
        """Remove the journal: the report has everything."""
        self.path.unlink(missing_ok=True)
        self.close()
