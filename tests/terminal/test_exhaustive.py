"""What is printed of every number of a half format: a line for each result that is the same."""

from __future__ import annotations

from nnconform.conformance.layout import plain
from nnconform.conformance.terminal import exhaustive_counts


def row(implementation="api", mode="eager", operation="elu", dtype="float16", framework="f", outputs=None, **count):
    counted = {"inputs": 65536, "differ": 3, "ulp": 1.0, "at": -0.5} | count
    return {
        "framework": framework,
        "implementation": implementation,
        "mode": mode,
        "operation": operation,
        "vector": f"{operation}/every-number/{dtype}",
        "outputs": outputs or {"y": {"verdict": "conforms", "counted": counted}},
    }


def lines(*rows):
    return plain(exhaustive_counts.parts({"results": list(rows)}), 100).splitlines()[2:]


def test_a_report_without_such_vectors_has_no_lines():
    outputs = {"y": {"verdict": "conforms", "ratio": 0.0}}
    assert list(exhaustive_counts.parts({"results": [row(outputs=outputs)]})) == []


def test_a_line_says_how_many_differ_the_worst_and_its_input():
    assert lines(row()) == ["  f elu y float16: 3 of 65,536 differ, the worst by 1 ulp at -0.5", "      api (eager)"]


def test_where_none_differs_there_is_no_worst():
    assert lines(row(differ=0, ulp=0.0, at=0.0)) == ["  f: none differs of elu y float16"]


def test_infinities_are_words():
    said = lines(row(ulp="inf", at="-inf"))[0]
    assert said.endswith("3 of 65,536 differ, the worst by inf ulp at -inf")


def test_modes_and_implementations_of_one_result_share_a_line():
    found = lines(*(row(name, mode) for name in ("one", "two") for mode in ("eager", "jit")))
    assert found[1:] == ["      one, two (eager/jit)"]


def test_modes_stand_with_each_implementation_where_they_differ():
    assert lines(row("one"), row("two"), row("two", "jit"))[1:] == ["      one (eager); two (eager/jit)"]


def test_results_that_differ_have_lines_of_their_own():
    found = lines(row("one"), row("two", differ=4), row("three", at=-0.25))
    assert len(found) == 6
    assert [line.strip() for line in found[1::2]] == ["one (eager)", "two (eager)", "three (eager)"]


def test_frameworks_operations_dtypes_and_outputs_are_in_order():
    found = lines(row(operation="relu"), row(dtype="bfloat16"), row(), row(framework="e"))
    heads = [line.strip().partition(":")[0] for line in found[::2]]
    assert heads == ["e elu y float16", "f elu y bfloat16", "f elu y float16", "f relu y float16"]


def brief(*rows):
    return plain(exhaustive_counts.brief({"results": list(rows)})).splitlines()[2:]


def test_in_brief_a_framework_has_one_line_with_the_most_that_differs():
    rows = [row(differ=0), row("other", differ=1234), row(dtype="bfloat16", differ=0), row(framework="g", differ=0)]
    assert brief(*rows) == [
        "  f: 1 of 2 outputs are exact; at worst differ: elu y float16 1,234",
        "  g: 1 of 1 outputs are exact",
    ]


def test_in_brief_a_report_without_such_vectors_has_no_lines():
    assert list(exhaustive_counts.brief({"results": []})) == []


def test_the_command_line_prints_it_and_no_result_of_the_numpy_control_differs(cli):
    result = cli("run", "numpy", "--vector", "relu/every-number*")
    found = result.stdout.splitlines()
    start = found.index("Every number of a half format, against the exact result rounded once:")
    assert found[start + 1] == "  numpy: 4 of 4 outputs are exact"


def test_the_command_line_names_all_outputs_with_verbose(cli):
    text = " ".join(cli("run", "numpy", "--vector", "relu/every-number*", "--verbose").stdout.split())
    assert "numpy: none differs of relu dx bfloat16, relu dx float16, relu y bfloat16, relu y float16" in text
