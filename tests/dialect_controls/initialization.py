"""Controls of the dialects of He initialization."""

from __future__ import annotations

from mutants.mutant import BESIDE_FLOAT32, HALVES, ONLY_FLOAT32_DEFAULTS

from .control import Control

FAN = "    into, out = inputs * receptive, outputs * receptive\n"
# Torch's axes where the layout is like torch's, else those of Keras and JAX.
BY_SHAPE = (
    '    torch = layout in ("out_in_spatial", "in_out_spatial")\n'
    "    inputs, outputs = (shape[1], shape[0]) if torch else (shape[-2], shape[-1])\n"
    "    receptive = math.prod(shape[2:] if torch else shape[:-2])\n"
)
# Draws of as many values as the digits of a half format show, from the lowest one.
FEW_BITS = """\
def few_bits(draws, dtype, quantile):
    levels = {"float16": 1024, "bfloat16": 128}.get(np.dtype(dtype).name)
    if levels is None:
        return draws
    values = np.array([quantile(k / levels) for k in range(levels)])
    stream = np.random.default_rng(np.frombuffer(np.ravel(draws)[:4].tobytes(), np.uint32))
    return values[stream.integers(0, levels, np.shape(draws))]


def cut_normal(p):
    normal = statistics.NormalDist()
    return normal.inv_cdf(normal.cdf(-2) + p * (1 - 2 * normal.cdf(-2)))


"""
REPEATED = "    if layers:\n        sample[1:] = sample[0]\n    return"
REDRAWN = "sample[outside] = stream.standard_normal(int(outside.sum()))\n"
BEFORE_LAWS = '@adapter.implements("he_normal", '
NORMAL_DRAWS = "    sample = stream.standard_normal(shape)\n"
FULL = ("float64", "float32")
LOOP = "# What a layer does here when the user sets nothing"
NORMAL = '"numpy truncated normal", he_normal, {"groups": 1, "mode": "fan_in"}'
UNIFORM = '"numpy uniform", he_uniform, {"groups": 1, "mode": "fan_in"}'


def _by_default(draw: str) -> list[tuple[str, str]]:
    """Return the changes by which a layer without arguments draws by ``draw``, from into and out."""
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
    """Return the changes by which an embedding without arguments draws by ``draw``, and other layers by He's law."""
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


def _stored(number: str, dtype: str = "dtype") -> str:
    """Return the expression of a number that is rounded to a dtype."""
    return f"float(np.asarray({number}).astype({dtype}))"


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
                'return {"sample": np.random.default_rng(seed).uniform(-limit, limit, shape).astype(dtype), "draws"',
                "sample = np.random.default_rng(seed).uniform(-limit, limit, shape)\n"
                f'{REPEATED} {{"sample": sample.astype(dtype), "draws"',
            ),
        ],
        dict.fromkeys(BESIDE_FLOAT32, "several kernels of one initializer are asked in float32 alone"),
    ),
    Control(
        "few-bit-draws",
        [
            ("import math\n", "import math\nimport statistics\n"),
            (BEFORE_LAWS, FEW_BITS + BEFORE_LAWS),
            (NORMAL_DRAWS, NORMAL_DRAWS + "    sample = few_bits(sample, dtype, cut_normal)\n"),
            (
                'return {"sample": np.random.default_rng(seed).uniform(-limit, limit, shape).astype(dtype), "draws"',
                "sample = np.random.default_rng(seed).uniform(-limit, limit, shape)\n"
                "    sample = few_bits(sample, dtype, lambda p: limit * (2 * p - 1))\n"
                '    return {"sample": sample.astype(dtype), "draws"',
            ),
        ],
        dict.fromkeys(FULL, "the draws of float32 and float64 have as many values as there are numbers"),
    ),
    Control(
        "half-precision-scale",
        [
            ("sample * deviation / 0.87962566103423978", f"sample * {_stored('deviation / 0.87962566103423978')}"),
            ("uniform(-limit, limit, shape)", f"uniform(-{_stored('limit')}, {_stored('limit')}, shape)"),
        ],
        {
            **dict.fromkeys(FULL, "a scale of the sample's own precision conforms"),
            **dict.fromkeys(
                [f"he_uniform/{dtype}" for dtype in HALVES], "draws that may have been shifted allow as much"
            ),
        },
    ),
    Control(
        "float32-scale",
        [
            (
                "sample * deviation / 0.87962566103423978",
                f"sample * {_stored('deviation / 0.87962566103423978', 'np.float32')}",
            ),
            (
                "uniform(-limit, limit, shape)",
                f"uniform(-{_stored('limit', 'np.float32')}, {_stored('limit', 'np.float32')}, shape)",
            ),
        ],
        dict.fromkeys(("float32", *HALVES), "a scale of float32 conforms"),
    ),
    Control(
        "rejects-no-outputs",
        [("    spatial = {", "    if not math.prod(shape):\n        raise ZeroDivisionError(shape)\n    spatial = {")],
        dict.fromkeys(BESIDE_FLOAT32, "kernels of no outputs are asked in float32 alone"),
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
