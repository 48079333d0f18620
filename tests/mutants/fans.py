"""Mutants of the fan of a kernel."""

from __future__ import annotations

from .mutant import BESIDE_FLOAT32, ONLY_FLOAT32_DEFAULTS, Mutant

UNIFORM = "he_uniform"
LAWS = "he_normal he_uniform"
ONLY_FLOAT32_KERNELS = dict.fromkeys(BESIDE_FLOAT32, "kernels that are not dense are asked in float32 alone")
ONLY_FLOAT32_MODES = dict.fromkeys(BESIDE_FLOAT32, "other modes than fan_in are asked in float32 alone")
FANS = '"fan_in": into, "fan_out": out,'

# The fan is one function for both laws, and a uniform sample is judged faster.
SIZES = (
    Mutant("fans-swapped", LAWS, "wrong-fan", FANS, '"fan_in": out, "fan_out": into,'),
    Mutant(
        "fan-in-for-every-mode",
        UNIFORM,
        "wrong-fan",
        FANS,
        '"fan_in": into, "fan_out": into,',
        unseen=ONLY_FLOAT32_MODES,
    ),
    Mutant("fan-out-for-every-mode", UNIFORM, "wrong-fan", FANS, '"fan_in": out, "fan_out": out,'),
    Mutant("fan-as-a-sum", UNIFORM, "wrong-fan", "(into + out) / 2", "into + out", unseen=ONLY_FLOAT32_MODES),
    Mutant(
        "fan-as-a-geometric-mean",
        UNIFORM,
        "wrong-fan",
        "(into + out) / 2",
        "math.sqrt(into * out)",
        unseen=ONLY_FLOAT32_MODES,
    ),
    Mutant(
        "receptive-field-forgotten",
        LAWS,
        "wrong-fan",
        "receptive = math.prod(spatial)",
        "receptive = 1",
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "receptive-field-of-one-axis",
        UNIFORM,
        "wrong-fan",
        "math.prod(spatial)",
        "math.prod(spatial[:1])",
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "receptive-field-as-a-sum",
        UNIFORM,
        "wrong-fan",
        "math.prod(spatial)",
        "(sum(spatial) or 1)",
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "receptive-field-in-fan-out-alone",
        UNIFORM,
        "wrong-fan",
        "into, out = inputs * receptive,",
        "into, out = inputs,",
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "groups-ignored-in-fan-out",
        UNIFORM,
        "wrong-fan",
        "    else:\n        outputs = outputs // groups\n",
        "",
        unseen=ONLY_FLOAT32_KERNELS,
        dialect="shape-only-fan",
    ),
    Mutant(
        "groups-taken-twice",
        UNIFORM,
        "wrong-fan",
        "        outputs = outputs // groups\n",
        "        inputs, outputs = inputs // groups, outputs // groups\n",
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "groups-ignored-in-a-transposed-kernel",
        UNIFORM,
        "wrong-fan",
        "inputs = inputs // groups",
        "inputs = inputs * 1",
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "depthwise-inputs-all-seen",
        UNIFORM,
        "wrong-fan",
        "        inputs = 1\n",
        "        inputs = inputs * 1\n",
        unseen=ONLY_FLOAT32_KERNELS,
        dialect="shape-only-fan",
    ),
    Mutant(
        "depthwise-multiplier-of-all",
        UNIFORM,
        "wrong-fan",
        "        outputs = first // groups\n",
        "        outputs = first\n",
        unseen=ONLY_FLOAT32_KERNELS,
        dialect="shape-only-fan",
    ),
    Mutant(
        "transposed-read-as-a-convolution",
        LAWS,
        "wrong-fan",
        'if layout in ("out_in_spatial", "spatial_out_in") else',
        'if layout in ("out_in_spatial", "in_out_spatial") else',
        unseen=ONLY_FLOAT32_KERNELS,
        dialect="shape-only-fan",
    ),
    Mutant(
        "rows-of-an-embedding-as-outputs",
        UNIFORM,
        "wrong-fan",
        'if layout in ("out_in_spatial", "spatial_out_in") else',
        'if layout in ("out_in_spatial", "spatial_out_in") or (kind, layout) == ("embedding", "spatial_in_out") else',
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "transposed-always-outputs-first",
        UNIFORM,
        "wrong-fan",
        'if layout in ("out_in_spatial", "spatial_out_in") else',
        'if layout in ("out_in_spatial", "spatial_out_in") or (kind == "transposed_conv" and layout[0] == "s") else',
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "layout-ignored",
        UNIFORM,
        "wrong-fan",
        'if layout in ("out_in_spatial", "spatial_out_in") else',
        'if layout != "" else',
    ),
    Mutant(
        "spatial-axes-always-first",
        UNIFORM,
        "wrong-fan",
        'spatial = {"out_in_spatial": shape[2:], "in_out_spatial": shape[2:]}.get(layout, shape[:-2])',
        "spatial = shape[:-2]",
        unseen=ONLY_FLOAT32_KERNELS,
    ),
    Mutant(
        "default-mode-is-fan-out",
        LAWS,
        "other-default",
        '"mode": "fan_in"}',
        '"mode": "fan_out"}',
        count=2,
        unseen=ONLY_FLOAT32_DEFAULTS,
    ),
    Mutant(
        "default-mode-is-fan-avg",
        UNIFORM,
        "other-default",
        '"mode": "fan_in"}',
        '"mode": "fan_avg"}',
        count=2,
        unseen=ONLY_FLOAT32_DEFAULTS,
    ),
)

MUTANTS = SIZES
