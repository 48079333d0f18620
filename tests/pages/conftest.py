"""The pages of reports, opened in a real browser.

Chromium is the one that is installed, or NNCONFORM_CHROMIUM; without one these tests are skipped, and fail in CI.
"""

from __future__ import annotations

import os

import browser as chromium
import pytest

from nnconform.conformance.reports.html import page as html


@pytest.fixture(scope="session")
def browser():
    if chromium.executable() is None:
        why = "no Chromium: apt-get install chromium, or set NNCONFORM_CHROMIUM"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with chromium.launched() as started:
        yield started


@pytest.fixture(scope="session")
def address_of(tmp_path_factory):
    """Return the address of the page of a report, without pictures, which is drawn once."""
    drawn = {}

    def run(report):
        if id(report) not in drawn:
            path = tmp_path_factory.mktemp("page") / "report.html"
            path.write_bytes(html.of_report(report).encode())
            drawn[id(report)] = path.as_uri(), report
        return drawn[id(report)][0]

    return run


class Watched:
    """A page with all that it complains of and asks for."""

    def __init__(self, page, address):
        self.page, self.address, self.complaints, self.requests = page, address, [], []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address)
        page.wait_for_selector("html[data-ready]")

    def go(self, view):
        self.page.goto(f"{self.address.partition('#')[0]}#{view}")
        self.settle()

    def settle(self):
        """Wait until what the address says is drawn: a page is told of a change after the script that made it."""
        self.page.evaluate(
            """() => new Promise((done) => {
              const drawn = () => document.documentElement.dataset.drawn === location.hash;
              const look = () => (drawn() ? done() : setTimeout(look, 5));
              look();
            })"""
        )

    @property
    def view(self):
        return self.page.url.partition("#")[2]

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()


@pytest.fixture
def opened(browser, address_of):
    """Open the page of a report, and see at the end that it complained of nothing and asked for nothing."""
    contexts, watched = [], []

    def run(report, view="", width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        watched.append(Watched(contexts[-1].new_page(), f"{address_of(report)}#{view}"))
        return watched[-1]

    yield run
    for seen in watched:
        assert seen.complaints == []
        assert {url.partition("#")[0] for url in seen.requests} <= {seen.address.partition("#")[0], "data:,"}
    for context in contexts:
        context.close()
