"""How near outputs come to their bounds, from the report of a run."""

from __future__ import annotations

from collections import Counter
from importlib import resources

from nnconform.conformance.terminal import headroom

CORE = resources.files("nnconform.spec").joinpath("vectors/relu/core.yaml")


def row(vector="v/a/float32", outputs=None, **more):
    usual = {"framework": "f", "implementation": "api", "mode": "eager", "operation": "elu", "profile": "core"}
    return usual | {"vector": vector, "outputs": outputs or {}} | more


def conforms(ratio):
    return {"verdict": "conforms", "digest": "0", "ratio": ratio}


def report(*rows):
    return {"results": list(rows)}


def one(made):
    [line] = headroom.lines(made)
    return line


def test_a_line_has_the_median_and_the_worst_of_all_vectors_and_modes():
    ratios = [0.25, 0.5, 0.0]
    line = one(report(*(row(outputs={"y": conforms(r)}, mode=m) for r, m in zip(ratios, "abc", strict=True))))
    assert line.ratios == ratios
    assert line.cells == ["  elu y", "3", "0.25", "0.5"]


def test_a_line_an_output_in_the_order_of_the_report():
    made = report(row(outputs={"y": conforms(0), "dx": conforms(0)}), row(outputs={"y": conforms(0)}, framework="e"))
    assert [line[:4] for line in headroom.lines(made)] == [
        ("f", "api", "elu", "y"),
        ("f", "api", "elu", "dx"),
        ("e", "api", "elu", "y"),
    ]


def test_the_entries_of_a_list_are_one_line():
    assert one(report(row(outputs={"gradients[0]": conforms(0.5), "gradients[1]": conforms(1.0)}))).ratios == [0.5, 1.0]


def test_what_does_not_conform_is_counted_by_dialect_and_verdict_the_most_first():
    others = [{"verdict": "diverges", "ratio": "inf"}, {"verdict": "dialect", "dialect": "exp-minus-one", "ratio": 9.0}]
    line = one(report(*(row(outputs={"y": output}) for output in (*others, others[1]))))
    assert line.beyond == Counter({"exp-minus-one": 2, "diverges": 1})
    assert line.cells[1:] == ["0", "-", "-"]
    assert line.beyond_texts == ["2 exp-minus-one", "1 diverges"]


def test_defaults_random_samples_and_what_is_not_judged_are_left_out():
    made = report(
        row(outputs={"y": conforms(0.5)}, profile="defaults"),
        row(outputs={"y": conforms(0.5)}, judged=False),
        row(outputs={"sample": conforms(0.5)}, operation="he_normal"),
    )
    assert list(headroom.lines(made)) == []
    assert headroom.summary(made) == "0 outputs conform; 0 are beyond their bound and have another verdict"


def test_the_summary_counts_and_tells_the_worst():
    outputs = {"y": conforms(0.1234567), "dx": {"verdict": "diverges", "ratio": 3.0}}
    assert headroom.summary(report(row(outputs=outputs))) == (
        "1 outputs conform; the worst is 0.123 of its bound; 1 are beyond their bound and have another verdict"
    )


def test_a_report_that_says_conforms_of_what_is_beyond_its_bound_is_found():
    outputs = {
        "y": conforms(1.0),
        "dx": conforms(1.001),
        "z": conforms("inf"),
        "w": {"verdict": "diverges", "ratio": 2},
    }
    assert headroom.unsaid(report(row(outputs=outputs))) == [
        "f api (eager) v/a/float32 dx: 1.001",
        "f api (eager) v/a/float32 z: inf",
    ]


def test_the_command_line_prints_the_table(cli):
    result = cli("run", "numpy", "--operation", "elu", "--headroom")
    lines = [line.split() for line in result.stdout.splitlines()]
    start = lines.index(["results", "median", "worst"])
    title, *table = lines[start + 1 : start + 4]
    assert title == ["numpy", "numpy.expm1"]
    assert [cells[:2] for cells in table] == [["elu", name] for name in ("y", "dx")]
    assert all(0 <= float(cells[3]) <= float(cells[4]) <= 1 for cells in table)
    assert "0 are beyond their bound and have another verdict" in " ".join(result.stdout.split())
    assert "beyond its bound, and said to conform" not in result.stdout
    assert result.exit_code == 0


def test_without_the_option_there_is_no_table(cli):
    assert "Error over bound" not in cli("run", "numpy", "--vectors", CORE).stdout


def test_no_output_of_a_run_that_conforms_is_beyond_its_bound(good):
    assert headroom.unsaid(good) == []
