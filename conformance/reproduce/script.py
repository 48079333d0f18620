"""Standalone scripts of results: inputs, the call, expected values and an assertion."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from nnconform.conformance.model.result import Result
from nnconform.conformance.numbers import decimal
from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.clauses import Clause, clauses
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.vector import LawTensor, Tensor, Vector
from nnconform.conformance.words import clean

from . import draws, law_checks, shared_initializers, value_checks
from .case import Case, NothingToShow, indent, literal, refuse_foreign
from .clause_quotes import quote, relevant_clauses
from .families import RUNNING, Family, families
from .lengths import one_length, position
from .literals import WIDTH, Arrays
from .reported_calls import ReportedCall, available_outputs, failing, output_of
from .value_checks import Check

# These patterns take only words and numbers, so that foreign text cannot become code.
DTYPE = re.compile(r"dtype \w+, wanted (\w+)", re.ASCII)
# A size is a valid Python number: few digits, without a leading zero.
SIZE = r"(?:0|[1-9]\d{0,17})"
SHAPE = re.compile(rf"shape \[[\d, ]*\], wanted \[((?:{SIZE}(?:, {SIZE})*)?)\]", re.ASCII)
# Strings and comments of a script.
TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|#.*')
EXACT = "# The exact result, rounded once, and its error bound."
EXTREMES = "# The centers of the intervals for the smallest and the largest element, and the half widths."
ABSENT = "a value where the gradient is absent"
PRESENCE = {"nothing where a value is wanted": "is not None", ABSENT: "is None"}


@dataclass(frozen=True)
class Script:
    """A script, and the facts that a bug report needs.

    Attributes:
        text: the script.
        outputs: the names of the outputs that it checks, the worst first.
        clauses: the clauses that the result is about.
        summary: the problem of the worst output in one line, "" if there is none.
    """

    text: str
    outputs: tuple[str, ...]
    clauses: tuple[Clause, ...]
    summary: str


def write(vector: Vector, call: ReportedCall) -> Script:
    """Return the script of one call.

    Args:
        vector: the vector.
        call: the call with its result.

    Raises:
        NothingToShow: the vector is not judged, the framework does not support it, or the vector or the result has a
            text or number that is not allowed there.
    """
    result = call.result
    refuse_foreign(vector)
    if vector.unjudged:
        raise NothingToShow(f"{vector.id} is recorded but not judged, because the spec does not define its result")
    if result is not None and result.verdict == "unsupported":
        raise NothingToShow(f"{call.implementation} does not support this: {result.reason}")
    family = families(call.framework).get((vector.operation, call.implementation))
    if family is None:
        raise NothingToShow(f"no script of {call.implementation!r} for {vector.operation}")
    if call.mode not in family.modes:
        raise NothingToShow(f"{call.implementation} has no mode {call.mode!r}; it has {', '.join(family.modes)}")
    if not shared_initializers.makes_several(call.framework, family, vector):
        vector = shared_initializers.one_sample(vector, result)
    names = _names(vector, result, family)
    _refuse_contradictions(vector, result, names)
    vector, result, names = one_length(vector, result, names)
    # Without a value, the error may come from either pass, so the script calls both.
    without_value = result is not None and not result.outputs
    called = available_outputs(result, [*vector.expected], family.omits) if without_value else names
    needed = frozenset(name.partition("[")[0] for name in called)
    wide = call.framework == "jax" and vector.dtype == "float64"
    array = Arrays(call.framework, wide=wide, cut="[:n]" if position(result, names) else "")
    case = Case(vector, family, call.mode, needed, array)
    about = relevant_clauses(vector, names, _departures(result, names), clauses())
    summary = describe(result, names)
    text = _assemble(_docstring(call, summary, about), *_code(case, result, names))
    return Script(text, tuple(names), tuple(about), summary)


def _refuse_contradictions(vector: Vector, result: Result | None, names: list[str]) -> None:
    """Refuse a result that differs in an output or an element that the vector does not have.

    Raises:
        NothingToShow: the report contradicts the vector.
    """
    if result is None or result.verdict == "conforms":
        return
    if result.outputs and not names:
        raise NothingToShow(f"the report names no output of {vector.id} that differs")
    for name in names:
        expected, worst = vector.expected.get(name), output_of(result, name).worst
        if worst is None or not isinstance(expected, Tensor):
            continue
        sizes = expected.shape
        if len(worst.index) != len(sizes) or not all(0 <= i < n for i, n in zip(worst.index, sizes, strict=True)):
            raise NothingToShow(f"the report's worst element {worst.place(name)} is not in the shape {[*sizes]}")


def _code(case: Case, result: Result | None, names: list[str]) -> tuple[list[str], list[str]]:
    """Return the imports and settings of a script, and the lines that follow them."""
    module = import_module(f"{__package__}.{case.array.framework}")
    body = list(getattr(module, case.family.writer)(case))
    after = _After(case, module.NUMERIC, result)
    if places := position(result, names):
        body = [*_as_function(body, after.got(names[0])), "", *after.dependence(*places)]
    elif names:
        body += ["", *after.checks(names)]
    return [*module.imports(case), *_threads(case)], body


def _names(vector: Vector, result: Result | None, family: Family) -> list[str]:
    """Return the outputs to check, the worst first; the vector and the implementation have all of them."""
    expected = [n for n, e in _expected(vector) if not isinstance(e, Tensor) or "any" not in e.latitude]
    expected += _absent(vector, result)
    expected = [name for name in expected if name.partition("[")[0] in family.outputs]
    names = failing(result, available_outputs(result, expected, family.omits))
    # Values, dtypes and shapes are checked in different ways; a script shows one of them.
    of_values = [name for name in names if not _of_form(output_of(result, name).problem)]
    names = of_values or names
    if result is not None and not result.outputs:
        # Without a value, the first output is enough.
        first = names[0].partition("[")[0] if names else ""
        names = [name for name in names if name.partition("[")[0] == first]
    return names


def _absent(vector: Vector, result: Result | None) -> list[str]:
    """Return the gradients that have a value in the result but are absent in the vector (FORMAT-10)."""
    if result is None or not any(output.problem == ABSENT for output in result.outputs.values()):
        return []
    names = [f"gradients[{i}]" for i, value in enumerate(vector.inputs.get("gradients", ())) if value is None]
    return [name for name in names if output_of(result, name).problem == ABSENT]


def _of_form(problem: str) -> bool:
    """Return True if a problem is about dtype, shape or presence, not values."""
    return problem in PRESENCE or any(pattern.fullmatch(problem) for pattern in (DTYPE, SHAPE))


def _expected(vector: Vector) -> Iterator[tuple[str, Tensor | LawTensor]]:
    for name in vector.expected:
        yield name, vector.expected[name]


def _departures(result: Result | None, names: Iterable[str]) -> Iterator[str]:
    """Yield the clauses that the dialects of a result depart from."""
    if result is None or result.verdict != "dialect":
        return
    entries = dialects.dialects()
    for dialect in [*(output_of(result, name).dialect for name in names), result.dialect]:
        for part in dialect.split("+"):
            yield from entries[part].departs_from if part in entries else ()


def describe(result: Result | None, names: Iterable[str]) -> str:
    """Return the problem of the worst output in one line, "" if the result conforms."""
    if result is None or result.verdict == "conforms":
        return ""
    if not result.outputs:
        reason = next(iter(result.reason.splitlines()), "") or result.verdict
        short = re.split(r"(?<=\.) ", reason)[0]
        return short if len(short) <= 2 * WIDTH else f"{short[: 2 * WIDTH]}..."
    name = next(iter(names))
    output = output_of(result, name)
    if output.problem or output.worst is None:
        return f"{name}: {output.problem or output.verdict}"
    worst = output.worst
    values = f"{decimal(worst.got)}, expected {decimal(worst.expected)} (bound {decimal(worst.bound, 3)})"
    return f"{worst.place(name)} = {values}"


class _After:
    """Writes the lines after the call of a script."""

    def __init__(self, case: Case, numeric: str, result: Result | None) -> None:
        self.case, self.numeric, self.result = case, numeric, result

    def raw(self, name: str) -> str:
        """Return the expression of an output as an array of the framework."""
        base, _, rest = name.partition("[")
        return self.case.family.outputs[base].format(i=rest.rstrip("]"))

    def got(self, name: str) -> str:
        """Return the expression of an output as a NumPy array, with bfloat16 as float64."""
        if self.case.vector.steps and name not in RUNNING:
            return f"np.stack({name}s)"
        expected = self.case.vector.expected[name]
        if self.case.vector.extremes:
            sample = self.numeric.format(self.raw(name))
            return f"np.array([{sample}.min(), {sample}.max()])"
        narrow = "{}.numpy()" if self.case.array.framework == "torch" else "np.array({})"
        return (self.numeric if expected.dtype == "bfloat16" else narrow).format(self.raw(name))

    def checks(self, names: list[str]) -> Iterator[str]:
        """Yield the assertions on outputs."""
        vector = self.case.vector
        problem = output_of(self.result, names[0]).problem
        if "layers" in vector.attributes:
            yield from shared_initializers.check(self.result)
        elif _of_form(problem):
            yield from self.form(names, problem)
        elif isinstance(law := vector.expected[names[0]], LawTensor):
            statistics = law_checks.statistics(problem, law)
            if law_checks.SCALE in statistics:
                yield from draws.before(self.case)
            sample = self.numeric.format(draws.expression(self.case, law)) if law_checks.SCALE in statistics else ""
            yield from law_checks.lines(law, self.numeric.format(self.raw(names[0])), statistics, sample)
        else:
            yield EXTREMES if vector.extremes else EXACT
            tensors = ((name, _tensor(vector.expected[name])) for name in names)
            outputs = [Check(name, self.got(name), tensor, output_of(self.result, name)) for name, tensor in tensors]
            brief = self.result is not None and not self.result.outputs
            yield from value_checks.lines(outputs, vector.first, brief=brief)

    def form(self, names: list[str], problem: str) -> Iterator[str]:
        """Yield the assertion on dtypes, or on the shape or presence of the first output."""
        message = literal(f"{names[0]}: {problem}")
        if DTYPE.fullmatch(problem):
            dtype = self.case.vector.expected[names[0]].dtype
            yield from ("got = {", *(f'    "{name}": {self.raw(name)}.dtype,' for name in names), "}")
            yield "wrong = ["
            yield f'    f"{{name}}: dtype {{dtype}}, wanted {dtype}"'
            yield "    for name, dtype in got.items()"
            yield f"    if dtype != {self.case.array.dtype(dtype)}"
            yield "]"
            yield r'assert not wrong, "\n".join(wrong)'
        elif shape := SHAPE.fullmatch(problem):
            yield f"assert list({self.raw(names[0])}.shape) == [{shape[1]}], {message}"
        else:
            yield f"assert {self.raw(names[0])} {PRESENCE[problem]}, {message}"

    def dependence(self, one: int, of_one: int, two: int, of_two: int) -> Iterator[str]:
        """Yield the assertion that a result does not depend on the place of a number and the length of its array."""
        yield f"one, two = run({of_one})[{one}], run({of_two})[{two}]"
        yield "assert repr(one) == repr(two), ("
        yield f'    f"the same number gives {{one}} as element {one} of {of_one} "'
        yield f'    f"and {{two}} as element {two} of {of_two}"'
        yield ")"


def _tensor(expected: Tensor | LawTensor) -> Tensor:
    assert isinstance(expected, Tensor)
    return expected


def _as_function(body: Iterable[str], got: str) -> Iterator[str]:
    yield "def run(n):"
    yield from indent(line for line in [*body, f"return {got}"] if line)
    yield ""


def _threads(case: Case) -> Iterator[str]:
    """Yield the setting of one thread, so that long sums have the same order as in the run."""
    inputs = case.vector.inputs
    long = any(isinstance(v, Repeated) for name in inputs for v in _entries(inputs[name]))
    if not long or case.vector.operation in ("relu", "elu", "clip_by_value"):
        return
    if case.array.framework == "torch":
        yield from ("", "torch.set_num_threads(1)")
    elif case.array.framework == "tensorflow":
        yield from ("", "tf.config.threading.set_intra_op_parallelism_threads(1)")


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _docstring(call: ReportedCall, summary: str, about: Iterable[Clause]) -> str:
    mode = "" if call.mode == "eager" else f" ({call.mode})"
    head = f"{call.implementation}{mode}"
    title = clean(f"{head}: {summary}" if summary else head)
    wrapped = textwrap.fill(title, WIDTH - 3, break_long_words=False, break_on_hyphens=False)
    return "\n\n".join([wrapped, *(quote(clause, WIDTH) for clause in about)])


def _within_docstring(text: str) -> str:
    """Return text that cannot end a docstring or start an escape, so that foreign text cannot become code."""
    return text.replace("\\", r"\\").replace('"""', r"\"\"\"")


