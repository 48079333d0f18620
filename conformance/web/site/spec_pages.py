"""The pages of the spec: each clause with who keeps it, release by release, and the vectors that test it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.explain import clause
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import dialects, of_the_suite
from nnconform.conformance.vectors.spec_markdown import page_names
from nnconform.conformance.vectors.vector import SPEC
from nnconform.conformance.web.templates import worst

from . import clause_state, parts, prose
from .compatibility import Span, spans
from .releases import Release

# The spec's pages as they are best read.
ORDER = ("numerics", "initialization", "activations", "batch-normalization", "gradient-clipping", "findings")
# The verdict whose shape stands for what is said of a clause; a dialect's name stands for itself.
SHAPES = {clause.KEEPS: "conforms", clause.ELSEWHERE: "conforms", clause.SILENT: "unsupported"}


@dataclass(frozen=True)
class Asked:
    """A vector, and the worst that the newest releases made of it.

    Attributes:
        dtype: the last part of its id.
        id: of it.
        verdict: the worst, "" where it is in no report.
        release: one that the verdict is of, of those in the newest report.
    """

    dtype: str
    id: str
    verdict: str = ""
    release: Release | None = None


@dataclass(frozen=True)
class Box:
    """What stands below a clause.

    Attributes:
        departing: the dialects that depart from it, found or not.
        frameworks: what each framework's releases make of it, the newest first.
        cases: the vectors that test it, by case.
    """

    departing: Sequence[str]
    frameworks: Mapping[str, Sequence[Span]]
    cases: Mapping[str, Sequence[Asked]]

    @property
    def count(self) -> int:
        """How many vectors test it."""
        return sum(map(len, self.cases.values()))

    @property
    def other(self) -> Sequence[str]:
        """The dialects that depart from it and that no newest release has."""
        had = {name for spans in self.frameworks.values() for name in spans[0].state.dialects}
        return [name for name in self.departing if name not in had]


def pages(site: parts.Site) -> Iterator[tuple[str, str]]:
    """Yield the list of the spec's pages, and each of them."""
    address = "spec/index.html"
    names = [*ORDER, *(name for name in page_names() if name not in ORDER)]
    listed = [(name, prose.parts(name), _clauses_of(name)) for name in names]
    testing = {name: {v for c in found for v in clause_state.vectors_of(c)} for name, _, found in listed}
    values = {"listed": listed, "testing": testing, "dialects": dialects(), "spec": SPEC}
    yield address, parts.render("spec_index.html", address, "Spec", **values)
    asked = _asked(site)
    for name, found, _ in listed:
        yield f"spec/{name}.html", _page(site, name, found, asked)


def _clauses_of(page: str) -> list[str]:
    return [name for name, found in clauses().items() if found.page == f"{page}.md"]


def _page(site: parts.Site, name: str, found: Sequence[prose.Part], asked: Mapping[str, Asked]) -> str:
    ours = [part.name for part in found if part.name in clauses()]
    return parts.render(
        "spec_page.html",
        f"spec/{name}.html",
        found[0].title,
        page=found,
        boxes={name: _box(site, name, asked) for name in ours if not of_the_suite(name)},
        of_the_suite=set(filter(of_the_suite, ours)),
        shape_of=_shape_of,
        spec=SPEC,
    )


def _shape_of(said: str) -> str:
    """Return the verdict in whose shape stands what is said of a clause."""
    return SHAPES.get(said) or (said if said in VERDICTS else "dialect")


def _box(site: parts.Site, name: str, asked: Mapping[str, Asked]) -> Box:
    cases: dict[str, list[Asked]] = defaultdict(list)
    for vector in clause_state.vectors_of(name):
        case, _, dtype = vector.rpartition("/")
        cases[case].append(asked.get(vector) or Asked(dtype, vector))
    frameworks = {framework: spans(name, found) for framework, found in site.releases.items()}
    return Box(list(clause.departures(name)), frameworks, cases)


def _asked(site: parts.Site) -> Mapping[str, Asked]:
    """Return of each vector the worst verdict of the newest releases, or of an older one where none was asked it."""
    newest = [release for source in site.sources for release in site.newest if release.source is source]
    older = [release for found in site.releases.values() for release in found[:-1]]
    found: dict[str, Asked] = {}
    for release in newest:
        for vector, results in release.by_vector.items():
            verdict = worst(Counter(result.verdict for result in results))
            before = found.get(vector)
            if before is None or worst({verdict: 1, before.verdict: 1}) == verdict:
                found[vector] = Asked(vector.rpartition("/")[2], vector, verdict, release)
    for release in sorted(older, key=lambda release: release.source.report.created, reverse=True):
        for vector in release.by_vector.keys() - found.keys():
            verdict = worst(Counter(result.verdict for result in release.by_vector[vector]))
            found[vector] = Asked(vector.rpartition("/")[2], vector, verdict, release)
    return found
