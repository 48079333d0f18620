"""Measurements of the APIs and recipes of the tables: a run on some of the vectors, kept in the user's cache."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnconform.conformance.files import cache_folder, write_whole
from nnconform.conformance.model.document import DAMAGE
from nnconform.conformance.model.report import Report
from nnconform.conformance.report import build
from nnconform.conformance.running import outputs
from nnconform.conformance.running.frameworks import BUILT_IN, OTHER_NAMES, check_installed

from .tables import apis

if TYPE_CHECKING:
    from nnconform.conformance.running.frameworks import Framework
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import Run
    from nnconform.conformance.vectors.tensors import Array
    from nnconform.conformance.vectors.vector import Vector

    Runner = Callable[[Sequence[Framework], Sequence[Vector], Options], Run]

# A guide leaves out half precision and special values, which `nnconform run` tests.
PROFILES = ("core", "range", "defaults")
DTYPES = ("float32", "float64")


class MeasuringFailed(Exception):
    """A framework could not be run; the message says why (exit status 3)."""


@dataclass(frozen=True)
class Measurement:
    """The results of one adapter's implementations and recipes.

    Attributes:
        report: of a run in eager mode.
        attributes: of each vector, by id; a random sample also has its law's ``stddev`` and ``pattern``.
        tensors: the outputs, by framework, implementation, mode, vector and output.
    """

    report: Report
    attributes: Mapping[str, Mapping[str, Any]]
    tensors: Mapping[outputs.Key, Array]

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of the adapter's packages."""
        return self.report.frameworks[0].versions


def measure(
    adapters: Iterable[str],
    run: Runner,
    *,
    again: bool = False,
    announce: Callable[[list[str]], None] = lambda _: None,
) -> dict[str, Measurement]:
    """Return measurements by adapter, from the cache if nothing has changed since.

    Args:
        adapters: of torch, tensorflow and jax.
        run: runs vectors on frameworks, as ``running.run.run`` does.
        again: whether to ignore the cache.
        announce: called with the names of the frameworks before they run.

    Raises:
        UsageError: a framework is not installed.
        MeasuringFailed: a framework could not be run.
        KeyboardInterrupt: the user interrupted the run.
    """
    frameworks = [framework for framework in BUILT_IN if framework.name in set(adapters)]
    check_installed(frameworks)
    paths = {f.name: cache_folder() / "guide" / f"{f.name}-{_key(f)}.json" for f in frameworks}
    cached = {} if again else {name: measurement for name, path in paths.items() if (measurement := load(path))}
    pending = [framework for framework in frameworks if framework.name not in cached]
    if pending:
        announce([framework.name for framework in pending])
    new = _run(pending, run)
    for name, measurement in new.items():
        # Without a cache, the next guide measures again.
        with contextlib.suppress(OSError):
            save(measurement, paths[name])
    return cached | new


def _key(framework: Framework) -> str:
    """Return a digest of everything that changes a measurement."""
    digest = hashlib.sha256(json.dumps([metadata.version("nnconform"), PROFILES, DTYPES]).encode())
    for package in framework.packages:
        digest.update(f"{package}=={_version(package)}".encode())
    for data in _files():
        digest.update(data)
    digest.update("\n".join(apis(framework.name)).encode())
    return digest.hexdigest()[:16]


def _version(package: str) -> str:
    for name in (package, *OTHER_NAMES.get(package, ())):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return ""


def _files() -> Iterator[bytes]:
    """Yield the files of vectors and adapters."""
    from nnconform.conformance.vectors.reading import files

    yield from (data for _, data in files())
    adapters = Path(str(resources.files("nnconform.adapters")))
    yield from (path.read_bytes() for path in sorted(adapters.rglob("*.py")))


def _run(frameworks: Sequence[Framework], runner: Runner) -> dict[str, Measurement]:
    """Run the tables' implementations of frameworks side by side."""
    if not frameworks:
        return {}
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import Run
    from nnconform.conformance.running.selection import Selection
    from nnconform.conformance.vectors.reading import load
    from nnconform.conformance.vectors.vector import SPEC

    names = tuple(glob.escape(api) for framework in frameworks for api in apis(framework.name))
    selection = Selection(implementations=names, profiles=PROFILES, dtypes=DTYPES, modes=("eager",))
    recipes = [replace(f, module=f"nnconform.adapters.recipes.{f.name}", target=f.name) for f in frameworks]
    run = runner(recipes, load()[0], Options(selection, cache=cache_folder(), keep=True))
    if not run.complete:
        raise KeyboardInterrupt
    attributes = {vector.id: _attributes(vector) for vector in run.vectors}
    measurements = {}
    for entry in run.frameworks:
        report = build.build(Run([entry], run.vectors, run.complete, run.seconds), SPEC, [], {})
        if not report.complete or report.faults:
            reasons = [fault.message for fault in report.faults] or [entry.reason]
            raise MeasuringFailed(f"{entry.framework.name} could not be measured: {reasons[0]}")
        measurements[entry.framework.name] = Measurement(report, attributes, entry.tensors)
    return measurements


def _attributes(vector: Vector) -> dict[str, Any]:
    from nnconform.conformance.vectors.stored_vector import LawTensor

    law = vector.expected.get("sample")
    if not isinstance(law, LawTensor):
        return dict(vector.attributes)
    return {**vector.attributes, "stddev": law.stddev, "pattern": law.pattern}


def save(measurement: Measurement, path: Path) -> None:
    """Write a measurement: first the tensors, in a file next to the JSON, which says that they are there.

    Raises:
        OSError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    outputs.write(path.with_suffix(".npz"), measurement.tensors)
    document = {"report": measurement.report.to_json(), "attributes": measurement.attributes}
    write_whole(path, json.dumps(document).encode())


def load(path: Path) -> Measurement | None:
    """Return the measurement in a file, or None if there is none that can be used."""
    try:
        document = json.loads(path.read_text())
        report = Report.from_json(document["report"])
        return Measurement(report, document["attributes"], outputs.read(path.with_suffix(".npz")))
    except (OSError, outputs.OutputsError, *DAMAGE):
        return None
