"""A real browser for the HTML report: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Root has no sandbox; nothing is asked of a network, which need not be there.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def executable() -> str | None:
    """Return the path of Chromium: NNCONFORM_CHROMIUM, or what is installed; None where there is none."""
    named = os.environ.get("NNCONFORM_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium and end it.

    Raises:
        playwright.sync_api.Error: it does not start.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def serious_faults(page: Page) -> list[str]:
    """Return what axe-core finds that shuts people out of a page: each fault with an element that has it."""
    from axe_playwright_python.sync_playwright import Axe

    # axe would ask for the style sheet by itself, which pages forbid all scripts.
    found = Axe().run(page, options={"preload": False}).response
    assert len(found["passes"]) > 10, "axe looked at nothing"
    serious = [fault for fault in found["violations"] if fault["impact"] in ("serious", "critical")]
    return [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in serious]
