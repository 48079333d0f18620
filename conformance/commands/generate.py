"""``nnconform generate``: write the vectors from the reference, or check them against it."""

from __future__ import annotations

from pathlib import Path

import click

from nnconform.conformance.words import count

from .cli_options import fail


@click.command("generate", short_help="Write or check the vectors.")
@click.option("--check", is_flag=True, help="Compare the files with the reference and write nothing.")
@click.option("--operation", help="Write or check the files of this operation only.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the vector files [default: spec/vectors].",
)
def command(check: bool, operation: str | None, output: Path | None) -> None:
    """Write the vectors (test cases) from the NumPy reference, or check them against it.

    With --check, exit with 1 if a file differs from the result of the reference.
    """
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
                changes = count(len(problems), "file differs", "files differ")
                fail(f"{changes} from the reference; run `nnconform generate`", 1)
            click.echo("all vectors match the reference")
            return
        changed = generator.write(folder, operation=operation)
    except GenerationError as error:
        fail(str(error), 3)
    for path in changed:
        click.echo(path)
    click.echo(f"{count(len(changed), 'file')} changed in {folder}")
