"""Screenshots of the HTML report, to be looked at: ``python tests/browser PAGE.html FOLDER [VIEW...]``.

A view is what stands after # in the address (``view=results&operation=elu``). Without any, the overview, the results of
one operation and the first result that does not conform are taken, at 1280 and 390 pixels, in light and dark, and the
overview as a PDF.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, get_args

sys.path.insert(0, str(Path(__file__).parents[1]))

from browser import launched

Scheme = Literal["light", "dark"]
WIDTHS = (1280, 390)
NAMES = ("overview", "results", "vector")


def views(page: object) -> list[str]:
    """Return the addresses of the three views: from the overview by way of its first link that is not all right."""
    from playwright.sync_api import Page

    assert isinstance(page, Page)
    cells = page.locator(".frameworks-matrix .cell:not(.v-conforms) a")
    results = (cells if cells.count() else page.locator(".frameworks-matrix a")).first.get_attribute("href") or ""
    page.goto(page.url.partition("#")[0] + results)
    vector = page.locator(".results th a").first.get_attribute("href") or ""
    return ["", results.lstrip("#"), vector.lstrip("#")]


def take(path: Path, folder: Path, wanted: list[str]) -> None:
    """Write the screenshots of a page into a folder."""
    address = path.resolve().as_uri()
    with launched() as browser:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("html[data-whole]")
        found = wanted or views(page)
        page.goto(f"{address}#")
        page.pdf(path=folder / "overview.pdf", format="A4")
        for scheme in get_args(Scheme):
            for width in WIDTHS:
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                for number, view in enumerate(found):
                    page.goto(f"{address}#{view}")
                    page.wait_for_selector("html[data-whole]")
                    page.wait_for_timeout(200)
                    name = NAMES[number] if not wanted else f"view-{number}"
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}-top.png")
                page.close()


def main() -> None:
    """Read the command line."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    take(path, folder, sys.argv[3:])
    print("\n".join(str(file) for file in sorted(folder.iterdir())))


main()
