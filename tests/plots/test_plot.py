"""``nnconform plot``: plots have the report's numbers, are the same for the same report, and are accessible."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnconform.conformance.judging.distribution import Distribution
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.plots import catalogue, densities
from nnconform.conformance.plots.ratios import spreads
from nnconform.conformance.plots.series import NothingToDraw
from nnconform.conformance.running.selection import Selection

OPERATIONS = ("he_normal", "he_uniform", "elu", "batch_norm_train", "clip_by_norm", "clip_by_global_norm")
SVG = "{http://www.w3.org/2000/svg}"
# One implementation keeps the law; the other has no bound.
LIAR = """
import math
import numpy as np
from nnconform.adapters import Adapter
from nnconform.adapters.numpy import fan, he_normal as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("he_normal", "liar.normal")
def he_normal(*, shape, kind, layout, groups, mode, dtype, seed):
    deviation = math.sqrt(2 / fan(shape, kind, layout, groups, mode))
    return {"sample": np.random.default_rng(seed).normal(0, deviation, shape).astype(dtype)}


@adapter.implements("he_normal", "liar.truncated")
def right(**attributes):
    return honest(**attributes)
"""


@pytest.fixture(scope="module")
def file(report_of, tmp_path_factory) -> Path:
    """The file of a report of the control and of an adapter whose law has no bounds."""
    folder = tmp_path_factory.mktemp("plots")
    adapter = folder / "liar.py"
    adapter.write_text(LIAR)
    words = [word for operation in OPERATIONS for word in ("--operation", operation)]
    _, report = report_of("numpy", "--adapter", adapter, *words)
    assert report["faults"] == []
    path = folder / "report.json"
    path.write_text(json.dumps(report))
    return path


@pytest.fixture(scope="module")
def report(file):
    return Report.from_json(json.loads(file.read_text()))


@pytest.fixture(scope="module")
def page(report):
    """All plots for one page."""
    return catalogue.inline_svgs(report)


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]


def vertical_lines(axes):
    """The positions of dashed vertical lines."""
    lines = [line for line in axes.get_lines() if line.get_linestyle() == "--" and len(set(line.get_xdata())) == 1]
    return sorted({float(line.get_xdata()[0]) for line in lines})


@pytest.mark.parametrize("name", catalogue.PLOTS)
def test_a_plot_has_a_title_and_a_description_and_is_well_formed(cli, file, tmp_path, name):
    result = cli("plot", name, "--report", file, "--output", tmp_path / "a.svg")
    assert result.exit_code == 0, result.output
    root = ET.parse(tmp_path / "a.svg").getroot()
    ids = root.get("aria-labelledby").split()
    [title], [description] = ([e for e in root if e.get("id") == name] for name in ids)
    assert (title.tag, description.tag, root.get("role")) == (f"{SVG}title", f"{SVG}desc", "img")
    assert title.text in result.stdout
    assert len(description.text) > 100


@pytest.mark.parametrize("name", catalogue.PLOTS)
def test_a_plot_as_png_is_an_image(cli, file, tmp_path, name):
    assert cli("plot", name, "--report", file, "--output", tmp_path / "a.PNG").exit_code == 0
    with Image.open(tmp_path / "a.PNG") as image:
        image.load()
        assert image.format == "PNG"
        assert min(image.size) > 400
        assert len(image.convert("RGB").getcolors(1 << 20)) > 20


def test_without_output_a_plot_is_written_to_the_current_folder(cli, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("plot", "clip", "--report", file).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["clip.svg"]


@pytest.mark.parametrize("suffix", catalogue.FORMATS)
def test_the_same_report_gives_the_same_bytes(file, tmp_path, suffix):
    plots = []
    for number, seed in enumerate(("1", "2")):
        path = tmp_path / f"{number}{suffix}"
        words = [
            sys.executable,
            "-m",
            "nnconform.conformance.commands.cli",
            "plot",
            "elu",
            "--report",
            file,
            "--output",
            path,
        ]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed}
        subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
        plots.append(path.read_bytes())
    assert plots[0] == plots[1]


def test_the_users_settings_of_matplotlib_do_not_change_a_plot(report):
    import matplotlib as mpl

    path = Path("a.svg")
    usual = catalogue.encode(catalogue.draw("bounds", report), path)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert catalogue.encode(catalogue.draw("bounds", report), path) == usual


def test_the_plots_of_a_page_share_no_id_and_no_style_rule(page):
    assert len(page) == len(catalogue.PLOTS)
    texts = list(page.values())
    ids = [e.get("id") for text in texts for e in ET.fromstring(text).iter() if e.get("id")]
    assert len(ids) == len(set(ids)) > len(texts)
    references = {name for text in texts for name in re.findall(r'(?:url\(|href="|labelledby=")#?([\w-]+)', text)}
    assert references <= set(ids)
    assert not any("<style" in text or "<?xml" in text for text in texts)


def test_a_plot_in_a_page_has_the_colour_of_its_text_and_no_ground(page):
    text = page["Error / bound of every output"]
    assert "fill: currentColor" in text
    assert not set(re.findall(r"#(?:[0-9a-f]{6}|fff)\b", text)) & {"#ffffff", "#000000", "#1a1a1b", "#fff"}
    assert "fill: none" in text[: text.index("<text")]


def test_the_marked_bounds_are_those_of_the_vector(report, published):
    vector = "he_uniform/dense/float32"
    expected = published[vector].expected["sample"]
    figure = catalogue.draw("init", report, Selection(vectors=(vector,))).figure
    [title] = titles(figure)
    assert title == f"numpy uniform\nconforms: {vector}"
    edge = expected.bound / expected.stddev
    assert vertical_lines(figure.axes[0]) == pytest.approx([-edge, edge])
    assert edge == pytest.approx(math.sqrt(3))


def test_a_histogram_has_the_scale_of_the_density(report):
    figure = catalogue.draw(
        "init", report, Selection(vectors=("he_normal/dense/float32",), implementations=("liar.normal",))
    )
    [bars] = figure.figure.axes[0].patches
    heights, edges, _ = bars.get_data()
    assert float(np.sum(heights * np.diff(edges))) == pytest.approx(1)
    [law] = [line for line in figure.figure.axes[0].get_lines() if len(line.get_xdata()) > 10]
    assert float(np.trapezoid(law.get_ydata(), law.get_xdata())) == pytest.approx(1, abs=1e-3)


def test_quantiles_are_drawn_over_those_of_the_law(report):
    chosen = Selection(vectors=("he_normal/dense/float32",), implementations=("liar.truncated",))
    [_, axes] = catalogue.draw("init", report, chosen).figure.axes
    [points] = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert np.max(np.abs(np.subtract(points.get_xdata(), points.get_ydata()))) < 0.05
    assert len(points.get_xdata()) == 33


def test_without_a_selection_samples_that_do_not_conform_come_last_with_their_dialect(report):
    shown = titles(catalogue.draw("init", report).figure)
    assert shown[:3] == [
        "numpy truncated normal\nconforms: he_normal/dense/float32",
        "liar.normal\ndialect untruncated-normal: he_normal/dense/float32",
        "liar.truncated\nconforms: he_normal/dense/float32",
    ]
    alike = sum(
        result.implementation == "liar.normal" and ("sample", "untruncated-normal") in result.dialects()
        for result in report.results
    )
    assert "\n".join(shown[4:]) == (
        f"liar.normal\ndialect untruncated-normal: he_normal/dense/float32 and {alike - 1} more"
    )


def test_a_curve_of_elu_has_the_points_of_the_report(report):
    figure = catalogue.draw("elu", report, Selection(dtypes=("float16",))).figure
    [curve] = [c for c in report.curves if (c.operation, c.dtype, c.part) == ("elu", "float16", "negative")]
    lines = [list(map(float, line.get_ydata())) for line in figure.axes[0].get_lines()]
    assert [y for _, y in curve.points] in lines


def test_a_result_that_is_not_finite_is_a_star_at_the_top(report):
    curves = [replace(c, points=(*c.points[:-1], (c.points[-1][0], math.inf))) for c in report.curves]
    figure = catalogue.draw("variance", replace(report, curves=tuple(curves)), Selection(dtypes=("float64",))).figure
    stars = [line for axes in figure.axes for line in axes.get_lines() if line.get_marker() == "*"]
    assert stars
    assert all(set(line.get_ydata()) == {0.97} for line in stars)


def test_ratios_are_split_by_conforming_and_other_results():
    def result(name, verdict="conforms", ratio=0.5, profile="core", judged=True):
        output = Output(verdict, ratio=ratio)
        return Result("f", "1", "i", "eager", "elu", "elu/a/float32", profile, verdict, judged, outputs={name: output})

    ratios = spreads(
        [
            result("y"),
            result("y", "diverges", math.inf),
            result("w[0]"),
            result("w[1]"),
            result("y", judged=False),
            result("y", profile="defaults"),
        ]
    )
    assert ratios == {("elu", "y"): {"f": ([0.5], [math.inf])}, ("elu", "w"): {"f": ([0.5, 0.5], [])}}


@pytest.mark.parametrize("law", ["normal", "truncated_normal", "uniform"])
def test_the_outline_of_a_law_is_the_derivative_of_its_distribution(law):
    z, density = map(np.array, densities.outline(law))
    inside = np.linspace(-1.7, 1.7, 11)
    probability = Distribution.of(law).probability
    slope = [(probability(v + 1e-5) - probability(v - 1e-5)) / 2e-5 for v in inside.tolist()]
    np.testing.assert_allclose(np.interp(inside, z, density), slope, rtol=2e-3)


def test_without_a_run_there_is_no_plot(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = cli("plot", "elu", "--output", tmp_path / "a.svg")
    assert result.exit_code == 2
    assert "no last run" in result.stderr
    assert "start one with `nnconform run`" in result.stderr


def test_without_a_report_the_last_run_is_drawn(cli, file, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "nnconform").mkdir()
    (tmp_path / "nnconform/last-report.json").write_bytes(file.read_bytes())
    assert cli("plot", "clip", "--output", tmp_path / "a.svg").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pie"], "'pie' is not one of 'init', 'elu', 'variance', 'clip', 'bounds'"),
        (["elu", "--output", "a.pdf"], "a.pdf: the suffix of a plot is .svg or .png, not .pdf"),
        (["elu", "--output", "a"], "a: the suffix of a plot is .svg or .png, not missing"),
        (["elu", "--output", "no/a.svg"], "the folder"),
        (["elu", "torch"], "the report has no curve of elu for torch"),
        (["elu", "--vector", "elu/*"], "a curve covers all vectors of the run, so --vector cannot select one"),
        (
            ["init", "--vector", "he_normal/none/*"],
            "no random sample (operations he_normal and he_uniform) for --vector",
        ),
        (["bounds", "--operation", "relu"], "the report has no judged output for --operation relu"),
        (["init", "--mode", "*"], "a plot has room for 80 samples, not"),
    ],
)
def test_a_plot_that_cannot_be_drawn_is_wrong_usage_with_the_reason(cli, file, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    result = cli("plot", *words, "--report", file)
    assert message in result.stderr
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["init", "elu"])
def test_a_report_of_an_older_version_is_refused_with_the_reason(report, name):
    results = [
        replace(r, outputs={name: replace(o, histogram=None) for name, o in r.outputs.items()}) for r in report.results
    ]
    old = replace(report, curves=None, results=tuple(results))
    with pytest.raises(NothingToDraw, match="the report is from an older nnconform"):
        catalogue.draw(name, old)


def test_without_matplotlib_the_message_has_the_command_that_installs_it(cli, file, monkeypatch, tmp_path):
    find_spec = importlib.util.find_spec
    missing = {"matplotlib"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name in missing else find_spec(name, *a))
    result = cli("plot", "elu", "--report", file, "--output", tmp_path / "a.svg")
    assert 'matplotlib not installed; install with: pip install -c constraints.txt ".[plot]"' in result.stderr
    assert result.exit_code == 2


def test_help_does_not_load_matplotlib():
    code = (
        "import sys; from nnconform.conformance.commands.cli import cli\n"
        "cli(['plot', '--help'], standalone_mode=False); import nnconform.conformance.plots.catalogue\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
