"""The command line. A command is imported only when it runs or when its help is printed."""

from __future__ import annotations

import sys

import click

from .cli_options import fail

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
COMMANDS = (
    *("run", "explain", "plot", "html", "site", "reproduce", "guide"),
    *("upgrade", "diff", "known", "envs", "generate", "list"),
)


class Commands(click.Group):
    """The commands, each from the module of the same name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, the most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name, or None."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = import_module(f".{cmd_name}", __package__).command
        return command


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(package_name="nnconform")
def cli() -> None:
    """Check neural-network building blocks of TensorFlow, PyTorch and JAX against the spec.

    The spec is a list of clauses, each one numbered rule. Vectors test the clauses: a vector is one test case with
    inputs, expected outputs and error bounds. A dialect is a named, documented way in which a framework differs from
    the spec.
    """


def main() -> None:
    """Run the command line. An unexpected exception is a failure of the suite itself, with exit status 3."""
    try:
        # Standalone mode would exit with 1 when interrupted, but 1 means that there are findings.
        status = cli(prog_name="nnconform", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        fail("interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        import traceback

        traceback.print_exc()
        fail(f"internal error: {type(error).__name__}: {error}; please report this", 3)
    sys.exit(status)


if __name__ == "__main__":
    main()
