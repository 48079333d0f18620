"""The typed report: it holds all that a report's document does, and writes the same document again."""

from __future__ import annotations

import pytest
import recorded

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.verdicts import DISPLAY, FAILING, SEVERITY
from nnconform.conformance.report.store import text


@pytest.fixture(scope="module", params=["full", "explained"])
def document(request):
    return recorded.read(recorded.FULL if request.param == "full" else recorded.EXPLAINED)


def test_a_document_is_written_again_byte_for_byte(document):
    assert text(Report.from_json(document).to_json()) == text(document)


def test_a_result_fails_a_run_by_its_verdict_unless_it_is_known_or_a_default(document):
    for result in Report.from_json(document).results:
        assert result.fails() == (result.verdict in FAILING and result.profile != "defaults" and not result.known)


def test_severity_orders_the_verdicts_that_are_displayed():
    assert sorted(SEVERITY) == sorted(DISPLAY)
    assert [v for v in SEVERITY if v in FAILING] == [*SEVERITY[-len(FAILING) :]]
