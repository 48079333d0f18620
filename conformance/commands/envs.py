"""``nnconform envs``: the environments made for other versions, and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from nnconform.conformance.console import show
from nnconform.conformance.layout import Line, Table
from nnconform.conformance.words import count

from .options import fail

if TYPE_CHECKING:
    from nnconform.conformance.environments.environments import Environment

UNUSED_DAYS = 30.0
HEADS = ("key", "python", "packages", "size", "last used")


@click.group("envs", short_help="List and prune the environments.", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the environments made for other versions; `envs prune` removes them."""
    if context.invoked_subcommand is not None:
        return
    from nnconform.conformance.environments.environments import EnvironmentFailed, listing
    from nnconform.conformance.environments.resolutions import cache_folder

    try:
        found = listing()
        folder = cache_folder()
    except EnvironmentFailed as error:
        fail(str(error))
    if not found:
        show([Line(f"no environments in {folder}")])
        return
    size = _bytes(sum(environment.size for environment in found))
    show([_table(HEADS, found), Line(f"{count(len(found), 'environment')} in {folder}, {size}")])


@command.command("prune")
@click.option(
    "--unused-for",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help=f"Remove what was not used for so many days  [default: {UNUSED_DAYS:g}].",
)
@click.option("--all", "everything", is_flag=True, help="Remove all that no process uses now.")
def prune(unused_for: float | None, everything: bool) -> None:
    """Remove environments that are no longer used, and what interrupted ones left behind."""
    from nnconform.conformance.environments import environments

    if everything and unused_for is not None:
        fail("--all and --unused-for exclude each other; give one of them")
    days = UNUSED_DAYS if unused_for is None else unused_for
    try:
        removed = environments.prune(unused_days=None if everything else days)
        kept = environments.listing()
    except environments.EnvironmentFailed as error:
        fail(str(error))
    if removed:
        show([_table([""] * len(HEADS), removed)])
    freed = _bytes(sum(environment.size for environment in removed))
    click.echo(f"removed {count(len(removed), 'environment')}, {freed}")
    if kept:
        used = "now" if everything else f"within {days:g} days or now"
        click.echo(f"kept {count(len(kept), 'environment')}, used {used}")


def _table(heads: Sequence[str], found: Sequence[Environment]) -> Table:
    # Sizes are numbers, to the right; packages are what is long.
    left = [number for number, head in enumerate(HEADS) if head != "size"]
    rows = [_row(environment) for environment in found]
    return Table(heads, rows, left_aligned=left, elastic=HEADS.index("packages"))


def _row(environment: Environment) -> tuple[str, ...]:
    if not environment.whole:
        return environment.key, "-", "broken: it was not finished, or its Python is gone", _bytes(environment.size), "-"
    from datetime import datetime

    packages = ", ".join(f"{name} {version}" for name, version in environment.named.items())
    used = datetime.fromtimestamp(environment.used).strftime("%Y-%m-%d %H:%M")
    return environment.key, environment.python_version, packages, _bytes(environment.size), used


def _bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
