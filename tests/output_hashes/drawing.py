"""Draw outputs: run commands in folders of their own, and keep what they print and the files that they write."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import shutil
import signal
import sys
import tempfile
import traceback
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from click.testing import CliRunner

from . import hashes, reports
from .internal import internal, public, read_vectors_once
from .tasks import Task

ROOT = Path(__file__).parents[2]
# Data in a page, deflated: another zlib packs the same data into other bytes.
PACKED = re.compile(r'(<script type="application/octet-stream" id="(\w+)">)([\w+/=]*)(</script>)')
# Ids that matplotlib makes from numbers, whose last bit is another each time.
DRAWN_ID = re.compile(r"\b([\w-]+-[mp])[0-9a-f]{10}\b")
# When a file was written, and where.
WRITTEN = re.compile(r'(\btimestamp=)"[^"]*"')
# When frameworks were measured for a guide.
DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")
# When, where and how long a run was.
RUN = re.compile(r'("(?:seconds|created|processor|cores|machine|system|python)": )("[^"]*"|[\d.]+)|(\btime=)"[^"]*"')
SECONDS = re.compile(r"\b\d+(\.\d+)?( s\b|(?= seconds\b))")


def draw_all(tasks: Sequence[Task], jobs: int, kept: Path | None) -> tuple[dict[str, str], dict[str, str]]:
    """Draw outputs in several processes.

    Args:
        tasks: what makes them.
        jobs: how many processes.
        kept: a folder to keep the outputs in, or None.

    Returns:
        Hashes by the names of outputs, and errors by the names of tasks that failed.
    """
    found: dict[str, str] = {}
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="nnconform-") as name:
        folder = Path(name).resolve()
        _prepare(folder)
        with ProcessPoolExecutor(jobs, initializer=read_vectors_once) as pool:
            futures = [pool.submit(_draw_unit, unit, folder, kept) for unit in _units(tasks)]
            for future in futures:
                for part, errors in future.result():
                    found |= part
                    failures |= errors
    return found, failures


def _prepare(folder: Path) -> None:
    """Write the reports that outputs are drawn from; one of them is the last run's."""
    reports.write(folder)
    cache = folder / "cache" / "nnconform"
    cache.mkdir(parents=True)
    shutil.copyfile(folder / "full.json", cache / "last-report.json")


def _units(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Yield tasks that one process draws; what measures frameworks is one unit, so that each is measured once."""
    if measuring := [task for task in tasks if task.measures]:
        yield measuring
    yield from ([task] for task in tasks if not task.measures)


def _draw_unit(unit: Sequence[Task], folder: Path, kept: Path | None) -> list[tuple[dict[str, str], dict[str, str]]]:
    return [_hashed(task, folder, kept) for task in unit]


def _hashed(task: Task, folder: Path, kept: Path | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return the hashes of a task's outputs, and its error if it has one."""
    try:
        outputs = draw(task, folder)
    except Exception:
        return {}, {task.name: traceback.format_exc(limit=-2)}
    if kept is not None:
        for name, data in outputs.items():
            path = kept / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return {name: hashes.digest(data) for name, data in outputs.items()}, {}


def draw(task: Task, folder: Path) -> dict[str, bytes]:
    """Return the outputs of a task by name: what it prints, and every file that it writes.

    Args:
        task: what makes them.
        folder: where the reports are.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="nnconform-") as name:
        place = Path(name)
        for report in folder.glob("*.json"):
            (place / report.name).symlink_to(report)
        for file in task.inputs:
            shutil.copyfile(ROOT / file, place / Path(file).name)
        with contextlib.chdir(place):
            printed = _printed(task, folder)
        outputs = {f"{task.name}.txt": printed.encode()}
        for path in sorted(place.rglob("*")) if task.writes else ():
            if path.is_file() and not path.is_symlink():
                outputs |= _of_file(f"{task.name}/{path.relative_to(place)}", path.read_bytes())
        hidden = {str(place): "/place", str(folder): "/reports", str(ROOT): "/repository", sys.prefix: "/venv"}
    return {name: _without_the_machine(name, data, hidden, task) for name, data in outputs.items()}


def _printed(task: Task, folder: Path) -> str:
    """Run a task's commands; return what they print, each with its exit status."""
    runner = CliRunner(env=_environment(task, folder))
    words = [name for word in task.words for name in _names(word)]
    commands = [list(part) for separator, part in itertools.groupby(words, ";".__eq__) if not separator]
    return "".join(_ran(runner, command, task) for command in commands)


def _ran(runner: CliRunner, words: Sequence[str], task: Task) -> str:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    command, program = (internal, "internal") if task.internal else (public, "nnconform")
    try:
        result = runner.invoke(command, words, prog_name=program, color=task.colour, catch_exceptions=False)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    # What takes long is announced on standard error, and only where it is not in the cache.
    text = result.stdout if task.measures else result.output
    return f"{text}[exit status {result.exit_code}]\n"


def _environment(task: Task, folder: Path) -> dict[str, str | None]:
    """Return what a command must find in the environment; None for what must not be there."""
    colour = {"FORCE_COLOR": "1" if task.colour else None, "TERM": "xterm-256color", "COLORTERM": None}
    if task.measures:
        return {"COLUMNS": str(task.columns), "NO_COLOR": None, **colour}
    # A real run remembers its report, and the last run's must stay the recorded one.
    cache = folder / ("cache-of-runs" if task.runs else "cache")
    return {"COLUMNS": str(task.columns), "NO_COLOR": None, **colour, "XDG_CACHE_HOME": str(cache)}


def _names(word: str) -> list[str]:
    """Return a word of a command; of ``@clauses`` and the like all that `nnconform list` names."""
    if not word.startswith("@"):
        return [word]
    listed = CliRunner().invoke(public, ["list", word[1:]], catch_exceptions=False).stdout.splitlines()
    return [re.split(r":? ", line)[0] for line in listed]


def _of_file(name: str, data: bytes) -> dict[str, bytes]:
    """Return a file, and the data that a page holds as files of their own."""
    if not name.endswith(".html"):
        return {name: data}
    text, found = data.decode(), {}
    for _, part, packed, _ in PACKED.findall(text):
        value = json.loads(zlib.decompress(base64.b64decode(packed)))
        found[f"{name}.{part}.json"] = json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "replace")
    return {name: PACKED.sub(r"\1\4", text).encode()} | found


def _without_the_machine(name: str, data: bytes, hidden: dict[str, str], task: Task) -> bytes:
    """Return an output without paths of this machine, the time of writing and, of a real run, all times."""
    if name.endswith((".png", ".npz")):
        return data
    text = data.decode()
    for path, other in hidden.items():
        text = text.replace(path, other)
    if name.endswith(".xml"):
        text = WRITTEN.sub(r'\1""', text)
    if name.endswith((".svg", ".html")):
        text = _numbered(text)
    if task.measures:
        text = DAY.sub("DAY", text)
    if task.runs:
        text = SECONDS.sub("N s", RUN.sub(r'\1\3""', text))
    return text.encode()


def _numbered(text: str) -> str:
    """Return a picture or page with ids of pictures that are numbers in the order of the text."""
    found: dict[str, str] = {}
    return DRAWN_ID.sub(lambda match: found.setdefault(match[0], f"{match[1]}{len(found)}"), text)
