"""`python tests/mutants [NAME...]`: print the catches of each mutant, or of those whose names contain a NAME."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    # The folder above, so that the modules here are a package.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from mutants.table import show

    return show(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
