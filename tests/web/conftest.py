"""The pages of reports in a real browser.

It is the installed Chromium, or NNCONFORM_CHROMIUM; without one these tests are skipped, and fail in CI.
"""

from __future__ import annotations

import os

import browser as chromium
import pytest
from support.markup import Read
from support.site_reports import broken, dialects_of, of, renamed, spec_files, whole

from nnconform.conformance.model.report import Report
from nnconform.conformance.web.page import document
from nnconform.conformance.web.site import folder


@pytest.fixture(scope="session")
def browser():
    if chromium.executable() is None:
        why = "no Chromium: apt-get install chromium, or set NNCONFORM_CHROMIUM"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with chromium.launched() as started:
        yield started


@pytest.fixture(scope="session")
def address_of(tmp_path_factory):
    """Return the address of the page of a report without plots, which is drawn once."""
    drawn = {}

    def run(report):
        if id(report) not in drawn:
            path = tmp_path_factory.mktemp("page") / "report.html"
            path.write_bytes(document.of_report(Report.from_json(report)).encode())
            drawn[id(report)] = path.as_uri(), report
        return drawn[id(report)][0]

    return run


class Watched:
    """A page with its complaints and requests."""

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
        """Wait until the page has drawn its address."""
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
    """Open the page of a report; fail at the end if it had a complaint or a request."""
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


# Sites


@pytest.fixture(scope="session")
def stopped(explained):
    """A report of older versions, in which torch breaks a clause of ELU, and jax was interrupted."""
    report = renamed(explained, torch="2.12.0", tensorflow="2.20.0", jax="0.9.2")
    report["created"] = "2025-11-28T05:04:25+00:00"
    report["complete"] = False
    jax = next(entry for entry in report["frameworks"] if entry["name"] == "jax")
    jax |= {"status": "stopped", "reason": "interrupted by the <user>", "not_run": 7}
    broken(report, "torch", "elu/near-zero/float32")
    return report


@pytest.fixture(scope="session")
def older(explained):
    """A report of older versions, in which torch lacks `unbiased-running-variance` and breaks a clause of ELU."""
    report = whole(renamed({**explained, "created": "2025-01-01T00:00:00+00:00"}, torch="2.12.0"))
    for row in report["results"]:
        if row["framework"] == "torch" and "unbiased-running-variance" in dialects_of(row):
            row["verdict"] = "conforms"
            for output in row["outputs"].values():
                output.pop("dialect", None)
                output["verdict"] = "conforms"
    assert broken(report, "torch", "elu/near-zero/float32")
    return report


@pytest.fixture(scope="session")
def files(explained, older):
    """The spec, dialects and badges of a site of two reports, by address."""
    return spec_files(of(("new", whole(explained)), ("old", older)))


@pytest.fixture(scope="session")
def pages(files):
    """The pages among them, parsed."""
    return {address: Read(text) for address, text in files.items() if address.endswith(".html")}


@pytest.fixture
def bare(monkeypatch):
    """Do not draw the pages of reports, which take longer than all others and have their own tests."""
    monkeypatch.setattr(folder.document, "with_plots", lambda report, home: "<!doctype html>")
