"""One mutant: whether the published vectors or the tests of the reference notice it.

All of this runs in a process that ends with the mutant (``processes``): the modules of nnconform that depend on the
reference are imported there once more, on top of the mutated one.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import signal
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import pytest
from cover import REFERENCE, Seen
from mutate import Mutant, mutated

from nnconform.conformance.cases.vector_case import Every
from nnconform.conformance.vectors.described_tensors import Repeated

TESTS = Path(__file__).resolve().parents[1]
# The tests of each module, then those of the whole reference, and last those that judge all vectors.
QUICK = {
    "batch_norm_bounds": ("test_batch_norm_bounds.py",),
    "batch_norm_variants": ("test_long_sums.py", "test_batch_norm_variants.py"),
    "bounds": ("test_bounds_values.py", "test_number_systems.py", "test_long_sums.py"),
    "clipping_variants": ("test_clipping_variants.py", "test_long_sums.py"),
    "dialects": ("test_dialect_table.py",),
    "exact": ("test_exact.py",),
    "rounding": ("test_number_systems.py", "exactness/test_near_ties_rounding.py", "test_rounding.py"),
    "simulation": ("test_simulation.py",),
    "variants": ("test_number_systems.py",),
}
QUICK_ELSE = ("test_reference_exact_values.py", "test_reference.py")
SLOW = ("test_dialects.py", "exactness/test_near_ties_generator.py")
# Seconds of unchanged vectors that are tried before the quick tests, which take as long.
FIRST = 1.5
# Seconds of the processor after which a vector, or a file of tests, is taken to hang: the slowest unchanged one takes
# eight.
HANGS = 100
# They make the cases too, which are made anew before all vectors are tried.
MAKE_INPUTS = ("defaults", "exact", "rounding")


class Noticed(NamedTuple):
    """What noticed a mutant: ``vectors``, ``tests`` or, when nothing did, ""; which of them, and what it said."""

    by: str
    which: str = ""
    said: str = ""


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        return self.code


class _Finder:
    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        loader = _Loader(name, str(self.path), self.code)
        return importlib.util.spec_from_file_location(name, self.path, loader=loader)


def install(module: str, tree: ast.Module) -> None:
    """Make this process import ``tree`` as the reference's module, and all that depends on it anew."""
    path = REFERENCE / f"{module}.py"
    for name in list(sys.modules):
        if name.startswith(("nnconform.reference", "nnconform.conformance")):
            del sys.modules[name]
    sys.meta_path.insert(0, _Finder(f"nnconform.reference.{module}", path, compile(tree, str(path), "exec")))


def _limit() -> None:
    # Unlike a handler, the signal's own action also ends a loop in C.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, HANGS)


def _by_vectors(cases: Mapping[str, Any], wanted: Mapping[str, str], names: Sequence[str]) -> Noticed | None:
    from nnconform.conformance.generating.writer import vector_text

    for name in names:
        _limit()
        try:
            text = vector_text(cases[name])
        except Exception as error:
            return Noticed("vectors", name, f"{type(error).__name__}: {error}"[:200])
        if text != wanted[name]:
            return Noticed("vectors", name, "another text")
    return None


class _First:
    """Keeps the name of the first test that fails."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.name = self.name or report.nodeid


def _by_tests(files: Sequence[str]) -> Noticed | None:
    first = _First()
    _limit()
    words = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:xdist", "--tb=no", "--no-header"]
    status = pytest.main([*words, *(str(TESTS / name) for name in files)], plugins=[first])
    return Noticed("tests", first.name or f"pytest ended with {status}") if status else None


def _described(case: Any) -> bool:
    """Say whether a case has tensors of a class of this suite, which is another one once it is imported anew."""
    return any(isinstance(value, Every | Repeated) for value in case.arrays)


class Parts(NamedTuple):
    """What mutants are tried on.

    Attributes:
        tests: the tests too.
        briefly: the ids of those that are tried on what takes a few seconds, and not on all vectors.
    """

    tests: bool = True
    briefly: Collection[str] = ()


class Checker:
    """Tries mutants on vectors and tests.

    Args:
        sources: of the reference's modules, by name.
        cases: of the unchanged reference, by id.
        wanted: the vectors' committed texts by id.
        seen: what they run, by id.
        parts: what they are tried on.
    """

    def __init__(
        self,
        sources: Mapping[str, str],
        cases: Mapping[str, Any],
        wanted: Mapping[str, str],
        seen: Mapping[str, Seen],
        parts: Parts,
    ) -> None:
        self.sources, self.cases, self.wanted, self.seen, self.parts = sources, cases, wanted, seen, parts

    def __call__(self, task: tuple[Mutant, Sequence[str]]) -> tuple[Noticed, float]:
        """Return what notices a mutant, the vectors given in their order, and the seconds that it took."""
        mutant, names = task
        began = time.monotonic()
        _limit()
        try:
            install(mutant.module, mutated(self.sources[mutant.module], mutant))
            found = next(filter(None, self._tries(mutant, names)), Noticed(""))
        except Exception as error:
            found = Noticed("vectors", "import", f"{type(error).__name__}: {error}"[:200])
        return found, time.monotonic() - began

    def _tries(self, mutant: Mutant, names: Sequence[str]) -> Iterator[Noticed | None]:
        soon = self._soon(names)
        yield _by_vectors(self.cases, self.wanted, soon)
        if self.parts.tests:
            yield _by_tests(QUICK.get(mutant.module, ()) + QUICK_ELSE)
        if mutant.id in self.parts.briefly:
            return
        from nnconform.conformance.cases.all_cases import all_cases

        cases = {case.id: case for case in all_cases()}
        done = () if mutant.module in MAKE_INPUTS else soon
        yield _by_vectors(cases, self.wanted, [name for name in names if name not in done])
        if self.parts.tests:
            yield _by_tests(SLOW)

    def _soon(self, names: Sequence[str]) -> list[str]:
        """Return the first names, which together take ``FIRST`` seconds."""
        total, soon = 0.0, []
        for name in names:
            if not _described(self.cases[name]):
                total += self.seen[name].seconds
                if total > FIRST:
                    break
                soon.append(name)
        return soon
