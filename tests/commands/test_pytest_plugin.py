"""The pytest plugin: one test per vector. A failure names the output, the element and the error."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from importlib import resources
from pathlib import Path

import pytest

from nnconform.conformance.vectors.reading import load

pytest_plugins = ["pytester"]
LIARS = Path(__file__).parents[1] / "liars"
CORE = Path(str(resources.files("nnconform.spec"))) / "vectors/clip_by_value/core.yaml"
NARROW = "narrow and float32"


@pytest.fixture
def vectors(pytester):
    """Run pytest with the plugin on the vectors of one operation whose names fit ``k``."""

    def run(*words, k=NARROW):
        always = "-p", "no:cacheprovider", "--nnconform-vectors", str(CORE)
        return pytester.runpytest_subprocess(*always, *map(str, words), "-k", k)

    return run


@pytest.fixture(scope="module")
def ids():
    return [vector.id for vector in load(CORE)[0]]


def test_every_published_vector_is_a_test_with_its_id(pytester, published):
    result = pytester.runpytest_subprocess("--nnconform", "numpy", "--collect-only", "-q")
    collected = [line for line in result.outlines if line.startswith("nnconform/")]
    assert collected == [f"nnconform/numpy::{vector}" for vector in published]


def test_k_chooses_vectors(vectors, ids):
    result = vectors("--nnconform", "numpy")
    result.assert_outcomes(passed=3, deselected=len(ids) - 3)
    result.stdout.fnmatch_lines([f"collected {len(ids)} items / {len(ids) - 3} deselected / 3 selected"])


def test_without_the_option_there_are_no_such_tests(pytester):
    pytester.makepyfile("def test_own(): pass")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_tests_of_the_project_run_beside_the_vectors(vectors, pytester, ids):
    pytester.makepyfile("def test_own_narrow_float32(): pass")
    vectors("--nnconform", "numpy").assert_outcomes(passed=4, deselected=len(ids) - 3)


def test_a_failure_says_what_where_and_how_far(vectors):
    result = vectors("--nnconform-adapter", LIARS / "scales.py")
    assert result.parseoutcomes()["failed"] == 3
    vector = "clip_by_value/one-variable-narrow/float32 (CLIP-VALUE-1, CLIP-VALUE-4, NUM-*)"
    call = "  liar (eager) *: diverges"
    element = "    gradients[[]0][[]0]: expected -0.01000, got -0.02000 (bound 0, *"
    result.stdout.fnmatch_lines([vector, call, element])


def test_a_crash_is_the_failure_of_its_vector_alone(vectors):
    result = vectors("--nnconform-adapter", LIARS / "aborts.py", k="one-variable and float32")
    result.stdout.fnmatch_lines(["*killed by SIGABRT*"])
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 1
    assert outcomes["passed"] > 1


def test_processes_of_xdist_share_one_run(vectors):
    result = vectors("--nnconform", "numpy", "-n", "2", "--junitxml", "junit.xml")
    result.assert_outcomes(passed=3)


def test_a_framework_named_twice_is_collected_once(vectors):
    assert vectors("--nnconform", "numpy", "--nnconform", "numpy").parseoutcomes()["passed"] == 3


LOCATE = """
from nnconform.conformance.environments import location
from nnconform.conformance.running.frameworks import Framework


def locate(*_, notify):
    notify("line 3 is not followed")
    return [{frameworks}]


