"""``nnconform generate``: write the vectors, or prove that they are what the reference gives."""

from __future__ import annotations

from pathlib import Path

import click

from .options import fail


@click.command("generate", short_help="Write the vectors, or check them.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the files are not what the reference gives.")
@click.option("--operation", help="Only the files of this operation.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the vectors [default: spec/vectors].",
)
def command(check: bool, operation: str | None, output: Path | None) -> None:
    """Write the test vectors from the reference, or prove that they are what it gives."""
    from importlib import resources

    from nnconform.conformance.generating import writer as generator
    from nnconform.conformance.generating.expected import GenerationError
    from nnconform.conformance.running.frameworks import suggestion

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
