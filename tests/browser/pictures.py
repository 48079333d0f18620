"""The README's pictures: ``python tests/browser/pictures.py [REPORT.json]`` writes them to examples/pictures.

They are of a real run of the three frameworks: without REPORT.json, which ``nnconform run --json`` wrote, one is made.
The terminal is 80 columns wide and what it shows is what was printed; the report is opened in Chromium.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import terminals

from browser import launched

ROOT = Path(__file__).parents[2]
COLUMNS = 80
# The first screen of what is printed; who wants more runs it.
LINES = 57
SHOW = """
import json, sys
from nnconform.conformance.model.report import Report
from nnconform.conformance.terminal.run_report import Detail, show
show(Report.from_json(json.load(open(sys.argv[1]))), Detail())
"""


def printed(report: Path) -> str:
    """Return what a terminal of 80 columns is given to show a report, colours and all."""
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")} | {"TERM": "xterm-256color"}
    shown, _, status = terminals.run([sys.executable, "-c", SHOW, report], environment, columns=COLUMNS)
    if status:
        sys.exit(f"{report}: could not be shown")
    return shown


def terminal(report: Path, path: Path) -> None:
    """Draw what a terminal shows of a report, as SVG."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.text import Text

    lines = printed(report).strip("\n").split("\n")
    cut = [*lines[:LINES], "..."] if len(lines) > LINES else lines
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ nnconform run", style="bold"))
    console.print(Text.from_ansi("\n".join(cut)), no_wrap=True, crop=False)
    # A picture in a README may not ask another server for its font.
    template = re.sub(r"@font-face \{\{.*?\n    \}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    svg = console.export_svg(title="nnconform run", code_format=template, unique_id="nnconform-run")
    path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def page(report: Path, folder: Path) -> None:
    """Take the top of a report's page, in light and in dark."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as temporary:
        drawn = Path(temporary) / "report.html"
        subprocess.run([sys.executable, "-m", "nnconform.conformance.commands.cli", "html", report, drawn], check=True)
        with launched() as browser:
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": 1280, "height": 860},
                    device_scale_factor=1.5,
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                opened = context.new_page()
                opened.goto(drawn.as_uri())
                opened.wait_for_selector("html[data-whole]")
                taken = Image.open(io.BytesIO(opened.screenshot()))
                # Few colours: a third of the size, and nothing that can be seen is lost.
                taken.convert("RGB").quantize(128).save(folder / f"report-{scheme}.png", optimize=True)
                context.close()


def main() -> None:
    """Read the command line."""
    folder = ROOT / "examples" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.json"
        if len(sys.argv) > 1:
            report = Path(sys.argv[1]).resolve()
        else:
            words = ["run", "torch", "tensorflow", "jax", "--json", str(report)]
            subprocess.run([sys.executable, "-m", "nnconform.conformance.commands.cli", *words], check=False)
        terminal(report, folder / "terminal.svg")
        page(report, folder)
    print("\n".join(f"{path} ({path.stat().st_size:,} bytes)" for path in sorted(folder.iterdir())))


if __name__ == "__main__":
    main()
