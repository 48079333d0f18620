"""What is drawn: the commands, by the names of what they print."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import recorded

REPORTS = ("full", "changed", "troubled")
LIAR = "tests/liars/known_differs.py"


@dataclass(frozen=True)
class Task:
    """A command whose outputs are kept: what it prints as NAME.txt, and a file that it writes as NAME/FILE.

    Attributes:
        name: the first part of the names of its outputs.
        words: the command after `nnconform`, or several with ``;`` between them; ``@clauses`` and the like are all that
            `nnconform list` names.
        writes: whether it writes files.
        inputs: files of the repository that are copied to where it runs; reports are there.
        columns: how wide the terminal is.
        colour: whether it has colours.
        internal: whether it is a command of ``internal``, and none of `nnconform`.
        measures: whether it measures frameworks, and keeps that in the user's cache.
        runs: whether it runs vectors, so that it says when and how long.
    """

    name: str
    words: tuple[str, ...]
    writes: bool = False
    inputs: tuple[str, ...] = ()
    columns: int = 80
    colour: bool = False
    internal: bool = False
    measures: bool = False
    runs: bool = False

    def may_match(self, globs: Sequence[str]) -> bool:
        """Say whether one of its outputs may match one of some globs, or there is none."""
        return matches(f"{self.name}.txt", globs) or (self.writes and any(map(self._may_write, globs)))

    def _may_write(self, glob: str) -> bool:
        fixed = re.split(r"[*?[]", glob)[0]
        return fixed.startswith(f"{self.name}/") or f"{self.name}/".startswith(fixed)


def matches(name: str, globs: Sequence[str]) -> bool:
    """Say whether a name matches one of some globs, or there is none."""
    return not globs or any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def every() -> Iterator[Task]:
    """Yield all tasks, those that take longest first."""
    yield from _guide()
    yield Task("site", ("site", "site", "full.json", "changed.json"), writes=True)
    yield from _pages()
    yield Task("list/implementations", ("list", "implementations"))
    yield from _runs()
    yield from _plots()
    yield from _explain()
    yield from _summaries()
    yield from _known()
    yield from _diff()
    yield from _reproduce()
    yield from _list()
    yield from _help()
    yield from _errors()


def _guide() -> Iterator[Task]:
    for source, target in (("torch", "keras"), ("keras", "flax"), ("flax", "torch"), ("torch", "tensorflow")):
        yield Task(f"guide/{source}-{target}", ("guide", source, target), measures=True)
    yield Task("guide/colour", ("guide", "torch", "keras"), colour=True, measures=True)


def _pages() -> Iterator[Task]:
    yield Task("page/full", ("html", "full.json", "page.html"), writes=True)
    yield Task("page/plain", ("plain-page", "full.json"), writes=True, internal=True)
    yield Task("page/troubled", ("html", "troubled.json", "page.html"), writes=True)


def _runs() -> Iterator[Task]:
    """Yield real runs of what takes little time and gives the same everywhere."""
    files = ("--json", "report.json", "--junit", "junit.xml", "--markdown", "report.md", "--github")
    yield Task("run/numpy", ("run", "numpy", "--operation", "relu", *files), writes=True, runs=True)
    liar = ("run", "--adapter", "known_differs.py", "--known", "known_ugly.yaml")
    inputs = (LIAR, "tests/data/known_ugly.yaml")
    yield Task("run/liar", (*liar, *files), writes=True, inputs=inputs, runs=True)


def _summaries() -> Iterator[Task]:
    """Yield what a run prints and writes at its end."""
    for report in REPORTS:
        path = f"{report}.json"
        for option in ("", "--strict", "--verbose", "--quiet", "--headroom"):
            words = ("summary", path, *filter(None, [option]))
            name = f"summary/{report}{option.replace('--', '-')}"
            for columns in (80, 120):
                yield Task(f"{name}-{columns}", words, columns=columns, internal=True)
            yield Task(f"{name}-colour", words, colour=True, internal=True)
        yield Task(f"reports/{report}", ("reports", path), writes=True, internal=True)
        yield Task(f"reports/{report}-strict", ("reports", path, "--strict"), writes=True, internal=True)


def _plots() -> Iterator[Task]:
    for name in ("bounds", "init", "variance", "elu", "clip"):
        yield Task(f"plot/{name}", ("plot", name, "--report", "full.json"), writes=True)
    words = ("plot", "elu", "torch", "--dtype", "float32", "--report", "full.json")
    yield Task("plot/elu-torch", words, writes=True)
    yield Task("plot/elu-png", ("plot", "elu", "jax", "--report", "full.json", "--output", "elu.png"), writes=True)
    yield Task("plot/nothing", ("plot", "elu", "nosuch", "--report", "full.json"))


def _diff() -> Iterator[Task]:
    words = ("diff", "full.json", "changed.json")
    files = ("--json", "diff.json", "--junit", "junit.xml", "--markdown", "diff.md")
    yield Task("diff/files", (*words, *files, "--github"), writes=True)
    yield Task("diff/bits", (*words, *files, "--github", "--bits"), writes=True)
    yield Task("diff/same", ("diff", "full.json", "full.json"))
    for name, old, new in (("later", "full", "changed"), ("back", "changed", "full"), ("other", "full", "troubled")):
        words = ("diff", f"{old}.json", f"{new}.json")
        yield Task(f"diff/{name}", words)
        yield Task(f"diff/{name}-verbose", (*words, "--verbose"))
        yield Task(f"diff/{name}-quiet", (*words, "--quiet"))
        yield Task(f"diff/{name}-120", words, columns=120)
        yield Task(f"diff/{name}-colour", words, colour=True)


def _explain() -> Iterator[Task]:
    """Yield explanations by the last run, which is the recorded one, and by the changed report."""
    names = {
        "clause": ("ELU-1", "BN-TRAIN-4"),
        "dialect": ("global-norm", "global-norm+clip-denominator-epsilon"),
        "fault": ("wrong-axis",),
        "vector": ("elu/near-zero/float32", "he_normal/dense-transposed/bfloat16"),
        "vectors": ("elu/near-zero/*",),
        "implementation": ("torch.nn.BatchNorm2d", "keras.optimizers.SGD", "optax.sgd"),
        "operation": ("elu", "he_normal"),
        "framework": ("torch", "keras", "jax"),
        "defaults": ("defaults",),
        "verdict": ("conforms", "dialect", "diverges", "unsupported", "error", "crash", "timeout"),
        "every-clause": ("@clauses",),
        "every-dialect": ("@dialects",),
        "every-operation": ("@operations",),
    }
    for kind, found in names.items():
        yield Task(f"explain/{kind}", ("explain", *found))
        yield Task(f"explain/{kind}-changed", ("explain", *found, "--report", "changed.json"))
        if not kind.startswith("every"):
            yield Task(f"explain/{kind}-verbose", ("explain", *found, "--verbose"), columns=120)
            yield Task(f"explain/{kind}-colour", ("explain", *found), colour=True)


def _reproduce() -> Iterator[Task]:
    """Yield the script of a result by a dialect, with the text of an issue, a framework and operation, and more."""
    chosen: dict[tuple[str, str, str], str] = {}
    for row in recorded.read(recorded.FULL)["results"]:
        if row["profile"] != "defaults" and row.get("judged", True) and row["verdict"] in ("dialect", "conforms"):
            chosen.setdefault((row["operation"], row["framework"], row["verdict"]), row["vector"])
    for (operation, framework, verdict), vector in chosen.items():
        option = ("--issue",) if verdict == "dialect" else ()
        yield Task(f"reproduce/{operation}-{framework}-{verdict}", ("reproduce", vector, framework, *option))
    changed = ("--report", "changed.json", "--issue")
    yield Task("reproduce/changed", ("reproduce", "elu/near-zero/float32", "torch", *changed))
    yield Task("reproduce/defaults", ("reproduce", "elu/defaults/float32", "torch"))


def _known() -> Iterator[Task]:
    examples = ("examples/known.yaml",)
    for report in (*REPORTS, "later"):
        words = ("known", "known.yaml", "--report", f"{report}.json")
        yield Task(f"known/check-{report}", words, inputs=examples)
    yield Task("known/check-colour", ("known", "known.yaml", "--report", "later.json"), inputs=examples, colour=True)
    for report in ("full", "later"):
        option = ("--update", "--report", f"{report}.json")
        yield Task(f"known/examples-{report}", ("known", "known.yaml", *option), writes=True, inputs=examples)
        ugly = ("tests/data/known_ugly.yaml",)
        yield Task(f"known/ugly-{report}", ("known", "known_ugly.yaml", *option), writes=True, inputs=ugly)
    yield Task("known/dialects", ("known", "new.yaml", "--update", "--dialects"), writes=True)
    new = ("known", "new.yaml", "--report")
    steps = (*new, "later.json", "--update", ";", *new, "later.json", ";", *new, "full.json")
    yield Task("known/new", steps, writes=True)
    yield Task("known/new-colour", steps, colour=True)
    yield Task("known/stale", (*steps, ";", *new, "full.json", "--update"), writes=True)


def _list() -> Iterator[Task]:
    for what in ("frameworks", "operations", "vectors", "dialects", "clauses"):
        yield Task(f"list/{what}", ("list", what))
    yield Task("list/envs", ("envs",))


def _help() -> Iterator[Task]:
    yield Task("help/nnconform", ("--help",))
    commands = ("run", "explain", "plot", "html", "site", "reproduce", "guide")
    for name in (*commands, "upgrade", "diff", "known", "envs", "generate", "list"):
        yield Task(f"help/{name}", (name, "--help"))


def _errors() -> Iterator[Task]:
    """Yield what commands say of wrong input."""
    wrong = (
        "run nosuch; run numpy --operation nosuch; run numpy --vectors nosuch; run numpy --json nosuch/report.json; "
        "run numpy --known nosuch.yaml; run numpy --quiet --verbose; run numpy --timeout nan; run --adapter nosuch.py; "
        "explain nosuch; explain eul; explain elu --as nosuch; explain elu --report nosuch.json; "
        "explain elu --report known.yaml; diff nosuch.json full.json; diff full.json known.yaml; "
        "html nosuch.json page.html; html full.json nosuch/page.html; site site nosuch.json; plot nosuch; "
        "plot elu --output elu.gif; reproduce nosuch torch; reproduce elu/near-zero/float32 nosuch; "
        "reproduce elu/near-zero/float32 torch --mode nosuch; guide torch torch; guide nosuch torch; list nosuch; "
        "list implementations nosuch; known nosuch.yaml; known known.yaml --dialects; known known_elu.yaml; "
        "known known_elu.yaml --update --report explained.json; nosuch"
    )
    inputs = ("examples/known.yaml", "tests/data/known_elu.yaml")
    for line in wrong.split("; "):
        name = line.replace(" ", "_").replace("/", ".")
        yield Task(f"errors/{name}", tuple(line.split()), inputs=inputs)
