"""``nnconform envs``: list and prune the environments for other versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from nnconform.conformance.console import show
from nnconform.conformance.layout import Line, Table
from nnconform.conformance.words import count

from .cli_options import fail

if TYPE_CHECKING:
    from nnconform.conformance.environments.environments import Environment

UNUSED_DAYS = 30.0
HEADS = ("key", "python", "packages", "size", "last used")


@click.group("envs", short_help="List and remove environments of other versions.", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the environments that nnconform made for other framework versions. `envs prune` removes them."""
    if context.invoked_subcommand is not None:
        return
    from nnconform.conformance.environments.environments import cache_folder, list_environments
    from nnconform.conformance.environments.subprocesses import EnvironmentFailed

    try:
        environments, folder = list_environments(), cache_folder()
    except EnvironmentFailed as error:
        fail(str(error))
    if not environments:
        show([Line(f"no environments in {folder}")])
        return
    show([_table(HEADS, environments), Line(f"{_total(environments, f' in {folder}')}")])


@command.command("prune")
@click.option(
    "--unused-for",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help=f"Remove environments not used for this many days  [default: {UNUSED_DAYS:g}].",
)
@click.option("--all", "everything", is_flag=True, help="Remove every environment that is not in use.")
def prune(unused_for: float | None, everything: bool) -> None:
    """Remove unused environments and the remains of interrupted installations."""
    from nnconform.conformance.environments import environments
    from nnconform.conformance.environments.subprocesses import EnvironmentFailed

    if everything and unused_for is not None:
        fail("--all and --unused-for exclude each other; use one of them")
    days = UNUSED_DAYS if unused_for is None else unused_for
    try:
        removed = environments.prune(unused_days=None if everything else days)
        remaining = environments.list_environments()
    except EnvironmentFailed as error:
        fail(str(error))
    if removed:
        show([_table([""] * len(HEADS), removed)])
    click.echo(f"removed {_total(removed)}")
    if remaining:
        reason = "in use" if everything else f"used within {days:g} days or in use"
        click.echo(f"kept {count(len(remaining), 'environment')}, {reason}")


def _total(environments: Sequence[Environment], place: str = "") -> str:
    size = sum(environment.size for environment in environments)
    return f"{count(len(environments), 'environment')}{place}, {_bytes(size)}"


def _table(heads: Sequence[str], environments: Sequence[Environment]) -> Table:
    # Sizes are aligned to the right; the packages take the remaining width.
    columns = [number for number, head in enumerate(HEADS) if head != "size"]
    rows = [_row(environment) for environment in environments]
    return Table(heads, rows, left_aligned=columns, elastic=(HEADS.index("packages"),))


def _row(environment: Environment) -> tuple[str, ...]:
    if not environment.whole:
        return environment.key, "-", "incomplete: being installed or interrupted, or its Python is gone", "-", "-"
    used = datetime.fromtimestamp(environment.used).strftime("%Y-%m-%d %H:%M")
    return environment.key, environment.python_version, environment.title, _bytes(environment.size), used


def _bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
