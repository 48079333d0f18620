"""Controls of the dialects of He initialization."""

from __future__ import annotations

from mutants.mutant import BESIDE_FLOAT32, ONLY_FLOAT32_DEFAULTS

from .control import Control

FAN = "    into, out = inputs * receptive, outputs * receptive\n"
# Torch's axes where the layout is like torch's, else those of Keras and JAX.
BY_SHAPE = (
    '    torch = layout in ("out_in_spatial", "in_out_spatial")\n'
    "    inputs, outputs = (shape[1], shape[0]) if torch else (shape[-2], shape[-1])\n"
    "    receptive = math.prod(shape[2:] if torch else shape[:-2])\n"
)
REPEATED = "    if layers:\n        sample[1:] = sample[0]\n    return"
REDRAWN = "sample[outside] = stream.standard_normal(int(outside.sum()))\n"
LOOP = "# What a layer does here when the user sets nothing"
NORMAL = '"numpy truncated normal", he_normal, {"groups": 1, "mode": "fan_in"}'
UNIFORM = '"numpy uniform", he_uniform, {"groups": 1, "mode": "fan_in"}'


def _by_default(draw: str) -> list[tuple[str, str]]:
    """Return the changes by which a layer that is told nothing draws by ``draw``, from into and out."""
    function = (
        "def by_default(*, shape, kind, layout, dtype, seed):\n"
        '    into, out = (fan(shape, kind, layout, 1, mode) for mode in ("fan_in", "fan_out"))\n'
        f"    return {draw}\n\n\n"
    )
    return [
        (LOOP, function + LOOP),
        (NORMAL, '"numpy truncated normal", by_default, {}'),
        (UNIFORM, '"numpy uniform", by_default, {}'),
    ]


def _table_by_default(draw: str) -> list[tuple[str, str]]:
    """Return the changes by which an embedding that is told nothing draws by ``draw``, and other layers by He's law."""
    function = (
        "def by_default(law, /, *, shape, kind, layout, dtype, seed):\n"
        '    if kind != "embedding":\n'
        "        kernel = dict(shape=shape, kind=kind, layout=layout, dtype=dtype, seed=seed)\n"
        '        return law(groups=1, mode="fan_in", **kernel)\n'
        f'    return {{"sample": np.random.default_rng(seed).{draw}.astype(dtype)}}\n\n\n'
    )
    return [
        (LOOP, function + LOOP),
        (NORMAL, '"numpy truncated normal", functools.partial(by_default, he_normal), {}'),
        (UNIFORM, '"numpy uniform", functools.partial(by_default, he_uniform), {}'),
    ]


def _uniform(limit: str) -> str:
    return f'{{"sample": np.random.default_rng(seed).uniform(-{limit}, {limit}, shape).astype(dtype)}}'


def _normal() -> str:
    he = 'he_normal(shape=shape, kind=kind, layout=layout, groups=1, mode="fan_in", dtype=dtype, seed=seed)["sample"]'
    return f'{{"sample": ({he} / np.sqrt(2)).astype(dtype)}}'


CONTROLS = (
    Control("untruncated-normal", [("np.abs(sample) > 2", "np.abs(sample) > np.inf"), (" / 0.87962566103423978", "")]),
    Control("uncorrected-truncation", [(" / 0.87962566103423978", "")]),
    Control(
        "shape-only-fan",
        [(FAN, BY_SHAPE + FAN)],
        dict.fromkeys(BESIDE_FLOAT32, "dense kernels alone are asked, of which the shape tells the fan"),
    ),
    Control(
        "initializer-repeats",
        [
            (f"{REDRAWN}    return", f"{REDRAWN}{REPEATED}"),
            (
                'return {"sample": np.random.default_rng(seed).uniform(-limit, limit, shape).astype(dtype)}',
                "sample = np.random.default_rng(seed).uniform(-limit, limit, shape)\n"
                f'{REPEATED} {{"sample": sample.astype(dtype)}}',
            ),
        ],
        dict.fromkeys(BESIDE_FLOAT32, "several kernels of one initializer are asked in float32 alone"),
    ),
    Control("default-uniform-inverse-sqrt-fan", _by_default(_uniform("math.sqrt(1 / into)")), ONLY_FLOAT32_DEFAULTS),
    Control("default-glorot-uniform", _by_default(_uniform("math.sqrt(6 / (into + out))")), ONLY_FLOAT32_DEFAULTS),
    Control("default-lecun-normal", _by_default(_normal()), ONLY_FLOAT32_DEFAULTS),
    Control("default-standard-normal", _table_by_default("standard_normal(shape)"), ONLY_FLOAT32_DEFAULTS),
    Control("default-uniform-0.05", _table_by_default("uniform(-0.05, 0.05, shape)"), ONLY_FLOAT32_DEFAULTS),
    Control(
        "default-normal-by-features",
        _table_by_default("normal(0, 1 / math.sqrt(shape[1]), shape)"),
        ONLY_FLOAT32_DEFAULTS,
    ),
)
