"""The releases of frameworks that reports tell of: each framework at its versions, oldest first."""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from packaging.version import InvalidVersion, Version

from nnconform.conformance.model.report import FrameworkEntry, Report
from nnconform.conformance.model.result import Result


@dataclass(frozen=True)
class Source:
    """A report that a site is made of.

    Attributes:
        name: of its files on the site, without ending: ``reports/NAME.json`` and ``reports/NAME.html``.
        report: of a run.
        path: the user's file.
    """

    name: str
    report: Report = field(repr=False)
    path: Path


@dataclass(frozen=True)
class Release:
    """A framework at its versions, as the newest report of it found it.

    Attributes:
        entry: the framework in the report.
        results: those of the framework.
        source: the report.
    """

    entry: FrameworkEntry = field(repr=False)
    results: Sequence[Result] = field(repr=False)
    source: Source = field(repr=False)

    @property
    def framework(self) -> str:
        """The adapter's name of the framework, ``jax``."""
        return self.entry.name

    @property
    def versions(self) -> Mapping[str, str]:
        """Of all its packages, the framework's own first: ``{"jax": "0.10.2", "flax": "0.12.8"}``."""
        return self.entry.versions

    @property
    def title(self) -> str:
        """All versions: ``jax 0.10.2, flax 0.12.8``."""
        return ", ".join(f"{name} {version}" for name, version in self.versions.items()) or self.framework

    @property
    def version(self) -> str:
        """The framework's own version, or its name where an adapter tells no version: ``0.10.2``."""
        return self.entry.version or self.framework

    @property
    def anchor(self) -> str:
        """What stands for it in addresses: ``jax-0.10.2-flax-0.12.8``; two frameworks may be of the same packages."""
        packages = [f"{name}-{version}" for name, version in self.versions.items()]
        return slug("-".join(packages if self.framework in self.versions else [self.framework, *packages]))

    @property
    def whole(self) -> bool:
        """Whether all published vectors were run, none of them on a faulty adapter: a part's counts are not its."""
        report = self.source.report
        chosen = any(globs for key, globs in report.selection.items() if key != "frameworks")
        left_out = chosen or self.entry.only or report.problems
        return self.ended and not left_out and not self.report.faults

    @property
    def ended(self) -> bool:
        """Whether all that was asked for was run, whatever became of the report's other frameworks."""
        return self.entry.ran_to_the_end

    @property
    def report(self) -> Report:
        """The report cut to this framework, for a comparison with another release."""
        report = self.source.report
        faults = tuple(fault for fault in report.faults if fault.framework == self.framework)
        return replace(report, frameworks=(self.entry,), results=tuple(self.results), faults=faults)

    def on(self, vectors: Iterable[str]) -> list[Result]:
        """Return the results of these vectors."""
        return [result for name in vectors for result in self.by_vector.get(name, ())]

    @functools.cached_property
    def by_vector(self) -> Mapping[str, list[Result]]:
        """The results by vector."""
        found: dict[str, list[Result]] = defaultdict(list)
        for result in self.results:
            found[result.vector].append(result)
        return found


def slug(text: str) -> str:
    """Return text as part of an address or the name of a file: letters, digits, and ``. _ + -``.

    What has other characters ends in a digest, so that no two texts share a page.
    """
    found = _letters(text)
    return found if found == text else f"{found}-{sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"


def _letters(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip(".-") or "report"


def sources(reports: Iterable[tuple[Path, Report]]) -> list[Source]:
    """Name reports by their files, those of the same name by numbers too; the oldest report first.

    A report that is there twice, as when it was on the site before, is one.

    Args:
        reports: the users' files with what stands in them.
    """
    found: list[Source] = []
    taken: Counter[str] = Counter()
    for path, report in sorted(reports, key=lambda item: (item[1].created, str(item[0]))):
        if any(_same(report, source.report) for source in found):
            continue
        # Some file systems do not tell cases apart.
        name = _letters(path.stem)
        while taken[name.lower()]:
            taken[name.lower()] += 1
            name = f"{name}-{taken[name.lower()]}"
        taken[name.lower()] += 1
        found.append(Source(name, report, path))
    return found


def _same(one: Report, other: Report) -> bool:
    # By their documents: a number that is not one, "nan", is not equal to itself.
    return one.created == other.created and one.to_json() == other.to_json()


def releases(found: Iterable[Source]) -> dict[str, list[Release]]:
    """Return the releases by framework, the oldest first; of one that several reports have, what the newest says.

    A whole run tells more than one of a selection, so a later selection does not replace it. What never started has no
    results, and is no release.

    Args:
        found: reports, the oldest first.
    """
    newest: dict[tuple[str, ...], Release] = {}
    for release in (release for source in found for release in _of(source)):
        key = release.framework, *(f"{name} {version}" for name, version in release.versions.items())
        if key not in newest or release.whole >= newest[key].whole:
            newest[key] = release
    result: dict[str, list[Release]] = defaultdict(list)
    for release in sorted(newest.values(), key=_age):
        result[release.framework].append(release)
    return dict(result)


def _of(source: Source) -> Iterator[Release]:
    results: dict[str, list[Result]] = defaultdict(list)
    for result in source.report.results:
        results[result.framework].append(result)
    for entry in source.report.frameworks:
        # Two adapters of one name cannot be told apart by their results, which all go to the first.
        if results[entry.name]:
            yield Release(entry, results.pop(entry.name), source)


def _age(release: Release) -> list[tuple[bool, Version | str]]:
    return [_version(version) for version in release.versions.values()]


def _version(text: str) -> tuple[bool, Version | str]:
    """Return what versions are sorted by: those that are none as pip reads them come first, as texts."""
    try:
        return True, Version(text)
    except InvalidVersion:
        return False, text
