"""`python tests/output_hashes [--write FILE] [--against FILE] [--folder DIR]`: hash every output, in about a minute."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    # The folder above, so that the modules here are a package.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from output_hashes.command import command

    command(prog_name="python tests/output_hashes")


if __name__ == "__main__":
    main()
