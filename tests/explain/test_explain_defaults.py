"""The table of defaults holds what results show: the spec's number, a dialect's, or that it is another one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

from nnconform.conformance.explain import default_laws, defaults, defaults_page, pages
from nnconform.conformance.explain.default_laws import LAW, OTHER
from nnconform.conformance.explain.defaults import SECTIONS
from nnconform.conformance.report import last_run
from nnconform.reference.defaults import SPECIFIED

LIARS = Path(__file__).parents[1] / "liars"
VECTORS = Path(__file__).parents[2] / "spec" / "vectors"
TRAIN = "batch_norm_train/defaults-rank-2/float32"


def report(*rows, told=()):
    implementations = [{"operation": o, "name": n, "modes": ["eager"], "defaults": False} for o, n in told]
    return {"results": rows, "frameworks": [{"implementations": implementations}]}


def row(vector=TRAIN, implementation="mine.layer", verdict="dialect", **outputs):
    """A result; an output is a dialect, "conforms" or "diverges"."""
    plain = ("conforms", "diverges")
    return {
        "profile": "defaults",
        "operation": vector.partition("/")[0],
        "vector": vector,
        "implementation": implementation,
        "verdict": verdict,
        "outputs": {
            name: {"verdict": said} if said in plain else {"verdict": "dialect", "dialect": said}
            for name, said in outputs.items()
        },
    }


def found(document, operation, name):
    """What the table says of a hyperparameter, by implementation."""
    (line,) = [line for line in defaults.table(document) if (line.operation, line.name) == (operation, name)]
    return line.found


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
    document = report(row(**outputs))
    assert found(document, "batch_norm_train", "epsilon") == {"mine.layer": epsilon}
    assert found(document, "batch_norm_train", "momentum") == {"mine.layer": momentum}


def test_outputs_that_a_number_does_not_move_say_nothing_of_it():
    assert found(report(row(dbeta="conforms", batch_mean="conforms")), "batch_norm_train", "epsilon") == {}
    # Without running statistics there is no momentum.
    assert found(report(row(y="conforms", dx="conforms")), "batch_norm_train", "momentum") == {}


def test_an_error_is_no_number():
    assert found(report(row(verdict="error")), "batch_norm_train", "epsilon") == {"mine.layer": "error"}


def test_what_is_not_of_the_defaults_says_nothing():
    assert found(report(row(y="conforms") | {"profile": "core"}), "batch_norm_train", "epsilon") == {}


def test_the_learning_rate_is_told_apart_from_its_rounding():
    vector = "sgd_step/defaults/float64"
    rounded = report(row(vector, **{"weights[0]": "float32-learning-rate"}))
    other = report(row(vector, **{"weights[0]": "default-learning-rate-0.001+float32-learning-rate"}))
    assert found(rounded, "sgd_step", "learning_rate") == {"mine.layer": "0.01"}
    assert found(other, "sgd_step", "learning_rate") == {"mine.layer": "0.001"}


def law(operation, dialect, told, kernel="dense"):
    vector = f"{operation}/defaults-{kernel}/float32"
    document = report(row(vector, "mine", sample=dialect), told=[(operation, "mine")] if told else [])
    section = operation if told else SECTIONS[KINDS.get(kernel, kernel)]
    return tuple(found(document, section, part).get("mine", "") for part in LAW)


KINDS = {"depthwise-wide-last": "depthwise_conv", "transposed": "transposed_conv"}


def test_an_initializer_has_the_law_that_its_sample_shows():
    assert law("he_normal", "conforms", told=True) == ("truncated_normal", "2", "fan_in", "1")
    assert law("he_uniform", "conforms", told=True) == ("uniform", "2", "fan_in", "1")
    assert law("he_normal", "untruncated-normal", told=True) == ("normal", "2", "fan_in", "1")
    assert law("he_normal", "diverges", told=True) == (OTHER, OTHER, OTHER, OTHER)


def test_a_layer_is_what_cannot_be_told_a_mode():
    assert law("he_uniform", "default-uniform-inverse-sqrt-fan", told=False) == ("uniform", "1/3", "fan_in", "0.408")
    assert law("he_uniform", "default-glorot-uniform", told=False) == ("uniform", "1", "fan_avg", "0.707")
    assert law("he_normal", "default-lecun-normal", told=False) == ("truncated_normal", "1", "fan_in", "0.707")


def test_a_fan_that_is_read_off_the_shape_is_marked():
    read = "shape-only-fan+default-uniform-inverse-sqrt-fan"
    assert law("he_uniform", read, told=False, kernel="transposed") == ("uniform", "1/3", "fan_in*", "0.408")
    # The fans of the shape are not equal where those of the layer are: there is no one factor.
    glorot = "shape-only-fan+default-glorot-uniform"
    assert law("he_uniform", glorot, told=False, kernel="depthwise-wide-last") == ("uniform", "1", "fan_avg*", "")


@pytest.mark.parametrize(
    ("dialect", "wanted"),
    [
        ("default-standard-normal", ("normal", "1", "none", "")),
        ("default-uniform-0.05", ("uniform", "0.0008333", "none", "")),
        ("default-normal-by-features", ("normal", "1", "fan_out", "0.707")),
    ],
)
def test_the_laws_of_embeddings_have_a_section_of_their_own(dialect, wanted):
    for operation in ("he_normal", "he_uniform"):
        assert law(operation, dialect, told=False, kernel="embedding") == wanted


def test_one_initializer_that_reads_the_shape_has_one_mode_for_all_kernels():
    rows = [
        row("he_uniform/defaults-dense/float32", "mine", sample="conforms"),
        row("he_uniform/defaults-transposed/float32", "mine", sample="shape-only-fan"),
    ]
    assert found(report(*rows, told=[("he_uniform", "mine")]), "he_uniform", "mode") == {"mine": "fan_in*"}


def fans_of(about, mode):
    """The fan of a mode, marked or not, from the axes of the vectors' layouts."""
    shape, layout, kind = about["shape"], about["layout"], about["kind"]
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
    """Scale over fan is the variance that the vector states, in every dialect and every vector of the defaults."""
    for operation in ("he_normal", "he_uniform"):
        named = default_laws.named_laws(operation)
        for vector in yaml.safe_load((VECTORS / operation / "defaults.yaml").read_text())["vectors"]:
            for dialect, said in {"": vector["expected"], **vector["dialects"]}.items():
                numerator, _, denominator = named[dialect].scale.partition("/")
                mode = named[dialect].mode
                fan = 1 if mode == "none" else fans_of(vector["attributes"], mode)
                # 1/3 is written as a fraction, and what is none with four digits.
                variance = float(numerator) / float(denominator or 1) / fan
                assert math.isclose(variance, said["sample"]["stddev"] ** 2, rel_tol=1e-3), (dialect, vector["id"])


