"""What the APIs of the tables and their recipes do on the vectors: a small run, kept in the user's cache."""

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
from nnconform.conformance.report import build, store
from nnconform.conformance.running import outputs
from nnconform.conformance.running.frameworks import BUILT_IN, OTHER_NAMES, UsageError

from .tables import apis

if TYPE_CHECKING:
    from nnconform.conformance.running.frameworks import Framework
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import Run
    from nnconform.conformance.vectors.tensors import Array
    from nnconform.conformance.vectors.vector import Vector

    Runner = Callable[[Sequence[Framework], Sequence[Vector], Options], Run]

# Half precision and special values are a chapter of their own: `nnconform run` has them.
PROFILES = ("core", "range", "defaults")
DTYPES = ("float32", "float64")


class MeasuringFailed(Exception):
    """A framework could not be run; the message says why (exit status 3)."""


@dataclass(frozen=True)
class Measured:
    """What one adapter's implementations do.

    Attributes:
        report: of a run in eager mode, without the vectors' own text.
        attributes: of every vector that was run, by its id; of random samples also the law's deviation and pattern.
        tensors: the outputs, by framework, implementation, mode, vector and output.
    """

    report: Mapping[str, Any]
    attributes: Mapping[str, Mapping[str, Any]]
    tensors: Mapping[outputs.Key, Array]

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of the adapter's packages."""
        return self.report["frameworks"][0]["versions"]  # type: ignore[no-any-return]


def measure(
    adapters: Iterable[str],
    run: Runner,
    *,
    again: bool = False,
    tell: Callable[[list[str]], None] = lambda _: None,
) -> dict[str, Measured]:
    """Return what the implementations and recipes of adapters do, from the cache where nothing has changed since.

    Args:
        adapters: of torch, tensorflow and jax.
        run: runs vectors on frameworks, as ``running.run.run`` does.
        again: whether to run them even so.
        tell: called with the names of those that are run, before they are.

    Raises:
        UsageError: a framework is not installed.
        MeasuringFailed: one could not be run.
        KeyboardInterrupt: the user interrupted it.
    """
    wanted = [framework for framework in BUILT_IN if framework.name in set(adapters)]
    for framework in wanted:
        if framework.missing:
            missing = ", ".join(framework.missing)
            raise UsageError(f"{framework.name}: {missing} not installed; install with: {framework.install}")
    places = {f.name: cache_folder() / "guide" / f"{f.name}-{_key(f)}.json" for f in wanted}
    kept = {} if again else {name: found for name, path in places.items() if (found := _read(path))}
    left = [framework for framework in wanted if framework.name not in kept]
    if left:
        tell([framework.name for framework in left])
    made = _run(left, run)
    for name, measured in made.items():
        with contextlib.suppress(OSError):
            _keep(measured, places[name])
    return kept | made


def _key(framework: Framework) -> str:
    """Return the digest of all that a measurement depends on."""
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
    """Yield the vectors and the adapters."""
    from nnconform.conformance.vectors.reading import files

    yield from (data for _, data in files())
    adapters = Path(str(resources.files("nnconform.adapters")))
    yield from (path.read_bytes() for path in sorted(adapters.rglob("*.py")))


def _run(frameworks: Sequence[Framework], runner: Runner) -> dict[str, Measured]:
    """Run the tables' implementations of frameworks side by side, with progress on a terminal."""
    if not frameworks:
        return {}
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import Run
    from nnconform.conformance.running.selection import Selection
    from nnconform.conformance.vectors.reading import load
    from nnconform.conformance.vectors.vector import SPEC

    names = tuple(glob.escape(api) for framework in frameworks for api in apis(framework.name))
    selection = Selection(implementations=names, profiles=PROFILES, dtypes=DTYPES, modes=("eager",))
    served = [replace(f, module=f"nnconform.adapters.recipes.{f.name}", target=f.name) for f in frameworks]
    run = runner(served, load()[0], Options(selection, cache=cache_folder(), keep=True))
    if not run.complete:
        raise KeyboardInterrupt
    asked = {vector.id: _attributes(vector) for vector in run.vectors}
    made = {}
    for entry in run.frameworks:
        report = build.build(Run([entry], run.vectors, run.complete, run.seconds), SPEC, [], {}).to_json()
        if not report["complete"] or report["faults"]:
            reasons = [fault["message"] for fault in report["faults"]] or [entry.reason]
            raise MeasuringFailed(f"{entry.framework.name} could not be measured: {reasons[0]}")
        made[entry.framework.name] = Measured(report, asked, entry.tensors)
    return made


def _attributes(vector: Vector) -> dict[str, Any]:
    from nnconform.conformance.vectors.vector import LawTensor

    law = vector.expected.get("sample")
    if not isinstance(law, LawTensor):
        return dict(vector.attributes)
    return {**vector.attributes, "stddev": law.stddev, "pattern": law.pattern}


def _keep(measured: Measured, path: Path) -> None:
    """Write a measurement: the tensors first, since the report says that they are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    outputs.write(path.with_suffix(".npz"), measured.tensors)
    write_whole(path, store.text({**measured.report, "asked": measured.attributes}).encode())


def _read(path: Path) -> Measured | None:
    """Return what was kept, or None where nothing was or it cannot be used."""
    try:
        report = json.loads(path.read_text())
        return Measured(report, report["asked"], outputs.read(path.with_suffix(".npz")))
    except (OSError, ValueError, KeyError, outputs.OutputsError):
        return None
