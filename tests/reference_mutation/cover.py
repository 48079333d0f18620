"""The published vectors as mutants are tried on them: case, committed text, the reference's lines, and the time."""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from mutate import Mutant
from platformdirs import user_cache_path
from processes import each

from nnconform.conformance.cases.all_cases import all_cases
from nnconform.conformance.cases.vector_case import Every, VectorCase
from nnconform.conformance.generating.expected import _digits, _outcome, outcome

REFERENCE = Path(str(resources.files("nnconform.reference").joinpath("exact.py"))).parent
VECTORS = Path(str(resources.files("nnconform.spec"))) / "vectors"
EVERYTHING = {path.stem: list(range(1, 1000)) for path in REFERENCE.glob("*.py")}
Lines = dict[str, set[int]]
# A quoted word of a source line, such as the name of a dialect.
WORD = re.compile(r"""(?<=["'])[a-z][a-z0-9.-]{3,}(?=["'])""")
# A function that is called more often is taken to run all its lines: looking on takes ten times as long as the call.
MANY = 200


class Seen(NamedTuple):
    """What a vector runs: the reference's lines by module, and how many seconds of the processor."""

    lines: dict[str, list[int]]
    seconds: float

    def runs(self, mutant: Mutant) -> bool:
        """Say whether the vector runs a line that the mutant changes; what acts on import, every vector runs."""
        if mutant.lines is None:
            return True
        first, last = mutant.lines
        return any(first <= line <= last for line in self.lines.get(mutant.module, ()))


def committed() -> dict[str, str]:
    """Return the text of every published vector by its id."""
    found = {}
    for path in sorted(VECTORS.rglob("*.yaml")):
        _, *vectors = re.split(r"^(?=- id: )", path.read_text(), flags=re.MULTILINE)
        found.update({text.split("\n", 1)[0].removeprefix("- id: "): text for text in vectors})
    return found


def _traced(case: VectorCase) -> Seen:
    lines: Lines = defaultdict(set)
    # The lines of each function that were not run yet; those of a function of another folder are of no interest.
    unseen: dict[CodeType, set[int]] = {}
    calls: Counter[CodeType] = Counter()

    def local(frame: FrameType, event: str, _: Any) -> Any:
        lines[Path(frame.f_code.co_filename).stem].add(frame.f_lineno)
        unseen[frame.f_code].discard(frame.f_lineno)
        return local

    def called(frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code not in unseen:
            ours = Path(code.co_filename).parent == REFERENCE
            unseen[code] = {line for _, _, line in code.co_lines() if line} if ours else set()
        calls[code] += bool(unseen[code])
        if calls[code] > MANY:
            lines[Path(code.co_filename).stem] |= unseen[code]
            unseen[code] = set()
        return local(frame, event, argument) if unseen[code] else None

    began = time.process_time()
    if any(isinstance(value, Every) for value in case.arrays):
        # Tens of thousands of numbers: it is taken to run everything.
        outcome(case)
        return Seen(EVERYTHING, time.process_time() - began)
    sys.settrace(called)
    try:
        # ``outcome`` does the same twice, at these digits and at twice as many.
        if case.unjudged or not case.inputs:
            outcome(case)
        else:
            _outcome(case, _digits(case))
    finally:
        sys.settrace(None)
    return Seen({module: sorted(numbers) for module, numbers in lines.items()}, time.process_time() - began)


def _digest() -> str:
    """Return a digest of all that decides which lines a vector runs."""
    folder = REFERENCE.parent
    sources = [*sorted(REFERENCE.glob("*.py")), *sorted((folder / "conformance").rglob("*.py")), Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def coverage(jobs: int) -> dict[str, Seen]:
    """Return what every vector runs, by its id; kept in the user's cache until a source changes."""
    kept = user_cache_path("nnconform") / f"reference-mutation-{_digest()}.json"
    if not kept.exists():
        print("finding the lines of the reference that each vector runs ...", file=sys.stderr)
        cases = list(all_cases())
        parts = [cases[i :: 16 * jobs] for i in range(16 * jobs)]
        runs = each(lambda part: {case.id: _traced(case) for case in part}, parts, jobs)
        found = {name: seen for _, end in runs for name, seen in end.result.items()}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found))
    return {name: Seen(*seen) for name, seen in json.loads(kept.read_text()).items()}


def words(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the words of each vector, by its id: names of dialects, operations and faults among them."""
    return {name: set(re.findall(r"[a-z][a-z0-9_.-]+", text)) for name, text in texts.items()}


def _in_turn(groups: Sequence[list[str]]) -> Iterator[str]:
    for place in range(max(map(len, groups), default=0)):
        yield from (group[place] for group in groups if place < len(group))


def in_order(
    mutant: Mutant, seen: Mapping[str, Seen], texts: Mapping[str, set[str]], killers: Iterable[str]
) -> list[str]:
    """Return the ids of the vectors that can notice a mutant, those first that will probably and soon.

    Those come first that noticed others of the same function; then the vectors of every operation and dtype in turn, of
    each the quick ones first, which are shuffled always in the same way; one that runs the module, then one that only
    imports it, if it matters. What names most of the words that the fault is about, a dialect or an operation, comes
    before the rest.
    """
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    stream = random.Random(mutant.module)
    for name in sorted(seen):
        if seen[name].runs(mutant):
            operation, _, dtype = name.split("/")
            groups[operation, dtype].append(name)
    for group in groups.values():
        stream.shuffle(group)
        group.sort(key=lambda name: int(10 * seen[name].seconds))
    spread = list(_in_turn(list(groups.values())))
    running = [name for name in spread if mutant.module in seen[name].lines]
    found = _in_turn([running, [name for name in spread if mutant.module not in seen[name].lines]])
    first = [name for name in killers if name in set(spread)]
    about = set(WORD.findall(mutant.id))
    named = sorted(found, key=lambda name: -len(about & texts[name]))
    return list(dict.fromkeys([*first, *named]))
