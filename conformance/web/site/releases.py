"""The releases of frameworks in reports: each framework at its versions, the oldest first."""

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
    """A report of a site.

    Attributes:
        name: of its files on the site: ``reports/NAME.json`` and ``reports/NAME.html``.
        report: of a run.
        path: the user's file.
    """

    name: str
    report: Report = field(repr=False)
    path: Path


@dataclass(frozen=True)
class Release:
    """A framework at its versions, in the newest report that has it.

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
        """The versions of its packages, the framework's own first: ``{"jax": "0.10.2", "flax": "0.12.8"}``."""
        return self.entry.versions

    @property
    def title(self) -> str:
        """All versions: ``jax 0.10.2, flax 0.12.8``."""
        return ", ".join(f"{name} {version}" for name, version in self.versions.items()) or self.framework

    @property
    def version(self) -> str:
        """The framework's own version, ``0.10.2``; its name if the adapter has no versions."""
        return self.entry.version or self.framework

    @property
    def anchor(self) -> str:
        """The release in addresses: ``jax-0.10.2-flax-0.12.8``, with the framework if its packages lack its name."""
        packages = [f"{name}-{version}" for name, version in self.versions.items()]
        return slug("-".join(packages if self.framework in self.versions else [self.framework, *packages]))

    @property
    def whole(self) -> bool:
        """Whether all published vectors were run, and the adapter kept its contract."""
        report = self.source.report
        selected = any(globs for key, globs in report.selection.items() if key != "frameworks")
        return self.ended and not (selected or self.entry.only or report.problems or self.report.faults)

    @property
    def ended(self) -> bool:
        """Whether the framework made all planned calls."""
        return self.entry.ran_to_the_end

    @property
    def report(self) -> Report:
        """The part of the report on this framework."""
        report = self.source.report
        faults = tuple(fault for fault in report.faults if fault.framework == self.framework)
        return replace(report, frameworks=(self.entry,), results=tuple(self.results), faults=faults)

    def on(self, vectors: Iterable[str]) -> list[Result]:
        """Return the results on these vectors."""
        return [result for name in vectors for result in self.by_vector.get(name, ())]

    @functools.cached_property
    def by_vector(self) -> Mapping[str, list[Result]]:
        """The results by vector."""
        results: dict[str, list[Result]] = defaultdict(list)
        for result in self.results:
            results[result.vector].append(result)
        return results


@dataclass(frozen=True)
class Site:
    """The reports of a site.

    Attributes:
        sources: the oldest first.
        releases: by framework, the oldest first.
    """

    sources: Sequence[Source]
    releases: Mapping[str, Sequence[Release]]

    @property
    def newest(self) -> Sequence[Release]:
        """The newest release of each framework."""
        return [releases[-1] for releases in self.releases.values()]


def slug(text: str) -> str:
    """Return text as part of an address or a file's name: letters, digits, and ``. _ + -``.

    Text with other characters gets a digest, so that no two texts share a page.
    """
    letters = _letters(text)
    if letters == text:
        return text
    digest = sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{letters}-{digest[:8]}"


def _letters(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip(".-") or "report"


def sources(reports: Iterable[tuple[Path, Report]]) -> list[Source]:
    """Name reports by their files, with numbers if names repeat; the oldest report first.

    A report that is there twice, such as a copy from an earlier site, is taken once.

    Args:
        reports: with their files.
    """
    result: list[Source] = []
    names: Counter[str] = Counter()
    for path, report in sorted(reports, key=lambda item: (item[1].created, str(item[0]))):
        if any(_same(report, source.report) for source in result):
            continue
        # Some file systems ignore case.
        name = _letters(path.stem)
        while names[name.lower()]:
            names[name.lower()] += 1
            name = f"{name}-{names[name.lower()]}"
        names[name.lower()] += 1
        result.append(Source(name, report, path))
    return result


def _same(one: Report, other: Report) -> bool:
    # As documents: the number "nan" does not equal itself.
    return one.created == other.created and one.to_json() == other.to_json()


def releases(reports: Iterable[Source]) -> dict[str, list[Release]]:
    """Return the releases by framework, the oldest first.

    If several reports have a release, the newest counts, but a selection of vectors does not replace a whole run. A
    framework that did not start has no results, and is no release.

    Args:
        reports: the oldest first.
    """
    newest: dict[tuple[str, ...], Release] = {}
    for release in (release for source in reports for release in _releases_of(source)):
        key = release.framework, *(f"{name} {version}" for name, version in release.versions.items())
        if key not in newest or release.whole >= newest[key].whole:
            newest[key] = release
    by_framework: dict[str, list[Release]] = defaultdict(list)
    for release in sorted(newest.values(), key=_age):
        by_framework[release.framework].append(release)
    return dict(by_framework)


def _releases_of(source: Source) -> Iterator[Release]:
    results: dict[str, list[Result]] = defaultdict(list)
    for result in source.report.results:
        results[result.framework].append(result)
    for entry in source.report.frameworks:
        # If two adapters have one name, the first gets the results of both.
        if results[entry.name]:
            yield Release(entry, results.pop(entry.name), source)


def _age(release: Release) -> list[tuple[bool, Version | str]]:
    return [_version(version) for version in release.versions.values()]


def _version(text: str) -> tuple[bool, Version | str]:
    """Return a key that sorts versions; texts that pip does not read as versions come first."""
    try:
        return True, Version(text)
    except InvalidVersion:
        return False, text
