"""The mutation of the reference: each kind of fault is made, and noticed; the list of equivalent ones is not stale."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parent / "reference_mutation"
sys.path.insert(0, str(TOOL))

# The tool's folder is no package.
from check import Noticed  # noqa: E402
from cover import REFERENCE  # noqa: E402
from mutate import mutants, mutated  # noqa: E402
from report import Result, equivalent, problems  # noqa: E402

SOURCES = {path.stem: path.read_text() for path in sorted(REFERENCE.glob("*.py"))}


def faults(source: str, module: str = "made_up") -> dict[str, str]:
    """Each mutant's source by what was changed."""
    return {m.id.split(" | ", 2)[2]: ast.unparse(mutated(source, m)) for m in mutants(module, source)}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("x = a + b", {"+ -> -": "a - b", "+ -> *": "a * b"}),
        ("x = a / b", {"/ -> *": "a * b"}),
        ("x = a < b", {"< -> <=": "a <= b", "< -> >": "a > b"}),
        ("x = a == b", {"== -> !=": "a != b"}),
        ("x = a is b", {"is -> is not": "a is not b"}),
        ("x = a and b", {"and -> or": "a or b", "dropped: a": "b", "dropped: b": "a"}),
        ("x = not a", {"not a -> a": "a"}),
        ("x = -a", {"-a -> a": "a"}),
        ("x = 3", {"3 -> 4": "4", "3 -> 0": "0"}),
        ("x = 1", {"1 -> 2": "2", "1 -> 0": "0"}),
        ("x = 0.0", {"0.0 -> 1.0": "1.0"}),
        ("x = 2.0", {"2.0 -> 2.0 * (1 + 2**-20)": "2.000001907348633", "2.0 -> 4.0": "4.0"}),
        ("x = True", {"True -> False": "False"}),
        ("x = min(a, b)", {"min -> max": "max(a, b)"}),
        ("x = np.minimum(a, b)", {"minimum -> maximum": "np.maximum(a, b)"}),
        ("x = np.where(a, b, c)", {"where's branches swapped": "np.where(a, c, b)"}),
        ("x = f(a, key=b)", {"argument dropped: key=b": "f(a)"}),
        ("x = total(a, b)", {"total -> mean": "mean(a, b)", "argument dropped: b": "total(a)"}),
        ("x = abs(a)", {"abs(a) -> a": "a"}),
        ("x = a if b else c", {"b -> not b": "a if not b else c"}),
        (
            "x = [a for a in b if c]",
            {"condition dropped: c": "[a for a in b]", "c -> not c": "[a for a in b if not c]"},
        ),
    ],
)
def test_each_kind_of_fault_is_made(line, wanted):
    found = faults(f"def f():\n    {line}\n")
    assert found == {change: f"def f():\n    x = {text}" for change, text in wanted.items()}


def test_parts_of_what_is_returned_are_returned_alone():
    found = faults("def f():\n    return a - b\n")
    assert found["returned: a"].endswith("return a")
    assert found["returned: b"].endswith("return b")


def test_entries_of_tables_are_dropped():
    assert faults("X = (a, b)\n") == {"element dropped: a": "X = (b,)", "element dropped: b": "X = (a,)"}
    assert faults("X = {a: b}\n") == {"entry dropped: a": "X = {}"}


@pytest.mark.parametrize(
    "source",
    [
        '"""1 + 1"""\n',
        "from a import b\n",
        "__all__ = [a, b]\n",
        "def f(a: b | c = d) -> e | None: pass\n",
        "@dataclass(frozen=True)\nclass A(B): pass\n",
        'def f():\n    raise ValueError(f"{a + 1} is not 2")\n',
        "def f():\n    zip(a, b, strict=True)\n",
        "Axes = tuple[int, ...] | None\n",
        "Outputs = dict[str, Output]\n",
    ],
)
def test_types_texts_and_imports_are_left_alone(source):
    assert faults(source) == {}


@pytest.mark.parametrize("module", SOURCES)
def test_an_id_belongs_to_one_mutant_and_hangs_on_no_line_number(module):
    names = [mutant.id for mutant in mutants(module, SOURCES[module])]
    assert len(names) == len(set(names))
    moved = SOURCES[module].replace("\n\n\ndef ", "\n\n\nMORE = None\n\n\ndef ", 1)
    assert [mutant.id for mutant in mutants(module, moved)] == names


def test_every_mutant_that_is_listed_as_equivalent_exists():
    names = {mutant.id for module, source in SOURCES.items() for mutant in mutants(module, source)}
    assert not set(equivalent()) - names


def test_survivors_and_stale_entries_are_problems_and_equivalent_ones_are_none():
    made = mutants("made_up", "def f():\n    x = 3\n    y = True\n")
    three, four, true = (mutant.id for mutant in made)
    alive, dead = Result(Noticed(""), 1.0), Result(Noticed("tests", "test_it"), 1.0)
    results = {three: alive, four: alive, true: dead}
    listed = dict.fromkeys((three, true, "made_up.g | x | y", "other.g | x | y"), "why")
    assert problems(made, results, listed) == [
        f"survived: {four}",
        f"listed, but noticed by test_it: {true}",
        "listed, but there is no such mutant: made_up.g | x | y",
    ]


def test_a_process_that_ends_in_any_way_is_told_from_one_that_returns():
    script = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1]); from processes import each\n"
        "ways = [lambda: 7, lambda: 1 / 0, lambda: os._exit(3), lambda: os.kill(os.getpid(), signal.SIGSEGV)]\n"
        "for number, end in each(lambda n: ways[n](), range(4), 1): print(end.result, end.problem.split(chr(10))[-2:])"
    )
    lines = subprocess.run([sys.executable, "-c", script, str(TOOL)], capture_output=True, text=True, check=True).stdout
    assert lines.splitlines() == [
        "7 ['']",
        "None ['ZeroDivisionError: division by zero', '']",
        "None ['ended with status 3']",
        "None ['SIGSEGV']",
    ]


RELU = "activations.relu_vjp | return np.where(x > 0, dy, exact.full(x.shape, 0.0, x)) | > -> >="
# No vector of relu runs this.
BESIDE = "activations.elu | return np.where(x > 0, x, exact.number(alpha, x) * exact.expm1(below)) | > -> >="


def test_the_vectors_notice_a_fault_that_they_can_see_and_no_other(tmp_path):
    words = ["--id", RELU, "--id", BESIDE, "--vectors", "relu/*/float32", "--results", str(tmp_path / "results")]
    run = subprocess.run([sys.executable, str(TOOL / "run.py"), *words], capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    assert f"survived: {BESIDE}" in run.stdout.splitlines()
    found = {line["id"]: line["noticed"] for line in map(json.loads, (tmp_path / "results").read_text().splitlines())}
    assert found[RELU][0] == "vectors"
    assert found[RELU][1].startswith("relu/")
    assert found[BESIDE][0] == ""
