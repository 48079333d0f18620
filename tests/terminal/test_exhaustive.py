"""Counts of every number of a half format: equal counts share a line."""

from __future__ import annotations

from support.small_reports import conforming, report, result

from nnconform.conformance.layout import plain_text
from nnconform.conformance.model.result import Counted, Output
from nnconform.conformance.terminal import exhaustive_counts


def counted(implementation="api", mode="eager", operation="elu", dtype="float16", framework="f", **counts):
    """A result with 3 wrong numbers of 65,536, or other counts."""
    usual = {"inputs": 65536, "differ": 3, "ulp": 1.0, "at": -0.5}
    return result(
        framework=framework,
        implementation=implementation,
        mode=mode,
        operation=operation,
        vector=f"{operation}/every-number/{dtype}",
        outputs={"y": Output("conforms", counted=Counted(**usual | counts))},
    )


def lines(*results):
    """The lines below the title."""
    return plain_text(exhaustive_counts.blocks(report(*results)), 100).splitlines()[2:]


def test_a_report_without_such_vectors_has_no_lines():
    assert list(exhaustive_counts.blocks(report(result(outputs={"y": conforming(0.0)})))) == []


def test_a_line_has_the_count_the_worst_difference_and_its_input():
    assert lines(counted()) == [
        "  f elu y float16: 3 of 65,536 differ, by at most 1 ulp at -0.5",
        "      api (eager)",
    ]


def test_an_exact_output_has_no_worst_difference():
    assert lines(counted(differ=0, ulp=0.0, at=0.0)) == ["  f: no difference in elu y float16"]


def test_infinities_are_words():
    line = lines(counted(ulp=float("inf"), at=float("-inf")))[0]
    assert line.endswith("3 of 65,536 differ, by at most inf ulp at -inf")


def test_equal_counts_of_nan_share_a_line():
    assert len(lines(counted("one", at=float("nan")), counted("two", at=float("nan")))) == 2


def test_modes_and_implementations_with_equal_counts_share_a_line():
    texts = lines(*(counted(name, mode) for name in ("one", "two") for mode in ("eager", "jit")))
    assert texts[1:] == ["      one, two (eager/jit)"]


def test_implementations_with_different_modes_have_their_own():
    results = counted("one"), counted("two"), counted("two", "jit")
    assert lines(*results)[1:] == ["      one (eager); two (eager/jit)"]


def test_different_counts_have_their_own_lines():
    texts = lines(counted("one"), counted("two", differ=4), counted("three", at=-0.25))
    assert len(texts) == 6
    assert [line.strip() for line in texts[1::2]] == ["one (eager)", "two (eager)", "three (eager)"]


def test_frameworks_operations_dtypes_and_outputs_are_in_order():
    texts = lines(counted(operation="relu"), counted(dtype="bfloat16"), counted(), counted(framework="e"))
    heads = [line.strip().partition(":")[0] for line in texts[::2]]
    assert heads == ["e elu y float16", "f elu y bfloat16", "f elu y float16", "f relu y float16"]


def summary(*results):
    """The lines below the title of the summary."""
    return plain_text(exhaustive_counts.summary(report(*results))).splitlines()[2:]


def test_the_summary_has_one_line_per_framework_with_the_largest_counts():
    results = (
        counted(differ=0),
        counted("other", differ=1234),
        counted(dtype="bfloat16", differ=0),
        counted(framework="g", differ=0),
    )
    assert summary(*results) == [
        "  f: 1 of 2 outputs exact; most differences: elu y float16 1,234",
        "  g: 1 of 1 output exact",
    ]


def test_the_summary_of_a_report_without_such_vectors_has_no_lines():
    assert list(exhaustive_counts.summary(report())) == []


def test_the_command_line_prints_it_and_no_result_of_the_numpy_control_differs(cli):
    result = cli("run", "numpy", "--vector", "relu/every-number*")
    texts = result.stdout.splitlines()
    start = texts.index("Every float16 and bfloat16 number, compared with the exact result rounded once:")
    assert texts[start + 1] == "  numpy: 4 of 4 outputs exact"


def test_the_command_line_names_all_outputs_with_verbose(cli):
    text = " ".join(cli("run", "numpy", "--vector", "relu/every-number*", "--verbose").stdout.split())
    assert "numpy: no difference in relu dx bfloat16, relu dx float16, relu y bfloat16, relu y float16" in text
