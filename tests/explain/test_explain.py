"""Every name has a page with the texts of the spec and the numbers of the report.

The report is `data/explained-report.json`; `python tests/recorded` records it again.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from recorded import EXPLAINED

from nnconform.conformance.explain import clause, naming, pages
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.report.store import write
from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.clauses import clauses

SPEC = Path(__file__).parents[2] / "spec"


@pytest.fixture(scope="module")
def report(explained):
    return Report.from_json(explained)


@pytest.fixture(scope="module")
def run(report):
    return LastRun(report, EXPLAINED.name)


@pytest.fixture(scope="module")
def printed(cli, explained):
    """Return the text that the command prints for names."""

    def run(*words: str) -> str:
        result = cli("explain", *words, "--report", EXPLAINED)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    return run


def squashed(text: str) -> str:
    """Return a text without blanks and line ends, which wrapping changes."""
    return re.sub(r"\s+", "", text)


# Clauses


@pytest.mark.parametrize("clause", clauses())
def test_a_clause_has_its_own_words(run, clause):
    page = squashed(pages.page(clause, run).text())
    said = clauses()[clause]
    assert said.page in page
    for paragraph in re.split(r"\n\s*\n", re.sub(r"```\w*", "", said.body)):
        if not paragraph.strip().startswith("|"):
            assert squashed(paragraph) in page


def test_the_text_of_a_clause_ends_where_the_next_one_begins():
    text = clauses()["BN-TRAIN-4"].body
    assert "momentum * (old running_mean)" in text
    assert "BN-TRAIN-5" not in text


def test_a_clause_names_the_vectors_that_test_it(run, published):
    page = pages.page("BN-TRAIN-5", run, verbose=True).text()
    testing = [v.id for v in published.values() if "BN-TRAIN-5" in v.clauses]
    assert f"Vectors that test it: {len(testing)}" in page
    for vector in testing:
        case, _, dtype = vector.rpartition("/")
        assert re.search(rf"^  {re.escape(case)}/.*\b{dtype}\b", page, re.MULTILINE)


def test_a_clause_names_its_keepers_and_the_dialects_of_the_others(printed):
    found = printed("BN-TRAIN-5").partition("Results of ")[2]
    torch, _, rest = found.partition("  tensorflow\n")
    tensorflow, _, jax = rest.partition("  jax\n")
    assert squashed("unbiased-running-variance torch.nn.functional.batch_norm, torch.nn.BatchNorm2d") in squashed(torch)
    assert re.search(r"conforms +keras.layers.BatchNormalization", tensorflow)
    assert re.search(r"unbiased-running-variance +tf.compat.v1.nn.fused_batch_norm", tensorflow)
    assert re.search(r"conforms +flax.linen.BatchNorm", jax)


def test_an_api_without_an_output_does_not_keep_the_outputs_clause(printed):
    assert re.search(r"does not show it +jax.nn.standardize", printed("BN-TRAIN-5"))


def test_an_implementation_that_departs_once_does_not_keep_the_clause(printed):
    found = printed("ELU-7").partition("Results of ")[2]
    kept = squashed(" ".join(re.findall(r"conforms +((?:.|\n)*?): \d", found)))
    assert "torch.nn.functional.elu" in kept
    # It conforms under XLA.
    assert "tf.nn.elu" not in kept


def test_only_vectors_of_keepers_count_for_a_clause_that_is_kept():
    def result(implementation, vector, verdict):
        outputs = {"y": Output(verdict)}
        return Result("f", "1", implementation, "eager", "elu", vector, "core", verdict, outputs=outputs)

    conforming = [result(*words, "conforms") for words in (("a", "1"), ("b", "1"), ("b", "2"))]
    groups = clause.standings({}, [*conforming, result("b", "3", "diverges")])["f"]
    members = {standing: (list(group.modes), group.vector_count) for standing, group in groups.items()}
    assert members == {clause.KEEPS: (["a"], 1), "diverges": (["b"], 1)}


def test_a_clause_is_found_in_lower_case(printed):
    assert printed("bn-train-4") == printed("BN-TRAIN-4")


def test_the_page_of_a_rule_of_the_suite_says_that_no_vector_tests_it(printed):
    assert "no vector tests it" in printed("NUM-10")


# Dialects and faults


@pytest.mark.parametrize("dialect", dialects.dialects())
def test_a_dialect_has_its_texts_in_dialects_yaml(run, dialect):
    page = squashed(pages.page(dialect, run).text())
    entry = yaml.safe_load((SPEC / "dialects.yaml").read_text())["dialects"][dialect]
    for key in ("summary", "formula", "consequence", "remedy", "adopt"):
        assert squashed(entry[key]) in page
    for line in (*entry["source"], *entry["departs_from"]):
        assert squashed(line) in page


def test_a_dialect_has_the_way_to_adopt_it(monkeypatch, run):
    dialect = replace(dialects.dialects()["global-norm"], adopt="Put all gradients into one list.")
    monkeypatch.setattr(dialects, "dialects", lambda: {"global-norm": dialect})
    assert re.search(r"to adopt it +Put all gradients into one list\.", pages.page("global-norm", run).text())


def test_a_dialect_shows_its_largest_difference(printed, report):
    name = "clip-denominator-epsilon"
    outputs = [
        output
        for result in report.results
        for output in result.outputs.values()
        if result.framework == "torch" and result.operation == "clip_by_norm" and output.dialect == name
    ]
    largest = max(outputs, key=lambda output: output.ulp)
    page = squashed(printed(name))
    assert squashed(f"({largest.ratio:.8g} x bound of {largest.worst.bound:.8g}, {largest.ulp:.8g} ulp)") in page


def test_a_dialect_counts_the_vectors_of_each_operation(printed, report):
    vectors = {
        result.vector
        for result in report.results
        if result.framework == "torch" and ("running_variance", "unbiased-running-variance") in result.dialects()
    }
    page = printed("unbiased-running-variance")
    assert f"torch batch_norm_train (running_variance): {len(vectors)} vectors" in page


def test_a_dialect_lists_its_combinations(printed):
    assert "default-momentum-0.9+unbiased-running-variance" in printed("unbiased-running-variance")


def test_the_order_of_a_combination_does_not_matter(printed):
    one, other = printed("global-norm+clip-denominator-epsilon"), printed("clip-denominator-epsilon+global-norm")
    assert "torch.nn.utils.clip_grad_norm_" in one
    assert sorted(one.splitlines()[1:]) == sorted(other.splitlines()[1:])


def test_a_combination_lists_only_itself(printed):
    found = printed("default-momentum-0.9+unbiased-running-variance").partition("Results of ")[2]
    assert "BatchNorm2d" in found
    assert "fused" not in found


def test_a_dialect_that_refuses_shows_the_error(printed):
    assert "ValueError: Expected more than 1 value per channel" in printed("rejects-single-element")


def test_a_dialect_without_results_is_absent_everywhere_only_after_a_whole_run(printed, report):
    whole = LastRun(replace(report, selection={}))
    assert "No implementation has it." in pages.page("nan-becomes-zero", whole).text()
    part = printed("nan-becomes-zero")
    assert "That run was limited to a selection" in part
    assert "No result has it." in part


def test_a_fault_lists_the_vectors_that_hunt_it(printed, published):
    page = printed("saturation", "--verbose")
    hunting = [v.id for v in published.values() if "saturation" in v.hunts]
    assert dialects.faults()["saturation"] in page
    assert f"Vectors that hunt it: {len(hunting)}" in page


# Implementations, operations, frameworks, verdicts


def test_an_implementation_is_counted_by_operation_profile_and_verdict(printed, report):
    page = printed("keras.layers.BatchNormalization")
    results = [r for r in report.results if r.implementation == "keras.layers.BatchNormalization"]
    core = sum(r.profile == "core" and r.verdict == "conforms" for r in results)
    assert "batch_norm_train: eager, function, xla" in page
    assert re.search(rf"core +{core}\b", page)


def test_an_implementation_shows_each_dialect_with_its_clause_and_remedy(printed):
    page = squashed(printed("torch.nn.BatchNorm2d"))
    dialect = dialects.dialects()["unbiased-running-variance"]
    assert squashed("departs from BN-TRAIN-5") in page
    assert squashed(dialect.consequence) in page
    assert squashed(dialect.remedy) in page


def test_an_implementation_lists_its_limits(printed):
    assert re.search(r"does not show +batch_mean, batch_variance", printed("torch.nn.BatchNorm2d"))
    assert squashed("no clipnorm: call torch.nn.utils.clip_grad_norm_ for each") in squashed(printed("torch.optim.SGD"))
    assert re.search(r"not called +on \d+ of \d+ vectors", printed("torch.nn.BatchNorm2d"))


def test_a_mode_that_was_not_run_is_marked(printed):
    assert "compile (not run)" in printed("torch.nn.BatchNorm2d")


def test_an_implementation_shows_its_divergences(differs):
    page = pages.page("liar.elu", LastRun(Report.from_json(differs))).text()
    assert re.search(r"liar elu \(y\): \d+ vectors\n    diverges\n", page)
    assert re.search(r"worst in elu/.*/bfloat16:\n      y\S*: expected ", page)


def test_an_operation_lists_its_clauses_implementations_and_dialects(printed):
    page = printed("elu")
    assert re.search(r"ELU-7 +relative accuracy of the value near zero", page)
    assert "BN-TRAIN" not in page
    assert re.search(r"torch\.nn\.functional\.elu +\d", page)
    assert re.search(r"exp-minus-one +\d+ +tensorflow", page)


def test_a_package_has_only_its_own_implementations(printed):
    page = printed("optax")
    assert "optax.clip_by_global_norm" in page
    assert "flax." not in page.partition("optax 0")[2]


def test_a_verdict_lists_the_implementations_that_have_it(differs):
    page = pages.page("diverges", LastRun(Report.from_json(differs))).text()
    assert "inside neither the error bound" in page
    assert "spec/findings.md" in page
    having = page.partition("Results of")[2]
    assert "liar.elu" in having
    assert "liar.raises" not in having


def test_an_error_message_appears_once(differs):
    liars = LastRun(Report.from_json(differs))
    for name in ("error", "liar.raises"):
        page = re.sub(r"\s+", " ", pages.page(name, liars).text())
        assert page.count("error: json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)") == 1
        assert "e.g. in clip_by_value/one-variable-narrow/float64" in page


def test_a_dialect_in_a_single_mode_names_that_mode(differs):
    page = pages.page("liar.relu", LastRun(Report.from_json(differs))).text()
    assert re.search(r"gradient-one-at-zero \(dx\): \d+ vectors, eager\n", page)
    assert "liar relu (y, dx)" in page.partition("gradient-one-at-zero")[2]


# All names


@pytest.mark.parametrize("kind", naming.KINDS)
@pytest.mark.parametrize("reported", [True, False], ids=["with a run", "without a run"])
def test_every_name_is_explained_in_80_columns(run, kind, reported):
    known = run if reported else None
    names = list(dict.fromkeys(naming.names(known)[kind]()))
    if kind == "vector" and reported:
        # The run has no results of the others.
        names = list(run.report.asked)
    for name in names:
        page = pages.page(name, known, kind=kind)
        wide = [line for line in page.text().splitlines() if len(line) > 80]
        # Links, and names of implementations that begin a line, are never broken.
        assert all(re.fullmatch(r"  https://\S+| +['\"]?keras\.initializers\..+", line) for line in wide), (name, wide)


def commands(page):
    """Return the commands at the end of a page, in the words that a shell reads."""
    text = page.partition("To reproduce it\n")[2].replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line]


def test_every_difference_has_a_command_that_reproduces_it(printed, report):
    vector = "batch_norm_train/wholly-half/float16"
    bad = {
        (result.framework, result.implementation, result.mode)
        for result in report.results_on([vector])
        if result.verdict != "conforms"
    }
    found = commands(printed(vector))
    assert found
    for words in found:
        assert words[:3] == ["nnconform", "reproduce", vector]
        assert words[4::2] == ["--implementation", "--mode"]
        assert (words[3], words[5], words[7]) in bad


def test_a_name_with_quotes_reaches_the_shell_as_it_is(printed):
    name = "keras.initializers.VarianceScaling(scale=2.0, distribution='untruncated_normal')"
    assert name in [words[5] for words in commands(printed("he_normal/dense-transposed/bfloat16"))]


def test_several_names_are_explained_one_after_the_other(printed):
    both = printed("BN-TRAIN-4", "global-norm")
    assert both == f"{printed('BN-TRAIN-4')}\n{printed('global-norm')}"


def test_without_a_run_the_page_has_the_spec_and_the_way_to_make_one(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = cli("explain", "BN-TRAIN-4")
    assert result.exit_code == 0
    assert "momentum * (old running_mean)" in result.stdout
    assert "`nnconform run`" in result.stdout


def test_the_last_run_is_used_if_no_report_is_named(cli, monkeypatch, tmp_path, report):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "nnconform").mkdir()
    write(report, tmp_path / "nnconform" / "last-report.json")
    assert f"Results of the last run ({report.created[:10]} " in cli("explain", "torch.nn.BatchNorm2d").stdout


def test_a_known_result_shows_its_reason(cli, tmp_path, report):
    results = [
        replace(result, known="reported upstream") if result.implementation == "tf.nn.elu" else result
        for result in report.results
    ]
    write(replace(report, results=tuple(results)), tmp_path / "report.json")
    for name in ("elu/near-zero/float32", "exp-minus-one", "tf.nn.elu"):
        assert "known: reported upstream" in cli("explain", name, "--report", tmp_path / "report.json").stdout


def test_a_file_that_is_not_a_report_is_refused(cli, tmp_path):
    (tmp_path / "no.json").write_text("{}")
    result = cli("explain", "elu", "--report", tmp_path / "no.json")
    assert result.exit_code == 2
    assert "not a report of format 1" in result.stderr


def test_a_last_report_that_is_broken_is_refused(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "nnconform").mkdir()
    (tmp_path / "nnconform" / "last-report.json").write_text("{")
    result = cli("explain", "elu")
    assert result.exit_code == 2
    assert "not JSON" in result.stderr


def test_the_page_notes_that_a_run_is_incomplete(cli, tmp_path, report):
    write(replace(report, complete=False), tmp_path / "report.json")
    assert "incomplete" in cli("explain", "elu", "--report", tmp_path / "report.json").stdout


def test_an_explanation_imports_no_framework_and_of_a_clause_no_numbers():
    code = (
        "import sys; from nnconform.conformance.commands.cli import cli\n"
        f"cli(['explain', 'BN-TRAIN-4', 'elu', '--report', {str(EXPLAINED)!r}][:3], standalone_mode=False)\n"
        "print(sorted({'torch', 'tensorflow', 'keras', 'jax', 'flax', 'optax', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
