"""A standalone script that shows one result: inputs, the call, what is expected, and an assertion."""

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
from .case import Case, NothingToShow, indented, literal, refuse_foreign
from .clause_quotes import concerned, quoted
from .families import RUNNING, Family, families
from .lengths import one_length, position
from .literals import WIDTH, Arrays
from .reported_calls import ReportedCall, failing, output_of, shown
from .value_checks import Check

# Only words and numbers: foreign text becomes code nowhere.
DTYPE = re.compile(r"dtype \w+, wanted (\w+)", re.ASCII)
# A size is a number that Python reads as it stands: no leading zero, and few digits.
SIZE = r"(?:0|[1-9]\d{0,17})"
SHAPE = re.compile(rf"shape \[[\d, ]*\], wanted \[((?:{SIZE}(?:, {SIZE})*)?)\]", re.ASCII)
# Strings and comments of a script.
TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|#.*')
EXACT = "# The exact result, rounded once, and the most by which it may be off."
EXTREMES = "# The middle of where the smallest and the largest element lie, and how far from it they may be."
ABSENT = "a value where the gradient is absent"
PRESENCE = {"nothing where a value is wanted": "is not None", ABSENT: "is None"}


@dataclass(frozen=True)
class Script:
    """A script and what an upstream report says of it.

    Attributes:
        text: the script itself.
        outputs: the flat names of the outputs that it looks at, the worst first.
        clauses: that the result is about.
        summary: the problem of the worst output, in a line; "" if there is none.
    """

    text: str
    outputs: tuple[str, ...]
    clauses: tuple[Clause, ...]
    summary: str


def write(vector: Vector, call: ReportedCall) -> Script:
    """Return the script of one call.

    Args:
        vector: what is asked.
        call: the call, and what a report says of it.

    Raises:
        NothingToShow: nothing is judged, the framework lacks what is asked for, or the vector or the result has
            text or a number that does not belong there.
    """
    result = call.result
    refuse_foreign(vector)
    if vector.unjudged:
        raise NothingToShow(f"{vector.id} has no meaning in the spec: it is recorded and not judged")
    if result is not None and result.verdict == "unsupported":
        raise NothingToShow(f"{call.implementation} has no such thing: {result.reason}")
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
    # The backward pass may raise too: then all of it is called.
    without_value = result is not None and not result.outputs
    called = shown(result, [*vector.expected], family.omits) if without_value else names
    needed = frozenset(name.partition("[")[0] for name in called)
    wide = call.framework == "jax" and vector.dtype == "float64"
    array = Arrays(call.framework, wide=wide, cut="[:n]" if position(result, names) else "")
    case = Case(vector, family, call.mode, needed, array)
    about = concerned(vector, names, _departed(result, names), clauses())
    summary = describe(result, names)
    text = _assembled(_docstring(call, summary, about), *_code(case, result, names))
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
    """Return the outputs to check, the worst first: of those that the vector and the implementation have."""
    judged = [n for n, e in _expected(vector) if not isinstance(e, Tensor) or "any" not in e.latitude]
    judged += _absent(vector, result)
    judged = [name for name in judged if name.partition("[")[0] in family.outputs]
    names = failing(result, shown(result, judged, family.omits))
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
    """Return whether a problem is one of dtype, shape or presence, and not of values."""
    return problem in PRESENCE or any(pattern.fullmatch(problem) for pattern in (DTYPE, SHAPE))


def _expected(vector: Vector) -> Iterator[tuple[str, Tensor | LawTensor]]:
    for name in vector.expected:
        yield name, vector.expected[name]


def _departed(result: Result | None, names: Iterable[str]) -> Iterator[str]:
    """Yield the clauses that the dialects of a result depart from."""
    if result is None or result.verdict != "dialect":
        return
    known = dialects.dialects()
    for dialect in [*(output_of(result, name).dialect for name in names), result.dialect]:
        for part in dialect.split("+"):
            yield from known[part].departs_from if part in known else ()


def describe(result: Result | None, names: Iterable[str]) -> str:
    """Return the problem of the worst output in a line; "" if all conforms."""
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
    """Writes the lines after the call."""

    def __init__(self, case: Case, numeric: str, result: Result | None) -> None:
        self.case, self.numeric, self.result = case, numeric, result

    def raw(self, name: str) -> str:
        """Return the expression of an output as the framework gives it."""
        base, _, rest = name.partition("[")
        return self.case.family.outputs[base].format(i=rest.rstrip("]"))

    def got(self, name: str) -> str:
        """Return the expression of an output as a NumPy array; bfloat16, which NumPy does not have, as float64."""
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
            drawn = self.numeric.format(draws.expression(self.case, law)) if law_checks.SCALE in statistics else ""
            yield from law_checks.lines(law, self.numeric.format(self.raw(names[0])), statistics, drawn)
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
        """Yield the assertion that one number has one result, whatever its place and the array's length."""
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
    yield from indented(line for line in [*body, f"return {got}"] if line)
    yield ""


def _threads(case: Case) -> Iterator[str]:
    """Yield what keeps the order of a long sum: one thread, as in the report's run."""
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
    how = "" if call.mode == "eager" else f" ({call.mode})"
    head = f"{call.implementation}{how}"
    title = clean(f"{head}: {summary}" if summary else head)
    wrapped = textwrap.fill(title, WIDTH - 3, break_long_words=False, break_on_hyphens=False)
    return "\n\n".join([wrapped, *(quoted(clause, WIDTH) for clause in about)])


def _within_docstring(text: str) -> str:
    """Return text that neither ends a docstring nor has an escape in it: foreign text must not become code."""
    return text.replace("\\", r"\\").replace('"""', r"\"\"\"")


def _assembled(head: str, imports: Iterable[str], body: Iterable[str]) -> str:
    """Return the text of a script, with those of the imports that it uses, and with nan and inf where they stand."""
    code, given = "\n".join(body), [*imports]
    # A word in a message needs no import.
    users = TEXT.sub("", "\n".join([*(line for line in given if "import " not in line), code]))
    special = [word for word in ("inf", "nan") if _uses(users, word)]
    standard = [f"import {module}" for module in ("math", "os") if _uses(users, module)]
    standard += [f"from math import {', '.join(special)}"] if special else []
    others = [
        line for line in given if line != "import os" and ("import " not in line or _uses(users, line.split()[-1]))
    ]
    gap = [""] if standard and others[0] else []
    return "\n".join([f'"""{_within_docstring(head)}\n"""', "", *standard, *gap, *others, *_spaced(code)]) + "\n"


def _uses(code: str, name: str) -> bool:
    """Return whether code has a name, and not as an attribute."""
    return re.search(rf"(?<![\w.]){name}\b", code) is not None


def _spaced(code: str) -> Iterator[str]:
    """Yield lines with one blank line between parts and two around functions, as ruff and black have them."""
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
