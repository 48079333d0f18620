"""Errors of conforming outputs over their bounds, from the report of a run."""

from __future__ import annotations

from collections import Counter
from importlib import resources

from support.small_reports import conforming, report, result

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output
from nnconform.conformance.terminal import headroom

CORE = resources.files("nnconform.spec").joinpath("vectors/relu/core.yaml")
INFINITE = float("inf")


def of_y(output, **changes):
    return result(outputs={"y": output}, **changes)


def only(made):
    """The one line of a report."""
    [line] = headroom.outputs(made)
    return line


def test_a_line_has_the_median_and_the_worst_of_all_vectors_and_modes():
    ratios = [0.25, 0.5, 0.0]
    line = only(report(*(of_y(conforming(r), mode=m) for r, m in zip(ratios, "abc", strict=True))))
    assert line.ratios == ratios
    assert line.cells == ["  elu y", "3", "0.25", "0.5"]


def test_each_output_has_a_line_in_the_order_of_the_report():
    both = result(outputs={"y": conforming(0), "dx": conforming(0)})
    made = report(both, of_y(conforming(0), framework="e"))
    assert [line[:4] for line in headroom.outputs(made)] == [
        ("f", "api", "elu", "y"),
        ("f", "api", "elu", "dx"),
        ("e", "api", "elu", "y"),
    ]


def test_the_entries_of_a_list_share_a_line():
    outputs = {"gradients[0]": conforming(0.5), "gradients[1]": conforming(1.0)}
    assert only(report(result(outputs=outputs))).ratios == [0.5, 1.0]


def test_other_verdicts_are_counted_by_dialect_or_verdict_the_most_frequent_first():
    diverging = of_y(Output("diverges", ratio=INFINITE))
    dialect = of_y(Output("dialect", dialect="exp-minus-one", ratio=9.0))
    line = only(report(diverging, dialect, dialect))
    assert line.beyond == Counter({"exp-minus-one": 2, "diverges": 1})
    assert line.cells[1:] == ["0", "-", "-"]
    assert line.beyond_texts == ["2 exp-minus-one", "1 diverges"]


def test_defaults_random_samples_and_results_that_are_not_judged_are_left_out():
    made = report(
        of_y(conforming(0.5), profile="defaults"),
        of_y(conforming(0.5), judged=False),
        result(outputs={"sample": conforming(0.5)}, operation="he_normal"),
    )
    assert list(headroom.outputs(made)) == []
    assert headroom.summary(made) == "Outputs that conform: 0. Outputs that do not conform: 0."


def test_the_summary_has_the_counts_and_the_worst_ratio():
    outputs = {"y": conforming(0.1234567), "dx": Output("diverges", ratio=3.0)}
    assert headroom.summary(report(result(outputs=outputs))) == (
        "Outputs that conform: 1, with errors up to 0.123 x bound. Outputs that do not conform: 1."
    )


def test_an_output_that_conforms_beyond_its_bound_is_a_contradiction():
    outputs = {
        "y": conforming(1.0),
        "dx": conforming(1.001),
        "z": conforming(INFINITE),
        "w": Output("diverges", ratio=2.0),
    }
    assert headroom.contradictions(report(result(outputs=outputs))) == [
        "f api (eager) elu/a/float32 dx: 1.001",
        "f api (eager) elu/a/float32 z: inf",
    ]


def test_the_command_line_prints_the_table(cli):
    result = cli("run", "numpy", "--operation", "elu", "--headroom")
    lines = [line.split() for line in result.stdout.splitlines()]
    start = lines.index(["results", "median", "worst"])
    title, *table = lines[start + 1 : start + 4]
    assert title == ["numpy", "numpy.expm1"]
    assert [cells[:2] for cells in table] == [["elu", name] for name in ("y", "dx")]
    assert all(0 <= float(cells[3]) <= float(cells[4]) <= 1 for cells in table)
    assert "Outputs that do not conform: 0." in " ".join(result.stdout.split())
    assert "beyond its bound" not in result.stdout
    assert result.exit_code == 0


def test_without_the_option_there_is_no_table(cli):
    assert "Error over bound" not in cli("run", "numpy", "--vectors", CORE).stdout


def test_no_conforming_output_of_a_run_is_beyond_its_bound(good):
    assert headroom.contradictions(Report.from_json(good)) == []
