"""Text for people: it fits, names stay whole, foreign text is harmless, and a pipe gets the words of a terminal."""

from __future__ import annotations

import copy
import io
import os
import re
import subprocess
import sys

import pytest
import recorded
from support import terminals

from nnconform.conformance.console import columns_of, printable
from nnconform.conformance.layout import Command, Line, Table, plain_text, wrap
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output, Worst
from nnconform.conformance.report.findings import format_worst
from nnconform.conformance.terminal import run_report
from nnconform.conformance.words import GLUE, clean

RELU = ("run", "numpy", "--operation", "relu")


@pytest.fixture(scope="module")
def full():
    """The report of a whole run of three frameworks."""
    return recorded.read(recorded.FULL)


@pytest.fixture
def ugly(differs):
    """A report with every kind of trouble, in foreign texts that contain control characters."""
    report = copy.deepcopy(differs)
    escape = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r"
    foreign = f"{escape}bad {'word ' * 60}{'x' * 300} 日本語{'漢字' * 80}"
    rows = [row for row in report["results"] if row["implementation"] == "liar.honest"]
    for row, verdict in zip(rows, ("crash", "timeout", "error"), strict=False):
        row |= {"verdict": verdict, "outputs": {}, "reason": f"{verdict} {foreign}", "printed": f"{foreign}\n  end"}
    rows[3] |= {"verdict": "unsupported", "outputs": {}, "reason": foreign}
    rows[4]["outputs"]["gradients[0]"] = {"verdict": "diverges", "problem": foreign, "digest": "0", "ratio": "inf"}
    rows[4]["verdict"] = "diverges"
    rows[5] |= {"verdict": "error", "outputs": {}, "reason": "lines\n" * 40, "known": foreign}
    report["frameworks"].append(
        report["frameworks"][0] | {"name": f"other{escape}", "status": "failed", "reason": foreign, "stderr": foreign}
    )
    fault = {"framework": "liar", "implementation": "liar.elu", "vector": "elu/core/float32", "message": foreign}
    return report | {
        "faults": [fault, fault],
        "problems": [f"file.yaml: {foreign}"],
        "known_problems": [f"known.yaml:3: {foreign}"],
        "complete": False,
    }


def text(report, width=80, **options):
    return plain_text(run_report.blocks(Report.from_json(report), run_report.Detail(**options), width), width)


def words(printed):
    """Return printed text on one line, without line breaks and the backslashes of commands."""
    return " ".join(printed.replace("\\\n", "\n").split())


def too_wide(printed, width=80):
    """Return the lines of several words that are wider than ``width`` columns."""
    from rich.cells import cell_len

    return [line for line in printed.splitlines() if cell_len(line) > width and len(line.split()) > 1]


# Lines


def test_names_are_never_broken():
    name = "batch_norm_train/" + "x" * 90
    lines = wrap(f"worst: {name} and more", 40, hang="  ")
    assert lines == ["worst:", f"  {name}", "  and more"]


def test_words_that_belong_together_stay_in_one_line():
    assert wrap(f"1234567 each{GLUE}variable", 14) == ["1234567", "each variable"]


def test_long_words_can_be_folded():
    lines = wrap("x" * 25, 10, indent="  ", hang="   ", fold=True)
    assert lines == ["  xxxxxxxx", "   xxxxxxx", "   xxxxxxx", "   xxx"]


def test_characters_of_two_columns_count_twice():
    assert wrap("漢字漢字 漢字", 10) == ["漢字漢字", "漢字"]
    assert wrap("漢字漢字", 5, fold=True) == ["漢字", "漢字"]


def test_a_line_without_text_is_empty():
    assert plain_text([Line(), Line("a")]) == "\na\n"


def test_prose_has_at_most_100_columns():
    assert max(map(len, plain_text([Line("word " * 100)], 300).splitlines())) <= 100


def test_control_characters_are_removed():
    assert clean("a\x1b[31mb\x07\x9b\u202ec\td\ne") == "a[31mbc d e"
    assert clean("漢字 é") == "漢字 é"


def test_a_long_command_can_be_pasted():
    vector = "elu/" + "x" * 60
    printed = plain_text([Command(["nnconform", "run", "--vector", vector, "--mode", "it's"], indent=4)])
    joined = subprocess.run(["sh", "-c", f"printf '%s\\n' {printed}"], capture_output=True, text=True, check=True)
    assert joined.stdout.splitlines() == ["nnconform", "run", "--vector", vector, "--mode", "it's"]
    assert too_wide(printed) == []


def test_a_table_wraps_the_cells_of_its_elastic_column():
    table = Table(["a", "b", "c"], [["1", "many words here", "2"]], left_aligned=(1,), elastic=(1,))
    assert plain_text([table], 80) == "a  b                c\n1  many words here  2\n"
    assert plain_text([table], 18) == "a  b             c\n1  many words    2\n   here\n"


def test_a_cell_too_long_for_the_first_column_has_its_own_line():
    table = Table(["", "n"], [["a-very-long-name-of-something", "1"], ["b", "2"]])
    assert plain_text([table], 20) == f"{'':19}n\na-very-long-name-of-something\n{'':19}1\nb{'':18}2\n"


