"""Try every mutant of the reference on the published vectors and on the reference's tests.

    python tests/reference_mutation/run.py                          # all modules, some 40 minutes on two cores
    python tests/reference_mutation/run.py clipping laws            # these modules
    python tests/reference_mutation/run.py --id "clipping.scaled | if bool(norm <= limit): | <= -> <"
    python tests/reference_mutation/run.py --list exact             # their ids; nothing is run

It ends with 1 when a mutant survives that equivalent.yaml does not list, or when an entry of that list was noticed or
names no mutant, and with 0 otherwise. The first that is tried is the unchanged reference, which nothing may notice.
Those in the list are tried on the first vectors and the quick tests only, unless ``--thorough``: to be noticed by
nothing takes minutes. Results are written as they come to ``--results``; ``--again`` keeps those that were noticed
there and tries the others.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from check import Checker, Noticed, Parts
from cover import EVERYTHING, REFERENCE, Seen, committed, coverage, in_order, words
from mutate import CONTROL, Mutant, mutants
from platformdirs import user_cache_path
from processes import End, each
from report import Result, equivalent, problems, record, table

from nnconform.conformance.cases.all_cases import all_cases

SOURCES = {path.stem: path.read_text() for path in sorted(REFERENCE.glob("*.py")) if path.stem != "__init__"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="modules of the reference; all when none is named", metavar="MODULE")
    parser.add_argument("--id", action="append", default=[], help="only this mutant; may be given again")
    parser.add_argument("--vectors", metavar="PATTERN", help="only vectors like elu/*/float32, and no tests")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, always the same")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at a time")
    parser.add_argument("--list", action="store_true", help="print the ids and run nothing")
    parser.add_argument("--again", action="store_true", help="keep what --results says was noticed")
    parser.add_argument("--quick", action="store_true", help="try each mutant for a few seconds only; then --again")
    parser.add_argument("--thorough", action="store_true", help="try also those listed as equivalent on all vectors")
    parser.add_argument("--record", action="store_true", help="write result.md, after a run of all modules")
    default = user_cache_path("nnconform") / "reference-mutation-results.jsonl"
    parser.add_argument(
        "--results", type=Path, default=default, metavar="FILE", help="results, a line each [%(default)s]"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.modules) - set(SOURCES):
        parser.error(f"no module {', '.join(sorted(unknown))}; there are {', '.join(SOURCES)}")
    arguments.partly = bool(arguments.id or arguments.sample or arguments.vectors)
    if arguments.record and (arguments.modules or arguments.partly or arguments.quick):
        parser.error("--record is for a run of all mutants")
    return arguments


def _chosen(arguments: argparse.Namespace) -> list[Mutant]:
    names = arguments.modules or list(SOURCES)
    found = [mutant for name in names for mutant in mutants(name, SOURCES[name])]
    if arguments.id:
        found = [mutant for mutant in found if mutant.id in arguments.id]
    if arguments.sample:
        found = random.Random(0).sample(found, min(arguments.sample, len(found)))
    return found


def _earlier(path: Path) -> dict[str, Result]:
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {line["id"]: Result(Noticed(*line["noticed"]), line["seconds"]) for line in lines}


def _tasks(
    chosen: Sequence[Mutant], seen: dict[str, Seen], killers: Mapping[str, Counter[str]]
) -> Iterator[tuple[Mutant, list[str]]]:
    texts = words(committed())
    for mutant in chosen:
        first = killers[f"{mutant.module}.{mutant.function}"]
        yield mutant, in_order(mutant, seen, texts, [name for name, _ in first.most_common()])


def _result(end: End) -> Result:
    if end.problem:
        # It hung, or ended its process, in a vector or a test: nothing that could go unnoticed.
        return Result(Noticed("vectors", "process", end.problem.strip().rpartition("\n")[2]), 0.0)
    return Result(*end.result)


def _seen(arguments: argparse.Namespace) -> dict[str, Seen]:
    if not arguments.vectors:
        return coverage(arguments.jobs)
    names = fnmatch.filter(committed(), arguments.vectors)
    return {name: Seen(EVERYTHING, 0.0) for name in names}


def run(chosen: Sequence[Mutant], arguments: argparse.Namespace) -> Iterator[tuple[Mutant, Result]]:
    """Try mutants, write each result as it comes, and yield it."""
    seen = _seen(arguments)
    killers: dict[str, Counter[str]] = defaultdict(Counter)
    cases = {case.id: case for case in all_cases()}
    everyone = {mutant.id for mutant in (CONTROL, *chosen)}
    briefly = everyone if arguments.quick else () if arguments.thorough else equivalent()
    parts = Parts(tests=not arguments.vectors, briefly=briefly)
    checker = Checker(SOURCES, cases, committed(), seen, parts)
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    with arguments.results.open("a") as lines:
        for (mutant, _), end in each(checker, _tasks([CONTROL, *chosen], seen, killers), arguments.jobs):
            result = _result(end)
            if result.noticed.by == "vectors" and mutant != CONTROL:
                killers[f"{mutant.module}.{mutant.function}"][result.noticed.which] += 1
            lines.write(json.dumps({"id": mutant.id, **result._asdict()}) + "\n")
            lines.flush()
            yield mutant, result


def _keep_bytecode() -> None:
    # Each mutant imports all that depends on it anew, which would be compiled anew too.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(user_cache_path("nnconform") / "reference-mutation-bytecode")


def _results(
    chosen: Sequence[Mutant], arguments: argparse.Namespace, listed: Collection[str]
) -> tuple[dict[str, Result], int]:
    """Try what is to be tried, print what survives; return all results by id, and how many were not tried again."""
    earlier = _earlier(arguments.results) if arguments.again else {}
    results = {name: result for name, result in earlier.items() if result.noticed.by}
    if not (arguments.again or arguments.partly):
        arguments.results.unlink(missing_ok=True)
    rest = [mutant for mutant in chosen if mutant.id not in results]
    for number, (mutant, result) in enumerate(run(rest, arguments)):
        results[mutant.id] = result
        if mutant != CONTROL and (not result.noticed.by or arguments.id):
            word = "equivalent" if mutant.id in listed else "survived"
            said = f"noticed by {' '.join(result.noticed)}" if result.noticed.by else word
            print(f"{number}/{len(rest)} {said}: {mutant.id}", flush=True)
    return results, len(chosen) - len(rest)


def main() -> int:
    """Run what the command line asks and return the exit status."""
    arguments = _arguments()
    _keep_bytecode()
    chosen, listed = _chosen(arguments), equivalent()
    if arguments.list:
        print("\n".join(mutant.id for mutant in chosen))
        return 0
    began = time.monotonic()
    results, kept = _results(chosen, arguments, listed)
    found, wrong = table(chosen, results, listed), problems(chosen, results, listed)
    print("", found, "", *wrong, sep="\n")
    if arguments.record:
        record(found, wrong, time.monotonic() - began, arguments.jobs, kept)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