def test_the_control_has_the_specs_defaults(report_of):
    _, document = report_of("numpy", "--profile", "defaults")
    for line in defaults.table(document):
        if line.operation not in SECTIONS.values():
            assert set(line.found.values()) == {line.spec}, line


def test_a_default_of_a_liar_is_found_out(report_of):
    _, document = report_of("--adapter", LIARS / "other_defaults.py", "--profile", "defaults")
    assert found(document, "elu", "alpha") == {"liar.elu": OTHER}
    assert found(document, "batch_norm_train", "epsilon") == {"liar.batch_norm": "1e-5"}
    assert found(document, "batch_norm_train", "momentum") == {"liar.batch_norm": "0.99"}
    page = pages.page("defaults", last_run.LastRun(document)).text()
    assert "other: not the spec's" in page
    assert "default-epsilon-1e-5\n" in page


def test_the_table_has_every_hyperparameter_that_the_spec_gives_a_number():
    names = {(line.operation, line.name) for line in defaults.table(report())}
    numbers = {(o, n) for o, values in SPECIFIED.items() for n, v in values.items() if isinstance(v, float)}
    assert numbers <= names
    assert {(o, part) for o in ("he_normal", "he_uniform", *SECTIONS.values()) for part in LAW} <= names


# The page


def test_implementations_of_a_family_that_differ_are_told_apart(explained):
    page = pages.page("defaults", last_run.LastRun(explained)).text()
    assert "[1] keras.initializers.HeNormal" in page
    assert "[2] keras.initializers.VarianceScaling(scale=2.0," in page


def test_the_table_has_a_column_for_each_family(explained):
    names = {i["name"] for entry in explained["frameworks"] for i in entry["implementations"]}
    families = {"torch", "tf", "keras", "jax", "flax linen", "flax nnx", "optax"}
    assert {defaults_page.family(name) for name in names} == families
    lines = [line.split() for line in pages.page("defaults", last_run.LastRun(explained)).text().splitlines()]
    assert ["epsilon", "0.001", "1e-5", "0.001", "0.001", "1e-5", "1e-5", "1e-5", "-"] in lines


def test_many_families_take_several_tables(explained):
    names = [{"operation": "elu", "name": f"f{i}.elu", "modes": [], "defaults": True} for i in range(9)]
    frameworks = [*explained["frameworks"], explained["frameworks"][0] | {"implementations": names}]
    page = pages.page("defaults", last_run.LastRun(explained | {"frameworks": frameworks})).text()
    assert page.count("batch_norm_train\n") == 3
    assert all(len(line) <= 80 for line in page.splitlines())


def test_without_a_run_the_page_says_how_to_get_numbers():
    assert "`nnconform run`" in pages.page("defaults", None).text()
