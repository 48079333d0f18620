"""The command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from .vectors import Vector

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
FILTERS = {
    "operations": "--operation",
    "vectors": "--vector",
    "implementations": "--implementation",
    "profiles": "--profile",
    "dtypes": "--dtype",
    "modes": "--mode",
}


def fail(message: str, status: int = 2) -> NoReturn:
    """Print a message on standard error and exit."""
    click.echo(f"nnconform: {message}", err=True)
    sys.exit(status)


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="nnconform")
def cli() -> None:
    """Check that neural-network building blocks do what the spec says, in TensorFlow, PyTorch and JAX."""


def _globs(option: str, help_text: str) -> Callable[..., Any]:
    name = next(name for name, flag in FILTERS.items() if flag == option)
    return click.option(option, name, multiple=True, metavar="GLOB", help=help_text)


@cli.command()
@click.argument("framework", nargs=-1)
@_globs("--operation", "Only these operations (batch_norm_*); may be repeated, as all filters.")
@_globs("--vector", "Only these vectors (elu/near-zero/*).")
@_globs("--implementation", "Only these implementations (torch.nn.BatchNorm*).")
@_globs("--profile", "Only these profiles: core, half, edge, range, defaults.")
@_globs("--dtype", "Only these dtypes: float64, float32, float16, bfloat16.")
@_globs("--mode", "Only these modes: eager, function, xla, jit, compile (slow, runs only when asked for).")
@click.option("--adapter", "adapters", multiple=True, metavar="MODULE_OR_PATH", help="Run this adapter too.")
@click.option(
    "--vectors",
    "folder",
    type=click.Path(path_type=Path),
    help="Vectors of your own instead of the published.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here.")
@click.option("--strict", is_flag=True, help="Exit with 1 for a dialect too.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=120.0,
    show_default=True,
    help="Seconds a call may take.",
)
def run(
    framework: tuple[str, ...],
    adapters: tuple[str, ...],
    folder: Path | None,
    json_path: Path | None,
    strict: bool,
    timeout: float,
    **filters: tuple[str, ...],
) -> None:
    """Run the vectors on FRAMEWORK... (torch, tensorflow, keras, jax, flax, optax, numpy).

    By default on all that are installed; numpy, the positive control, runs when it is named or alone.
    """
    import signal

    from . import frameworks, report
    from . import run as runner
    from .vectors import SPEC

    try:
        chosen = frameworks.choose(framework, adapters)
        for missing in (f for f in chosen if framework and f.missing):
            raise frameworks.UsageError(
                f"{missing.name}: {', '.join(missing.missing)} not installed; install with: {missing.install}"
            )
        vectors, problems = _load(folder)
        selection = runner.Selection(**filters)
        _check_filters(selection, vectors)
    except frameworks.UsageError as error:
        fail(str(error))
    if json_path is not None and not json_path.absolute().parent.is_dir():
        fail(f"--json {json_path}: the folder {json_path.absolute().parent} does not exist")
    options = runner.Options(selection, timeout, report.cache_folder())
    # A polite end is an interrupt too: no worker is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcome = _with_progress(chosen, vectors, options)
    result = report.document(outcome, SPEC, problems, filters | {"frameworks": framework})
    report.remember(result)
    show(result)
    if json_path is not None:
        try:
            report.write(result, json_path)
        except OSError as error:
            fail(f"--json {json_path}: the report cannot be written: {error.strerror}")
    _check_ran(outcome, selection)
    sys.exit(report.exit_status(result, strict=strict))


def _load(folder: Path | None) -> tuple[list[Vector], list[str]]:
    from .vectors import VectorError, load

    if folder is not None and not folder.exists():
        fail(f"--vectors {folder}: no such file or folder")
    try:
        return load(folder)
    except VectorError as error:
        fail(str(error))


def _check_filters(selection: Any, vectors: list[Vector]) -> None:
    """Refuse a filter that no vector matches, by itself or together with the others."""
    from .frameworks import UsageError, suggestion
    from .run import matches

    fields: dict[str, Callable[[Vector], str]] = {
        "operations": lambda v: v.operation,
        "vectors": lambda v: v.id,
        "profiles": lambda v: v.profile,
        "dtypes": lambda v: v.dtype,
    }
    for name, field in fields.items():
        values = {field(v) for v in vectors}
        for glob in getattr(selection, name):
            if not any(matches(value, (glob,)) for value in values):
                raise UsageError(f"{FILTERS[name]} {glob} matches nothing{suggestion(glob, values)}")
    if vectors and not any(selection.takes(v) for v in vectors):
        raise UsageError("no vector matches all of these filters together; leave one out")


def _check_ran(outcome: Any, selection: Any) -> None:
    """Refuse implementation and mode filters that no framework matched: they are known only once it runs."""
    from .run import matches

    served = [i for entry in outcome.frameworks for i in entry.hello.get("implementations", ())]
    failed = any(entry.status in ("failed", "stopped") for entry in outcome.frameworks)
    if not served or failed or not outcome.complete:
        return
    hint = "`nnconform list implementations` shows what there is"
    for glob in selection.implementations:
        if not any(matches(i["name"], (glob,)) for i in served):
            fail(f"--implementation {glob} matches nothing that these frameworks have; {hint}")
    for glob in selection.modes:
        if not any(matches(mode, (glob,)) for i in served for mode in i["modes"]):
            fail(f"--mode {glob} matches nothing that these frameworks have; {hint}")
    if not outcome.results and not outcome.faults:
        fail(f"no implementation of these frameworks takes these vectors in these modes; {hint}")


def _with_progress(chosen: Any, vectors: list[Vector], options: Any) -> Any:
    """Run with a progress bar a framework on a terminal, and without in a pipe."""
    from .run import run as run_vectors

    if not sys.stderr.isatty():
        return run_vectors(chosen, vectors, options)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[vector]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {f.name: bars.add_task(f"{f.name} (starting)", total=None, vector="") for f in chosen if not f.missing}

        def progress(kind: str, entry: Any, vector: Any) -> None:
            task = tasks[entry.framework.name]
            if kind == "started":
                bars.update(task, description=entry.framework.name, total=entry.calls)
            elif kind == "answer":
                bars.update(task, advance=1, vector=vector)
            else:
                bars.update(task, vector=entry.status)

        return run_vectors(chosen, vectors, options, progress)


def show(result: Mapping[str, Any]) -> None:
    """Print a report: a table on a terminal, plain lines in a pipe."""
    from . import summary

    for line in summary.lines(result):
        click.echo(line)
    heads, rows = summary.count_rows(result)
    if sys.stdout.isatty():
        _table(heads, rows)
    else:
        click.echo("")
        widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
        for row in [heads, *rows]:
            cells = (
                cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            click.echo("  ".join(cells).rstrip())
    for line in summary.findings(result):
        click.echo(line)
    click.echo("")
    click.echo(summary.conclusion(result))


def _table(heads: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    colours = {
        "conform": "green",
        "by dialect": "yellow",
        "diverge": "red",
        "failed": "red",
        "unsupported": "dim",
    }
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(
            head,
            justify="left" if head in ("framework", "operation") else "right",
            style=colours.get(head, ""),
        )
    previous = ""
    for row in rows:
        table.add_row("" if row[0] == previous else row[0], *row[1:])
        previous = row[0]
    Console().print(table)


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if the files are not what the reference gives.")
@click.option("--operation", help="Only the files of this operation.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the vectors [default: spec/vectors].",
)
def generate(check: bool, operation: str | None, output: Path | None) -> None:
    """Write the test vectors from the reference, or prove that they are what it gives."""
    from importlib import resources

    from . import generate as generator
    from .evaluate import GenerationError
    from .frameworks import suggestion

    folder = output or Path(str(resources.files("nnconform.spec").joinpath("vectors")))
    if operation is not None and operation not in generator.GENERATORS:
        fail(f"unknown operation {operation!r}{suggestion(operation, generator.GENERATORS)}")
    try:
        if check:
            problems = generator.check(folder, operation=operation)
            for problem in problems:
                click.echo(f"{folder / problem.partition(':')[0]}:{problem.partition(':')[2]}", err=True)
            if problems:
                fail(f"{len(problems)} files are not what the reference gives; run `nnconform generate`", 1)
            click.echo("the vectors are what the reference gives")
            return
        changed = generator.write(folder, operation=operation)
    except GenerationError as error:
        fail(str(error), 3)
    for path in changed:
        click.echo(path)
    click.echo(f"{len(changed)} files changed in {folder}")


@cli.command("list")
@click.argument(
    "what",
    type=click.Choice(["frameworks", "operations", "implementations", "vectors", "dialects", "clauses"]),
)
@click.argument("framework", nargs=-1)
def list_(what: str, framework: tuple[str, ...]) -> None:
    """Print the names of what there is, one a line; implementations of FRAMEWORK... or of all installed."""
    from . import catalogue
    from .frameworks import UsageError
    from .worker import WorkerFailed

    try:
        for line in catalogue.listing(what, framework):
            click.echo(line)
    except UsageError as error:
        fail(str(error))
    except WorkerFailed as error:
        fail(f"{error}\n{error.printed}".rstrip(), 3)


def main() -> None:
    """Run the command line; what no command foresees is the suite's own failure, exit status 3."""
    try:
        # Not click's own way out: it ends with 1 when interrupted, which says that there are findings.
        status = cli(prog_name="nnconform", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        fail("interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        import traceback

        traceback.print_exc()
        fail(f"the suite failed: {type(error).__name__}: {error}; please report this", 3)
    sys.exit(status)


if __name__ == "__main__":
    main()
