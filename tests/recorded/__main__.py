"""`python tests/recorded [FULL.json]`: record the reports anew, in some minutes.

FULL.json is the report of a whole run of the three frameworks and is taken instead of another such run.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
import tempfile
from pathlib import Path

FRAMEWORKS = ("torch", "tensorflow", "jax")
# What a run ends with when all was run, whether or not all of it conforms.
RAN = (0, 1)


def main() -> int:
    # The folder above, so that the modules here are a package.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from recorded import EXPLAINED, FULL, read

    vectors = read(EXPLAINED)["selection"]["vectors"]
    whole = Path(sys.argv[1]).read_text() if sys.argv[1:] else run()
    FULL.write_bytes(lzma.compress(anonymous(whole).encode(), preset=9 | lzma.PRESET_EXTREME))
    EXPLAINED.write_text(anonymous(run(*(word for vector in vectors for word in ("--vector", vector)))))
    return 0


def run(*filters: str) -> str:
    """Return the report of a run of the three frameworks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        command = [Path(sys.executable).with_name("nnconform"), "run", *FRAMEWORKS, *filters, "--json", path]
        if (status := subprocess.run(command, check=False).returncode) not in RAN:
            sys.exit(f"the run ended with status {status}; nothing was recorded")
        return path.read_text()


def anonymous(text: str) -> str:
    """Return a report without the folders of this machine; those of its environments are called /venv."""
    from recorded import foreign_paths

    report = json.loads(text)
    assert report["complete"], "the run is incomplete"
    for prefix in {sys.prefix, *environments(foreign_paths(report))}:
        text = text.replace(json.dumps(prefix)[1:-1] + "/", "/venv/")
    if left := foreign_paths(json.loads(text)):
        sys.exit(f"paths of this machine are left, which {Path(__file__).name} does not know: {sorted(left)}")
    return text


def environments(paths: set[str]) -> set[str]:
    """Return the folders of the environments whose packages are among some paths."""
    return {path.partition("/lib/python")[0] for path in paths if "/site-packages/" in path}


if __name__ == "__main__":
    sys.exit(main())
