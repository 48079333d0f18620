"""The pages of the spec: below each clause, its state in each framework and the vectors that test it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.explain.clause import ELSEWHERE, KEEPS, SILENT, departures
from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import dialects, of_the_suite
from nnconform.conformance.vectors.spec_markdown import page_names
from nnconform.conformance.vectors.vector import SPEC
from nnconform.conformance.web.templates import worst

from . import frame
from .clause_state import vectors_of
from .compatibility import Span, spans
from .releases import Release, Site
from .spec_html import HtmlSection, html_sections

# The order of the pages for readers; others follow.
ORDER = ("numerics", "initialization", "activations", "batch-normalization", "gradient-clipping", "findings")
# The verdict whose shape a standing has.
SHAPES = {KEEPS: "conforms", ELSEWHERE: "conforms", SILENT: "unsupported"}


@dataclass(frozen=True)
class TestingVector:
    """A vector that tests a clause, with its worst verdict in the newest releases.

    Attributes:
        id: of the vector.
        verdict: "" if the vector is in no report.
        release: the one of the newest report with this verdict.
    """

    id: str
    verdict: str = ""
    release: Release | None = None

    @property
    def dtype(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]


@dataclass(frozen=True)
class Box:
    """The box below a clause.

    Attributes:
        departing: the dialects that depart from it.
        frameworks: its states in the releases of each framework, the newest first.
        cases: the vectors that test it, by case.
    """

    departing: Sequence[str]
    frameworks: Mapping[str, Sequence[Span]]
    cases: Mapping[str, Sequence[TestingVector]]

    @property
    def count(self) -> int:
        """The number of vectors that test it."""
        return sum(map(len, self.cases.values()))

    @property
    def other(self) -> Sequence[str]:
        """The dialects that depart from it and that no newest release has."""
        present = {name for spans_of_it in self.frameworks.values() for name in spans_of_it[0].state.dialects}
        return [name for name in self.departing if name not in present]


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the list of the spec's pages, and each of them."""
    address = "spec/index.html"
    names = [*ORDER, *(name for name in page_names() if name not in ORDER)]
    ids = {name: [c.id for c in clauses().values() if c.page == f"{name}.md"] for name in names}
    vectors = {name: {vector for clause in ids[name] for vector in vectors_of(clause)} for name in names}
    values = {
        "titles": {name: html_sections(name)[0].title for name in names},
        "clause_counts": {name: len(ids[name]) for name in names},
        "vector_counts": {name: len(vectors[name]) for name in names},
        "dialects": dialects(),
        "spec": SPEC,
    }
    yield address, frame.render("spec_index.html", address, "Spec", names=names, **values)
    testing = _testing_vectors(site)
    for name in names:
        yield f"spec/{name}.html", _page(site, name, html_sections(name), testing)


def _page(site: Site, name: str, sections: Sequence[HtmlSection], testing: Mapping[str, TestingVector]) -> str:
    ids = [section.name for section in sections if section.name in clauses()]
    return frame.render(
        "spec_page.html",
        f"spec/{name}.html",
        sections[0].title,
        sections=sections,
        boxes={clause: _box(site, clause, testing) for clause in ids if not of_the_suite(clause)},
        of_the_suite=set(filter(of_the_suite, ids)),
        shape_of=_shape_of,
        spec=SPEC,
    )


def _shape_of(standing: str) -> str:
    """Return the verdict whose shape a standing has; a dialect's name is a standing too."""
    return SHAPES.get(standing) or (standing if standing in VERDICTS else "dialect")


def _box(site: Site, name: str, testing: Mapping[str, TestingVector]) -> Box:
    cases: dict[str, list[TestingVector]] = defaultdict(list)
    for vector in vectors_of(name):
        cases[vector.rpartition("/")[0]].append(testing.get(vector) or TestingVector(vector))
    frameworks = {framework: spans(name, releases) for framework, releases in site.releases.items()}
    return Box(list(departures(name)), frameworks, cases)


def _testing_vectors(site: Site) -> Mapping[str, TestingVector]:
    """Return the vectors of all reports; those in no newest release with their verdict in an older one."""
    newest = [release for source in site.sources for release in site.newest if release.source is source]
    older = [release for releases in site.releases.values() for release in releases[:-1]]
    testing: dict[str, TestingVector] = {}
    for release in newest:
        for vector, results in release.by_vector.items():
            verdict = _worst_of(results)
            if vector not in testing or worst({verdict: 1, testing[vector].verdict: 1}) == verdict:
                testing[vector] = TestingVector(vector, verdict, release)
    for release in sorted(older, key=lambda release: release.source.report.created, reverse=True):
        for vector in release.by_vector.keys() - testing.keys():
            testing[vector] = TestingVector(vector, _worst_of(release.by_vector[vector]), release)
    return testing


def _worst_of(results: Iterable[Result]) -> str:
    return worst(Counter(result.verdict for result in results))
