"""The process that serves one adapter: it reads vectors from its standard input and writes the API's outputs.

Messages are JSON, one a line. The process keeps the original standard output for them and points file
descriptor 1 at standard error, so that what a framework prints cannot reach the channel. It needs Python,
NumPy, ml_dtypes and the framework, and nothing of the harness.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import ctypes
import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from nnconform.adapters import Adapter, Implementation, SparseGradient, Unsupported

PROTOCOL = 1
# What the adapter's own lines raise when the adapter is at fault. A framework's compiled functions raise
# other types (TypeError, IndexError) with the adapter's line as the innermost one.
OWN_FAULTS = (NameError, AttributeError, KeyError, ImportError, AssertionError)
# Statistics run on from step to step; everything else is given back for every step.
CARRIED = ("running_mean", "running_variance")
# These are given a seed.
RANDOM = ("he_normal", "he_uniform")


class AdapterFault(Exception):
    """A breach of the adapter's contract, with its message."""


def load(name: str) -> Adapter:
    """Return the ``adapter`` of a module named by its dotted name or by the path of its file.

    Raises:
        AdapterFault: there is no such attribute, or it is no Adapter.
    """
    if name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(name).stem + "_adapter", name)
        if spec is None or spec.loader is None or not Path(name).exists():
            raise AdapterFault(f"{name}: no such file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(name)
    adapter = getattr(module, "adapter", None)
    if not isinstance(adapter, Adapter):
        raise AdapterFault(f"{name} has no `adapter = Adapter(...)`; it has {adapter!r}")
    adapter.file = module.__file__ or ""
    return adapter


def decode(value: Any) -> Any:
    """Return a message's tensor, sparse gradient, or list of them, as arrays that cannot be written to."""
    if value is None:
        return None
    if isinstance(value, list):
        return [decode(v) for v in value]
    if "indices" in value:
        return SparseGradient(decode(value["indices"]), decode(value["values"]), tuple(value["dense_shape"]))
    dtype = ml_dtypes.bfloat16 if value["dtype"] == "bfloat16" else value["dtype"]
    elements = np.frombuffer(base64.b64decode(value["data"]), np.dtype(dtype))
    if elements.size != np.prod(value["shape"], dtype=int):
        elements = np.resize(elements, value["shape"])
        elements.flags.writeable = False
    return elements.reshape(value["shape"])


def encode(value: Any, name: str) -> Any:
    """Return an output as a message holds it.

    Raises:
        AdapterFault: it is no array, nor a list of arrays and None.
    """
    if isinstance(value, list | tuple):
        entries = [None if v is None else encode(v, f"{name}[{i}]") for i, v in enumerate(value)]
        if any(isinstance(entry, list) for entry in entries):
            raise AdapterFault(f"output {name} is a list of lists; wanted a NumPy array or a list of them")
        return entries
    if not isinstance(value, np.ndarray | np.generic):
        raise AdapterFault(f"output {name} is {type(value).__name__}; wanted a NumPy array or a list of them")
    array = np.ascontiguousarray(value)
    # The dtypes of ml_dtypes are of kind V too, and have a name of their own.
    strange = array.dtype.kind == "V" and (array.dtype.names is not None or array.dtype.name.startswith("void"))
    if array.dtype.hasobject or array.dtype.kind in "SUMm" or strange:
        raise AdapterFault(f"output {name} is an array of {array.dtype}; wanted numbers")
    if array.dtype.byteorder == ">" or (array.dtype.byteorder == "=" and sys.byteorder == "big"):
        array = array.astype(array.dtype.newbyteorder("<"))
    return {
        "dtype": array.dtype.name,
        "shape": list(np.shape(value)),
        "data": base64.b64encode(array.tobytes()).decode(),
    }


def call(
    implementation: Implementation,
    inputs: Mapping[str, Any],
    attributes: Mapping[str, Any],
    steps: int,
    lengths: Sequence[int] = (),
    seeds: Sequence[int] = (),
) -> Any:
    """Return the implementation's outputs: of one call, of training steps, or of one call per length or seed.

    Raises:
        AdapterFault: it gives no mapping of names to arrays, or other ones from call to call.
    """
    if seeds:
        calls = [call(implementation, inputs, {**attributes, "seed": seed}, steps) for seed in seeds]
        for seed, made in zip(seeds, calls, strict=True):
            if made.keys() != calls[0].keys():
                raise AdapterFault(
                    f"{implementation.name} returned {sorted(made)} for seed {seed}, {sorted(calls[0])} before"
                )
        return {name: stacked([made[name] for made in calls], name, "seed") for name in calls[0]}
    if lengths:
        calls = [call(implementation, {k: cut(v, n) for k, v in inputs.items()}, attributes, 0) for n in lengths]
        for n, made in zip(lengths, calls, strict=True):
            if made.keys() != calls[0].keys():
                raise AdapterFault(
                    f"{implementation.name} returned {sorted(made)} for length {n}, {sorted(calls[0])} before"
                )
        return {name: joined([made[name] for made in calls], name) for name in calls[0]}
    if not steps:
        return checked(implementation.function(**of_its_own(inputs), **of_its_own(attributes)), implementation)
    state, made = dict(inputs), []
    for step in range(steps):
        state |= {name: inputs[name][step] for name in ("x", "dy")}
        made.append(checked(implementation.function(**of_its_own(state), **of_its_own(attributes)), implementation))
        if made[-1].keys() != made[0].keys():
            raise AdapterFault(
                f"{implementation.name} returned {sorted(made[-1])} in step {step}, {sorted(made[0])} before"
            )
        state |= {name: made[-1][name] for name in CARRIED if name in made[-1]}
    return {name: made[-1][name] if name in CARRIED else stacked([m[name] for m in made], name) for name in made[0]}


def cut(value: Any, length: int) -> Any:
    """Return the first ``length`` elements of an input, or of each array of a list."""
    return [cut(v, length) for v in value] if isinstance(value, list) else value[:length]


def joined(values: list[Any], name: str) -> Any:
    """Return an output for all lengths, joined; for each entry of a list, None without a value.

    Raises:
        AdapterFault: a call gave no array, or another number of them than the call before.
    """
    for value in values:
        encode(value, name)
    sizes = {len(value) if isinstance(value, list | tuple) else None for value in values}
    if len(sizes) > 1:
        raise AdapterFault(f"output {name} has another number of entries from length to length; wanted one")
    if sizes == {None}:
        return np.concatenate([np.ravel(value) for value in values])
    return [
        None if any(v is None for v in entries) else joined(list(entries), name)
        for entries in zip(*values, strict=True)
    ]


def stacked(values: list[Any], name: str, of: str = "step") -> Any:
    """Return an output for all steps or seeds, stacked on a leading axis.

    Raises:
        AdapterFault: the calls gave no arrays, or arrays that do not belong together.
    """
    for value in values:
        encode(value, name)
        if not isinstance(value, np.ndarray | np.generic):
            raise AdapterFault(f"output {name} of a {of} is {type(value).__name__}; wanted a NumPy array")
    try:
        return np.stack(values)
    except (ValueError, TypeError):
        kinds = dict.fromkeys(f"{np.shape(value)} of {value.dtype}" for value in values)
        raise AdapterFault(f"output {name} is {', '.join(kinds)} from {of} to {of}; wanted one shape") from None


def checked(outputs: Any, implementation: Implementation) -> Mapping[str, Any]:
    """Return ``outputs`` if it is a mapping.

    Raises:
        AdapterFault: it is not.
    """
    if not isinstance(outputs, Mapping):
        kind = type(outputs).__name__
        raise AdapterFault(f"{implementation.name} returned {kind}; wanted a dict of outputs by name")
    if strange := [name for name in outputs if not isinstance(name, str)]:
        raise AdapterFault(f"{implementation.name} returned an output named {strange[0]!r}; wanted text")
    return outputs


def leading(value: Any, count: int) -> Any:
    """Return the first ``count`` elements of an output that has more, on one axis; ``count`` 0 leaves it whole."""
    if isinstance(value, list | tuple):
        return [leading(v, count) for v in value]
    return np.ravel(value)[:count] if count and value is not None and np.size(value) > count else value


def extremes(value: Any) -> Any:
    """Return the smallest and the largest element of an output, NaN if it has one; an empty output unchanged."""
    if isinstance(value, list | tuple):
        return [extremes(v) for v in value]
    if not isinstance(value, np.ndarray | np.generic) or not value.size:
        return value
    with np.errstate(invalid="ignore"):  # of a NaN of ml_dtypes
        return np.array([np.min(value), np.max(value)], value.dtype)


def answer(
    adapter: Adapter,
    implementation: Implementation,
    mode: str,
    inputs: Any,
    attributes: Any,
    *,
    steps: int = 0,
    lengths: Sequence[int] = (),
    count: int = 0,
    seeds: Sequence[int] = (),
    only_extremes: bool = False,
) -> dict[str, Any]:
    """Return the answer to one call: outputs, or the reason without them.

    Args:
        adapter: whose.
        implementation: what to call.
        mode: how.
        inputs: by name.
        attributes: by name.
        steps: of training, stacked in x and dy; 0 for one call.
        lengths: the call is made for each, on the first so many elements of every input; none for one call.
        count: outputs of more elements are cut to their first so many; 0 for whole ones.
        seeds: the call is made with each as the attribute ``seed``, stacked; none for one call.
        only_extremes: outputs are reduced to their smallest and largest element.
    """
    adapter.mode = mode
    try:
        first = {k: v[0] if steps and k in ("x", "dy") else v for k, v in inputs.items()}
        applies = implementation.applies
        if applies is not None and not applies(**of_its_own(first), **of_its_own(attributes)):
            return {"status": "inapplicable"}
        outputs = call(implementation, inputs, attributes, steps, lengths, seeds)
        shown = {k: extremes(v) if only_extremes else leading(v, count) for k, v in outputs.items()}
        return {"status": "value", "outputs": {k: encode(v, k) for k, v in shown.items()}}
    except Unsupported as lacking:
        return {"status": "unsupported", "reason": str(lacking)}
    except AdapterFault as fault:
        return {"status": "fault", "reason": str(fault)}
    except Exception as error:
        reason = "".join(traceback.format_exception_only(error)).strip()
        if _at_fault(error, adapter):
            return {"status": "fault", "reason": f"{reason} ({_place(error)})"}
        return {"status": "raised", "reason": reason[:2000]}


def _at_fault(error: BaseException, adapter: Adapter) -> bool:
    """Return True for an adapter's own error: one of its lines fails, or it does not take the arguments."""
    innermost = _frame(error).filename
    if innermost == __file__:
        return isinstance(error, TypeError)
    # Code that shipped adapters share is in this package, next to them or below.
    own = innermost == adapter.file or Path(innermost).is_relative_to(Path(__file__).parent)
    return isinstance(error, OWN_FAULTS) and own


def _frame(error: BaseException) -> traceback.FrameSummary:
    """Return the frame that raised, or the one that accessed a missing attribute."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame for frame in reversed(frames) if frame.name != "__getattr__"), frames[-1])


def _place(error: BaseException) -> str:
    frame = _frame(error)
    return f"{Path(frame.filename).name}, line {frame.lineno}: {frame.line}"


def _version(name: str) -> str:
    """Return a distribution's version, or that of another distribution of the same package (tensorflow-cpu)."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        if name not in sys.modules:
            raise
        return str(getattr(sys.modules[name], "__version__", ""))


def hello(adapter: Adapter, threads: int) -> dict[str, Any]:
    """Return the greeting: versions and implementations."""
    return {
        "protocol": PROTOCOL,
        "framework": adapter.name,
        "versions": {name: _version(name) for name in adapter.requires},
        "python": platform.python_version(),
        "threads": threads,
        "modes": list(adapter.modes),
        "on_request": list(adapter.on_request),
        "compiles_shapes": adapter.compiles_shapes,
        "implementations": [
            {
                "operation": i.operation,
                "name": i.name,
                "modes": list(i.modes),
                "omits": list(i.omits),
                "defaults": i.defaults,
                # Calls with several seeds are made here, whatever the implementation.
                "takes": ["seeds", *i.takes] if i.operation in RANDOM else [],
            }
            for i in adapter.implementations
        ],
    }


def serve(adapter: Adapter, source: BinaryIO, send: Callable[[Mapping[str, Any]], None]) -> None:
    """Answer requests until the source ends.

    Args:
        adapter: what to call.
        source: gives one request a line: a vector with the calls to make on it, ``[implementation, mode]``.
        send: takes one answer a call, in the order of the calls.
    """
    known = {(i.operation, i.name, i.defaults): i for i in adapter.implementations}
    for line in source:
        request = json.loads(line)
        for name, mode in request["calls"]:
            implementation = known[request["operation"], name, request["defaults"]]
            # Decoded for each call: a framework that takes an array's memory for its own can write to it.
            inputs = {key: decode(value) for key, value in request["inputs"].items()}
            shape = {"steps": request["steps"], "lengths": request["lengths"], "count": request["first"]}
            shape |= {"seeds": request["seeds"], "only_extremes": request["extremes"]}
            result = answer(adapter, implementation, mode, inputs, request["attributes"], **shape)
            send({"id": request["id"], "implementation": name, "mode": mode, **result, "stderr": printed()})


def of_its_own(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values in lists that only one function sees: arrays cannot be written to, but a list can be changed."""
    return {name: list(value) if isinstance(value, list) else value for name, value in values.items()}


def printed() -> int:
    """Return the size of standard error in bytes, after a flush."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)  # what compiled code has printed by C's own streams
    return os.fstat(2).st_size


def end_with_parent() -> None:
    """Have the system end this process when the harness is killed, in the middle of a call too (Linux)."""
    parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)


def main() -> None:
    """Serve the adapter that the command line names."""
    parser = argparse.ArgumentParser(description="Serve one adapter over standard input and output.")
    parser.add_argument("adapter", help="dotted module name or path of the adapter")
    parser.add_argument("--threads", type=int, default=1, help="threads that the framework may use")
    options = parser.parse_args()

    end_with_parent()
    source, channel = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

    def send(message: Mapping[str, Any]) -> None:
        channel.write(json.dumps(message).encode() + b"\n")
        channel.flush()

    try:
        adapter = load(options.adapter)
        if adapter.setup is not None:
            adapter.setup(options.threads)
        greeting = hello(adapter, options.threads)
    except BaseException as error:
        traceback.print_exc()
        reason = "".join(traceback.format_exception_only(error)).strip()
        send({"failed": f"{options.adapter} cannot be loaded: {reason}"})
        return
    send({"hello": greeting, "stderr": printed()})
    serve(adapter, source, send)


if __name__ == "__main__":
    main()