location.locate = locate
"""


@pytest.fixture
def locate(pytester):
    """A function that sets the located frameworks: pairs of a file of a liar, or "" for numpy, and a target."""

    def replace(*frameworks, name="liar"):
        calls = []
        for liar, target in frameworks:
            module = str(LIARS / liar) if liar else "nnconform.adapters.numpy"
            calls.append(f"Framework({name if liar else 'numpy'!r}, {module!r}, target={target!r})")
        pytester.makeconftest(LOCATE.format(frameworks=", ".join(calls)))

    return replace


def test_every_framework_that_a_word_stands_for_counts(vectors, locate):
    locate(("", "python:/p"), ("scales.py", "python:/p"))
    result = vectors("--nnconform", "python:/p")
    assert result.parseoutcomes()["failed"] == 3
    result.stdout.fnmatch_lines(["  liar (eager) *: diverges"])


def test_where_one_of_the_frameworks_of_a_word_did_not_run_its_tests_do_not_pass(vectors, locate):
    locate(("", "python:/p"), ("import_error.py", "python:/p"))
    result = vectors("--nnconform", "python:/p")
    assert result.parseoutcomes()["failed"] == 3
    result.stdout.fnmatch_lines(["*a_module_that_nobody_has*"])


def test_what_one_part_of_a_framework_does_is_no_matter_of_another(vectors, locate):
    locate(("parts.py", "flax+optax"), name="jax")
    result = vectors("--nnconform", "flax", "--nnconform", "optax", "-rA")
    assert (result.parseoutcomes()["passed"], result.parseoutcomes()["failed"]) == (3, 3)
    result.stdout.fnmatch_lines(["PASSED *nnconform/flax::*"])
    result.stdout.no_fnmatch_line("FAILED *nnconform/flax::*")


def test_what_was_told_of_the_words_stands_at_the_end(vectors, locate):
    locate(("", "python:/p"))
    vectors("--nnconform", "python:/p", "-n", "1").stdout.fnmatch_lines(["*= nnconform =*", "line 3 is not followed"])


@pytest.mark.parametrize("seconds", ["0", "-1", "inf", "nan"])
def test_a_timeout_is_a_number_of_seconds_above_zero(vectors, seconds):
    result = vectors("--nnconform", "numpy", f"--nnconform-timeout={seconds}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--nnconform-timeout: expected a number of seconds above 0*"])


def test_junit_xml_has_the_ids(vectors, pytester):
    vectors("--nnconform", "numpy", "--junitxml", "junit.xml")
    cases = ElementTree.parse(pytester.path / "junit.xml").iter("testcase")
    assert "clip_by_value/one-variable-narrow/float32" in {case.get("name") for case in cases}


def test_a_vector_that_nothing_takes_is_skipped_with_the_reason(vectors):
    relu = CORE.parents[1] / "relu" / "core.yaml"
    words = "--nnconform-adapter", LIARS / "scales.py", "--nnconform-vectors", relu
    result = vectors(*words, "-rs", k="float32")
    assert result.parseoutcomes()["skipped"] >= 1
    result.stdout.fnmatch_lines(["*takes this vector*"])


KNOWN = """format: 1
known:
  - framework: liar
    vector: clip_by_value/*-narrow/float32
    verdict: crash
    covers: {covers}
    reason: it lies on purpose
    link: https://example.org/1
"""


def test_what_is_known_is_expected_to_fail(vectors, pytester):
    path = pytester.makefile(".yaml", known=KNOWN.format(covers=3))
    result = vectors("--nnconform-adapter", LIARS / "aborts.py", "--nnconform-known", path, k=f"{NARROW} or known")
    assert (result.parseoutcomes()["xfailed"], result.parseoutcomes()["passed"]) == (3, 1)


def test_a_stale_list_fails(vectors, pytester):
    path = pytester.makefile(".yaml", known=KNOWN.format(covers=2))
    result = vectors("--nnconform-adapter", LIARS / "aborts.py", "--nnconform-known", path, k=f"{NARROW} or known")
    assert result.parseoutcomes()["failed"] >= 1
    result.stdout.fnmatch_lines(["*covers*"])


def test_an_unknown_framework_is_wrong_usage(vectors):
    result = vectors("--nnconform", "torhc")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*unknown framework 'torhc'; did you mean torch*"])


def test_a_framework_that_does_not_start_fails_its_tests(vectors):
    result = vectors("--nnconform-adapter", LIARS / "import_error.py")
    assert result.parseoutcomes()["failed"] == 3
    result.stdout.fnmatch_lines(["*a_module_that_nobody_has*"])
