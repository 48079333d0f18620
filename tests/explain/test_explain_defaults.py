"""The table of defaults has the number that results show: the spec's, a dialect's, or an unknown one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import recorded
import yaml

from nnconform.conformance.explain import default_laws, defaults, defaults_page, pages
from nnconform.conformance.explain.default_laws import LAW, OTHER
from nnconform.conformance.explain.defaults import SECTIONS
from nnconform.conformance.model.report import Implementation, Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.report.last_run import LastRun
from nnconform.reference.defaults import SPECIFIED

LIARS = Path(__file__).parents[1] / "liars"
VECTORS = Path(__file__).parents[2] / "spec" / "vectors"
TRAIN = "batch_norm_train/defaults-rank-2/float32"


def report(*results, configurable=()):
    """Return a report of results, and of implementations of operations whose arguments can be set."""
    recorded_report = Report.from_json(recorded.read(recorded.EXPLAINED))
    served = tuple(Implementation(operation, name, ("eager",), False) for operation, name in configurable)
    entry = replace(recorded_report.frameworks[0], implementations=served)
    return replace(recorded_report, results=results, frameworks=(entry,))


def result(vector=TRAIN, implementation="mine.layer", verdict="dialect", profile="defaults", **outputs):
    """Return a result; an output is a dialect, "conforms" or "diverges"."""
    plain = ("conforms", "diverges")
    return Result(
        framework="mine",
        version="1",
        implementation=implementation,
        mode="eager",
        operation=vector.partition("/")[0],
        vector=vector,
        profile=profile,
        verdict=verdict,
        outputs={
            name: Output(word) if word in plain else Output("dialect", dialect=word) for name, word in outputs.items()
        },
    )


def values_of(report, operation, name):
    """Return the values of a hyperparameter in the table, by implementation."""
    (row,) = [row for row in defaults.table(report) if (row.operation, row.name) == (operation, name)]
    return row.values


@pytest.mark.parametrize(
    ("outputs", "epsilon", "momentum"),
    [
        ({"y": "conforms", "running_mean": "conforms"}, "0.001", "0.99"),
        ({"y": "default-epsilon-1e-5", "running_mean": "default-momentum-0.9"}, "1e-5", "0.9"),
        ({"y": "default-epsilon-1e-5+single-pass-variance", "running_mean": "default-momentum-0"}, "1e-5", "0"),
        ({"y": "single-pass-variance", "running_variance": "unbiased-running-variance"}, "0.001", "0.99"),
        ({"y": "conforms", "running_variance": "default-momentum-0+unbiased-running-variance"}, "0.001", "0"),
        ({"y": "diverges", "running_mean": "conforms"}, OTHER, "0.99"),
        ({"y": "conforms", "dgamma": "default-epsilon-1e-5", "running_mean": "conforms"}, "0.001/1e-5", "0.99"),
    ],
)
def test_a_number_is_the_one_that_the_outputs_show(outputs, epsilon, momentum):
    document = report(result(**outputs))
    assert values_of(document, "batch_norm_train", "epsilon") == {"mine.layer": epsilon}
    assert values_of(document, "batch_norm_train", "momentum") == {"mine.layer": momentum}


def test_outputs_that_do_not_depend_on_a_number_do_not_show_it():
    assert values_of(report(result(dbeta="conforms", batch_mean="conforms")), "batch_norm_train", "epsilon") == {}
    # Without running statistics there is no momentum.
    assert values_of(report(result(y="conforms", dx="conforms")), "batch_norm_train", "momentum") == {}


def test_an_error_is_no_number():
    assert values_of(report(result(verdict="error")), "batch_norm_train", "epsilon") == {"mine.layer": "error"}


def test_other_profiles_do_not_show_defaults():
    assert values_of(report(result(y="conforms", profile="core")), "batch_norm_train", "epsilon") == {}


def test_the_learning_rate_is_not_confused_with_its_rounding():
    vector = "sgd_step/defaults/float64"
    rounded = report(result(vector, **{"weights[0]": "float32-learning-rate"}))
    other = report(result(vector, **{"weights[0]": "default-learning-rate-0.001+float32-learning-rate"}))
    assert values_of(rounded, "sgd_step", "learning_rate") == {"mine.layer": "0.01"}
    assert values_of(other, "sgd_step", "learning_rate") == {"mine.layer": "0.001"}


def law(operation, dialect, configurable, kernel="dense"):
    vector = f"{operation}/defaults-{kernel}/float32"
    document = report(
        result(vector, "mine", sample=dialect), configurable=[(operation, "mine")] if configurable else []
    )
    section = operation if configurable else SECTIONS[KINDS.get(kernel, kernel)]
    return tuple(values_of(document, section, part).get("mine", "") for part in LAW.values())


KINDS = {"depthwise-wide-last": "depthwise_conv", "transposed": "transposed_conv"}


def test_an_initializer_has_the_law_that_its_sample_shows():
    assert law("he_normal", "conforms", configurable=True) == ("truncated_normal", "2", "fan_in", "1")
    assert law("he_uniform", "conforms", configurable=True) == ("uniform", "2", "fan_in", "1")
    assert law("he_normal", "untruncated-normal", configurable=True) == ("normal", "2", "fan_in", "1")
    assert law("he_normal", "diverges", configurable=True) == (OTHER, OTHER, OTHER, OTHER)


def test_an_implementation_without_a_settable_mode_is_a_layer():
    assert law("he_uniform", "default-uniform-inverse-sqrt-fan", configurable=False) == (
        "uniform",
        "1/3",
        "fan_in",
        "0.408",
    )
    assert law("he_uniform", "default-glorot-uniform", configurable=False) == ("uniform", "1", "fan_avg", "0.707")
    assert law("he_normal", "default-lecun-normal", configurable=False) == ("truncated_normal", "1", "fan_in", "0.707")


def test_a_fan_of_the_shape_alone_is_marked():
    read = "shape-only-fan+default-uniform-inverse-sqrt-fan"
    assert law("he_uniform", read, configurable=False, kernel="transposed") == ("uniform", "1/3", "fan_in*", "0.408")
    # If the fans of the layer are equal, those of the shape are not, so that there is no single factor.
    glorot = "shape-only-fan+default-glorot-uniform"
    assert law("he_uniform", glorot, configurable=False, kernel="depthwise-wide-last") == (
        "uniform",
        "1",
        "fan_avg*",
        "",
    )


@pytest.mark.parametrize(
    ("dialect", "wanted"),
    [
        ("default-standard-normal", ("normal", "1", "none", "")),
        ("default-uniform-0.05", ("uniform", "0.0008333", "none", "")),
        ("default-normal-by-features", ("normal", "1", "fan_out", "0.707")),
    ],
)
def test_embeddings_have_a_separate_section(dialect, wanted):
    for operation in ("he_normal", "he_uniform"):
        assert law(operation, dialect, configurable=False, kernel="embedding") == wanted


def test_an_initializer_with_the_fan_of_the_shape_has_one_mode_for_all_kernels():
    rows = [
        result("he_uniform/defaults-dense/float32", "mine", sample="conforms"),
        result("he_uniform/defaults-transposed/float32", "mine", sample="shape-only-fan"),
    ]
    assert values_of(report(*rows, configurable=[("he_uniform", "mine")]), "he_uniform", "mode") == {"mine": "fan_in*"}


def fan_of(attributes, mode):
    """Return the fan of a mode, with or without its mark, from the axes of the vectors' layouts."""
    shape, layout, kind = attributes["shape"], attributes["layout"], attributes["kind"]
    first = layout in ("out_in_spatial", "in_out_spatial")
    a, b = shape[:2] if first else shape[-2:]
    k = math.prod(shape[2:] if first else shape[:-2])
    if mode.endswith("*"):
        into, out = (b, a) if first else (a, b)
    else:
        into, out = (b, a) if layout in ("out_in_spatial", "spatial_out_in") else (a, b)
        into = 1 if kind == "depthwise_conv" else into
    return {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2}[mode.rstrip("*")] * k


