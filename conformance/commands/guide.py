"""``nnconform guide``: what to write when a model moves from one framework to another, from measured results."""

from __future__ import annotations

from pathlib import Path

import click

from .options import fail, outliving_the_reader, stop_politely, writable, write_files


@click.command("guide", short_help="Tell what to write when porting a model from one framework to another.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--markdown", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write the guide to a file.")
@click.option("--again", is_flag=True, help="Measure again what is kept from an earlier guide.")
def command(source: str, target: str, path: Path | None, again: bool) -> None:
    """Tell what to write when porting a model FROM one framework TO another.

    They are torch, keras, flax (with jax and optax) and tensorflow (its own functions). What the guide says is measured
    with the versions that are installed: the first time that takes up to a minute, then it is kept.
    """
    from nnconform.conformance.guide.measurements import MeasuringFailed, measure
    from nnconform.conformance.guide.recommendations import framework_name, guide
    from nnconform.conformance.guide.tables import NAMES, table
    from nnconform.conformance.guide.text import markdown
    from nnconform.conformance.running.frameworks import UsageError, suggestion
    from nnconform.conformance.terminal.progress import run_with_progress

    writable({"--markdown": path})
    names = []
    for word in (source, target):
        try:
            names.append(framework_name(word))
        except KeyError:
            fail(f"unknown framework {word!r}{suggestion(word, NAMES)}; a guide is from one to another of them")
    if names[0] == names[1]:
        same = f" ({source} and {target} are both in {names[0]})" if source != target else ""
        fail(f"a guide from {names[0]} to itself{same}; name two of {', '.join(NAMES)}")
    stop_politely()
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
        with outliving_the_reader():
            _show(text)


def _announce(names: list[str]) -> None:
    click.echo(f"measuring {' and '.join(names)}: up to a minute, once for these versions", err=True)


def _show(text: str) -> None:
    """Print the guide as it is, so that what is copied from it can be pasted; headings stand out on a terminal."""
    for line in text.splitlines():
        click.secho(line, bold=line.startswith("#"))
