"""``nnconform guide``: port a model from one framework to another with measured equivalents."""

from __future__ import annotations

from pathlib import Path

import click

from .cli_options import check_writable, fail, ignore_closed_pipe, interrupt_on_signals, write_files


@click.command("guide", short_help="Show how to port a model from one framework to another.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--markdown", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write the guide to this file."
)
@click.option("--again", is_flag=True, help="Measure again instead of using an earlier measurement.")
def command(source: str, target: str, path: Path | None, again: bool) -> None:
    """Show how to port a model FROM one framework TO another: calls, defaults, weights, remaining differences.

    The frameworks are torch, keras, flax (with jax and optax) and tensorflow (its own functions). The guide measures
    the installed versions. The first time this takes up to a minute; later guides use the same measurement.
    """
    from nnconform.conformance.guide.measurements import MeasuringFailed, measure
    from nnconform.conformance.guide.recommendations import framework_name, guide
    from nnconform.conformance.guide.tables import NAMES, table
    from nnconform.conformance.guide.text import markdown
    from nnconform.conformance.running.frameworks import UsageError, suggestion
    from nnconform.conformance.terminal.progress import run_with_progress

    check_writable({"--markdown": path})
    names = []
    for word in (source, target):
        try:
            names.append(framework_name(word))
        except KeyError:
            fail(f"unknown framework {word!r}{suggestion(word, NAMES)}; choose two of {', '.join(NAMES)}")
    if names[0] == names[1]:
        same = f" ({source} and {target} have the same guides)" if source != target else ""
        fail(f"both frameworks are {names[0]}{same}; choose two of {', '.join(NAMES)}")
    interrupt_on_signals()
    try:
        adapters = {table(name).adapter for name in names}
        measurements = measure(adapters, run_with_progress, again=again, announce=_announce)
    except UsageError as error:
        fail(str(error))
    except MeasuringFailed as error:
        fail(str(error), 3)
    text = markdown(guide(names[0], names[1], measurements))
    if unwritten := write_files({"--markdown": (path, lambda place: place.write_text(text))}):
        fail("; ".join(unwritten.values()))
    if path is None:
        with ignore_closed_pipe():
            _show(text)


def _announce(names: list[str]) -> None:
    click.echo(f"measuring {' and '.join(names)}, once for these versions; this takes up to a minute", err=True)


def _show(text: str) -> None:
    """Print the guide without wrapping, so that users can copy code from it; headings are bold on a terminal."""
    for line in text.splitlines():
        click.secho(line, bold=line.startswith("#"))
