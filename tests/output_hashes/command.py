"""The command line of the package."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from . import drawing, hashes, tasks


@click.command()
@click.option("--write", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the hashes here.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Compare with the hashes in this file, name the outputs that differ, and exit with 1 if any does.",
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep the outputs in this new folder.")
@click.option("--only", multiple=True, metavar="GLOB", help="Draw these outputs alone (explain/*); may be repeated.")
@click.option("--no-guide", is_flag=True, help="Leave out the guides, whose frameworks are measured once.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, help="How many processes draw.")
def command(
    target: Path | None, against: Path | None, folder: Path | None, only: tuple[str, ...], no_guide: bool, jobs: int
) -> None:
    """Draw every output from the recorded reports, and print `sha256  name` of each, sorted by name.

    Exit status: 1 an output differs from --against, 2 an output could not be drawn.
    """
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"--folder {folder} is not empty; name a new folder")
    before = None if against is None else hashes.read(against.read_text())
    started = time.monotonic()
    chosen = [task for task in tasks.every() if task.may_match(only) and not (no_guide and task.measures)]
    drawn, failures = drawing.draw_all(chosen, jobs, folder)
    found = {name: digest for name, digest in drawn.items() if tasks.matches(name, only)}
    click.echo(f"{len(found)} outputs in {time.monotonic() - started:.0f} s", err=True)
    if target is not None:
        target.write_text(hashes.text(found))
    if before is None and target is None:
        click.echo(hashes.text(found), nl=False)
    for name, error in sorted(failures.items()):
        click.echo(f"{name} could not be drawn:\n{error}", err=True)
    lines = []
    if before is not None:
        asked = {name: d for name, d in before.items() if tasks.matches(name, only) and not (no_guide and _guide(name))}
        lines = hashes.differences(asked, found)
        click.echo("\n".join(lines) or f"the same as {against}")
    sys.exit(2 if failures else int(bool(lines)))


def _guide(name: str) -> bool:
    return name.startswith("guide/")
