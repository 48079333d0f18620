"""The command line: its commands are found by name, and imported when they are wanted."""

from __future__ import annotations

import sys

import click

from .options import fail

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
COMMANDS = (
    *("run", "explain", "plot", "html", "site", "reproduce", "guide"),
    *("upgrade", "diff", "known", "envs", "generate", "list"),
)


class Commands(click.Group):
    """The modules of ``commands`` as a group; the command of a module has its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, those that are used most first."""
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
    """Check that neural-network building blocks do what the spec says, in TensorFlow, PyTorch and JAX."""


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