def _assemble(head: str, imports: Iterable[str], body: Iterable[str]) -> str:
    """Return the text of a script, with only the imports that it uses, and imports of nan and inf if needed."""
    code, head_lines = "\n".join(body), [*imports]
    # Words in strings and comments need no import.
    users = TEXT.sub("", "\n".join([*(line for line in head_lines if "import " not in line), code]))
    special = [word for word in ("inf", "nan") if _uses(users, word)]
    standard = [f"import {module}" for module in ("math", "os") if _uses(users, module)]
    standard += [f"from math import {', '.join(special)}"] if special else []
    others = [
        line for line in head_lines if line != "import os" and ("import " not in line or _uses(users, line.split()[-1]))
    ]
    gap = [""] if standard and others[0] else []
    return (
        "\n".join([f'"""{_within_docstring(head)}\n"""', "", *standard, *gap, *others, *_add_blank_lines(code)]) + "\n"
    )


def _uses(code: str, name: str) -> bool:
    """Return True if code uses a name other than as an attribute."""
    return re.search(rf"(?<![\w.]){name}\b", code) is not None


def _add_blank_lines(code: str) -> Iterator[str]:
    """Yield lines with one blank line between parts and two around functions, in the style of ruff and black."""
    before, blank, inside = "", True, False
    for line in code.splitlines():
        if not line.strip():
            blank = True
            continue
        top = not line.startswith((" ", ")", "]"))
        starts = top and line.startswith(("def ", "@")) and not before.startswith("@")
        yield from [""] * (2 if starts or (inside and top and not before.startswith("@")) else blank)
        inside = line.startswith(("def ", "@")) or (inside and not top)
        before, blank = line, False
        yield line