def test_a_law_has_the_variance_that_its_parts_say():
    """Scale over fan is the vector's variance, for every dialect and every vector of the defaults."""
    for operation in ("he_normal", "he_uniform"):
        named = default_laws.named_laws(operation)
        for vector in yaml.safe_load((VECTORS / operation / "defaults.yaml").read_text())["vectors"]:
            for dialect, outputs in {"": vector["expected"], **vector["dialects"]}.items():
                numerator, _, denominator = named[dialect].scale.partition("/")
                mode = named[dialect].mode
                fan = 1 if mode == "none" else fan_of(vector["attributes"], mode)
                # 1/3 is a fraction, and other numbers have four digits.
                variance = float(numerator) / float(denominator or 1) / fan
                assert math.isclose(variance, outputs["sample"]["stddev"] ** 2, rel_tol=1e-3), (dialect, vector["id"])


def test_the_control_has_the_specs_defaults(report_of):
    _, document = report_of("numpy", "--profile", "defaults")
    for row in defaults.table(Report.from_json(document)):
        if row.operation not in SECTIONS.values():
            assert set(row.values.values()) == {row.spec}, row


def test_a_liars_default_is_detected(report_of):
    document = Report.from_json(report_of("--adapter", LIARS / "other_defaults.py", "--profile", "defaults")[1])
    assert values_of(document, "elu", "alpha") == {"liar.elu": OTHER}
    assert values_of(document, "batch_norm_train", "epsilon") == {"liar.batch_norm": "1e-5"}
    assert values_of(document, "batch_norm_train", "momentum") == {"liar.batch_norm": "0.99"}
    page = pages.page("defaults", LastRun(document)).text()
    assert "other: neither the spec's" in page
    assert "default-epsilon-1e-5\n" in page