def test_a_stream_without_a_terminal_has_80_columns(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert columns_of(io.StringIO()) == 80


@pytest.mark.parametrize(("value", "columns"), [("120", 120), ("", 80), ("wide", 80), ("0", 80), ("3", 20), ("²", 80)])
def test_columns_of_a_pipe_can_be_set(monkeypatch, value, columns):
    monkeypatch.setenv("COLUMNS", value)
    assert columns_of(io.StringIO()) == columns


def test_characters_that_an_encoding_lacks_are_escaped(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert printable("é漢") == "\\xe9\\u6f22"


# A report


@pytest.mark.parametrize("options", [{}, {"verbose": True}, {"quiet": True}, {"strict": True}, {"headroom": True}])
def test_a_full_report_fits_80_columns(full, options):
    assert too_wide(text(full, **options)) == []


@pytest.mark.parametrize("options", [{}, {"verbose": True}, {"quiet": True}, {"strict": True}])
@pytest.mark.parametrize("width", [60, 80])
def test_foreign_text_fits_and_has_no_control_characters(ugly, options, width):
    printed = text(ugly, width, **options)
    # A table of numbers is not wrapped.
    assert too_wide(printed, max(width, 75)) == []
    assert [c for c in printed if not c.isprintable() and c != "\n"] == []


def test_a_full_report_needs_few_pages_and_verbose_has_every_group(full):
    assert len(text(full).splitlines()) < 200
    printed = words(text(full, verbose=True))
    for row in full["results"]:
        if row["verdict"] == "dialect":
            assert words(row["implementation"]) in printed


def test_a_wide_terminal_has_more_columns(full):
    heads = ["vectors", "conform", "by", "dialect", "diverge", "error", "crash", "timeout", "unsupported", "modes"]
    assert heads in [line.split() for line in text(full, 160).splitlines()]
    assert [*heads[1:5], "failed", "unsupported"] in [line.split() for line in text(full).splitlines()]
    assert heads[:9] in [line.split() for line in text(full, 100).splitlines()]
    row = next(line.split() for line in text(full, 160).splitlines() if line.startswith("  relu "))
    assert row[-1] == "eager"


def test_the_table_has_the_counts_of_the_report(full):
    jax = [row for row in full["results"] if row["framework"] == "jax" and row["profile"] != "defaults"]
    elu = [row for row in jax if row["operation"] == "elu"]
    lines = [line.split() for line in text(full, 160).splitlines()]
    start = next(
        i for i, cells in enumerate(lines) if cells[:1] == ["jax"] and cells[1:2] != ["jax"] and len(cells) > 5
    )
    line = next(cells for cells in lines[start:] if cells[:1] == ["elu"])
    conform, dialect = (sum(row["verdict"] == verdict for row in elu) for verdict in ("conforms", "dialect"))
    assert line[1:4] == [f"{len({row['vector'] for row in elu}):,}", f"{conform:,}", f"{dialect:,}"]


def test_defaults_are_separate_from_operations(full):
    lines = text(full).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("defaults (info only)"))
    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == ["torch", "tensorflow", "jax"]
    assert not any(line.startswith("  defaults") for line in lines)


def test_a_finding_has_its_worst_element_and_the_next_command(differs):
    printed = text(differs)
    assert (
        "  liar elu (y), 51 vectors\n"
        "    liar.elu (eager/jit)\n"
        "    worst: elu/subnormal/bfloat16\n"
        "      y[0]: expected 1.837e-40, got 1.000 (bound 0, 1.089e+40 ulp)\n"
        "    nnconform explain elu/subnormal/bfloat16\n"
    ) in printed
    assert "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)\n" in printed
    assert "    nnconform explain clip_by_value/one-variable-narrow/float64\n" in printed
    assert "\n3 findings need action (exit status 1)\n" in printed


def test_actual_and_expected_values_never_look_the_same():
    worst = Worst((), got=0.000843003849, expected=0.000843003848, bound=1e-13)
    line = format_worst("y", Output("diverges", ratio=10.0, ulp=5.0, worst=worst))
    assert line == "y: expected 0.000843003848, got 0.000843003849 (10 x bound of 1e-13, 5 ulp)"


def test_a_dialect_or_unsupported_call_takes_a_line(full):
    printed = text(full)
    lines = [line.split() for line in printed.splitlines()]
    rows = [row for row in full["results"] if row["profile"] != "defaults" and row["verdict"] == "dialect"]
    names = {o["dialect"] for row in rows for o in row["outputs"].values() if "dialect" in o}
    names |= {row["dialect"] for row in rows if "dialect" in row}
    assert all(sum(name in line for line in lines) == 1 for name in names)
    reason = "torch.nn.init has fan_in and fan_out, and no fan_avg"
    assert f"  torch: {reason} ({sum(row.get('reason') == reason for row in full['results'])})\n" in printed


def test_with_strict_a_dialect_needs_action(full):
    printed = text(full, strict=True, quiet=True)
    assert "Differs by a dialect (needs action with --strict)" in printed
    assert "\n    nnconform explain elu/" in printed
    assert "No action needed" not in printed


def test_all_trouble_is_named(ugly):
    printed = text(ugly, quiet=True)
    for part in (
        *("Crashed: 1 finding", "Timed out: 1 finding", "This run is incomplete", "other"),
        *(
            "Wrong vector files, which were left out",
            "`nnconform known known.yaml --update`",
            "(and 1 more)",
        ),
        *("nnconform run --adapter", "--vector elu/core/float32", "printed:", "|   end"),
    ):
        assert part in words(printed) or part in printed
    assert "known entry" not in printed
    assert (
        "7 findings, 2 adapter faults, 1 framework that did not finish, 1 wrong vector file and 1 wrong known "
        "divergence need action (exit status 3)"
    ) in words(printed)


def test_a_known_divergence_takes_a_line_and_needs_no_action(differs):
    report = copy.deepcopy(differs)
    for row in report["results"]:
        if row["implementation"] in ("liar.elu", "liar.relu", "liar.raises"):
            row["known"] = "reported upstream"
    printed = text(report)
    assert "  liar: elu diverges: reported upstream (73)\n" in printed
    assert "No action needed." in printed
    assert "liar.elu (eager/jit)" not in printed
    assert "liar.elu (eager/jit)" in text(report, verbose=True)


def test_dialects_have_lines_if_names_of_frameworks_are_long(full):
    report = copy.deepcopy(full)
    longer = {"torch": "torch-" + "x" * 40, "tensorflow": "tensorflow-" + "y" * 40}
    for row in (*report["results"], *report["frameworks"]):
        key = "framework" if "framework" in row else "name"
        row[key] = longer.get(row[key], row[key])
    printed = text(report)
    assert too_wide(printed) == []
    assert re.search(rf"^  unbiased-running-variance: {longer['torch']}\s+\d+,", printed, re.MULTILINE)


def test_quiet_prints_only_the_conclusion_without_findings(good):
    lines = text(good, quiet=True).splitlines()
    assert len(lines) == 1
    assert re.fullmatch(r"No action needed\. 84 vectors, 84 results: 84 conform; \d+\.\d s", lines[0])


def test_quiet_prints_findings_that_need_action(differs):
    printed = text(differs, quiet=True)
    assert printed.startswith("Raised an error instead of returning a value, or the reverse: 1 finding\n")
    assert "nnconform explain elu/subnormal/bfloat16" in printed
    assert not any(
        part in printed for part in ("gradient-one-at-zero", "unsupported", "liar:", "bfloat16 number", "More:")
    )


@pytest.mark.parametrize("command", [RELU, ("diff", "old", "new"), ("upgrade", "torch", "jax")])
def test_quiet_and_verbose_exclude_each_other(cli, command):
    result = cli(*command, "--quiet", "--verbose")
    assert "exclude each other" in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


# Terminals


def on_terminal(*command, columns=80, **variables):
    """Run a command whose standard output is a terminal; return its standard output and standard error."""
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")}
    words = [sys.executable, "-m", "nnconform.conformance.commands.cli", *command]
    return terminals.run(words, environment | {"TERM": "xterm"} | variables, columns=columns)[:2]


def in_pipe(*command, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    words = [sys.executable, "-m", "nnconform.conformance.commands.cli", *command]
    return subprocess.run(words, env=environment | variables, capture_output=True, text=True, check=False).stdout


def timeless(printed):
    """Return printed text without colours and durations."""
    return re.sub(r"\d+(\.\d)? s\b", "T", re.sub(r"\x1b\[[\d;]*m", "", printed))


def test_a_pipe_gets_the_lines_of_a_terminal_without_colours():
    terminal, pipe = on_terminal(*RELU)[0], in_pipe(*RELU)
    assert "\x1b[" in terminal
    assert "\x1b" not in pipe
    assert pipe.isascii()
    assert timeless(terminal) == timeless(pipe)


@pytest.mark.parametrize("command", [RELU, ("explain", "ELU-1")])
def test_no_color_means_a_plain_terminal(command):
    assert "\x1b" in on_terminal(*command)[0]
    plain_one = on_terminal(*command, NO_COLOR="1")[0]
    assert "\x1b" not in plain_one
    assert "\x1b" in on_terminal(*command, NO_COLOR="")[0]


def test_colour_can_be_forced_into_a_pipe_and_no_color_wins():
    assert "\x1b[" in in_pipe(*RELU, FORCE_COLOR="1")
    assert "\x1b" not in in_pipe(*RELU, FORCE_COLOR="1", NO_COLOR="1")


def test_a_wide_terminal_is_used():
    assert " modes\n" in timeless(on_terminal(*RELU, columns=160)[0])
    assert " modes\n" not in timeless(on_terminal(*RELU, columns=80)[0])


def test_a_list_is_wrapped_on_a_terminal_and_not_in_a_pipe():
    terminal, pipe = on_terminal("list", "dialects")[0], in_pipe("list", "dialects")
    assert max(map(len, timeless(terminal).splitlines())) <= 80
    assert words(terminal) == words(pipe)
    assert all(re.match(r"\S+ \(\w+\): ", line) for line in pipe.splitlines())