def test_the_table_has_every_hyperparameter_that_the_spec_gives_a_number():
    names = {(row.operation, row.name) for row in defaults.table(report())}
    numbers = {(o, n) for o, values in SPECIFIED.items() for n, v in values.items() if isinstance(v, float)}
    assert numbers <= names
    assert {(o, part) for o in ("he_normal", "he_uniform", *SECTIONS.values()) for part in LAW.values()} <= names


# The page


def test_different_implementations_of_a_family_have_notes(explained):
    page = pages.page("defaults", LastRun(Report.from_json(explained))).text()
    assert "[1] keras.initializers.HeNormal" in page
    assert "[2] keras.initializers.VarianceScaling(scale=2.0," in page


def test_the_table_has_a_column_for_each_family(explained):
    names = {i["name"] for entry in explained["frameworks"] for i in entry["implementations"]}
    families = {"torch", "tf", "keras", "jax", "flax linen", "flax nnx", "optax"}
    assert {defaults_page.family(name) for name in names} == families
    lines = [line.split() for line in pages.page("defaults", LastRun(Report.from_json(explained))).text().splitlines()]
    assert ["epsilon", "0.001", "1e-5", "0.001", "0.001", "1e-5", "1e-5", "1e-5", "-"] in lines


def test_many_families_take_several_tables(explained):
    report = Report.from_json(explained)
    served = tuple(Implementation("elu", f"f{i}.elu", (), True) for i in range(9))
    frameworks = (*report.frameworks, replace(report.frameworks[0], implementations=served))
    page = pages.page("defaults", LastRun(replace(report, frameworks=frameworks))).text()
    assert page.count("batch_norm_train\n") == 3
    assert all(len(line) <= 80 for line in page.splitlines())


def test_without_a_run_the_page_says_how_to_make_one():
    assert "`nnconform run`" in pages.page("defaults", None).text()
