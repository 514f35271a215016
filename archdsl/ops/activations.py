"""Nonlinear functions of each value alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from archdsl.ops.attributes import flag, fraction
from archdsl.ops.model import (
    Attributes,
    Kept,
    Kind,
    MeanSquare,
    Parameter,
    Primitive,
    Role,
    Shape,
    Traits,
    Weight,
    no_weights,
    same_shape,
)


def _activation(
    name: str,
    summary: str,
    mean_square: MeanSquare,
    *parameters: Parameter,
    kept: Kept = Kept.READ,
    weights: Callable[[Sequence[Shape], Attributes], tuple[Weight, ...]] = no_weights,
    keeps_zeros: bool = True,
) -> Primitive:
    return Primitive(
        name=name,
        summary=summary,
        parameters=parameters,
        shape=same_shape,
        weights=weights,
        mean_square=mean_square,
        traits=Traits(activation=True, keeps_zeros=keeps_zeros, by_channel=True, kept=kept),
    )


def _times(share: float) -> MeanSquare:
    """Of a function that is nearly linear on each side of 0."""
    return lambda read, _maps, _attributes: share * read[0]


def _gate(_read: Sequence[float], _maps: Sequence[Shape], _: Attributes) -> float:
    """Of a sigmoid of a standard normal."""
    return 0.3


RELU = _activation("relu", "max(x, 0)", _times(0.5), kept=Kept.WRITTEN)
RELU6 = _activation("relu6", "min(max(x, 0), 6)", _times(0.5))
HSWISH = _activation("hswish", "x * relu6(x + 3) / 6 (MobileNetV3, section 5.2)", _times(0.4))
HSIGMOID = _activation("hsigmoid", "relu6(x + 3) / 6 (MobileNetV3, section 5.2)", _gate, keeps_zeros=False)
SILU = _activation("silu", "x / (1 + exp(-x)), also called swish (Ramachandran et al., 2017)", _times(0.36))
SIGMOID = _activation("sigmoid", "1 / (1 + exp(-x))", _gate, kept=Kept.WRITTEN, keeps_zeros=False)
TANH = _activation("tanh", "the hyperbolic tangent", _times(0.39), kept=Kept.WRITTEN)
MISH = _activation("mish", "x * tanh(log(1 + exp(x))) (Misra, 2019)", _times(0.45))
GELU = _activation(
    "gelu",
    'x times the normal distribution function of x (Hendrycks and Gimpel, 2016); `"tanh"` is its approximation',
    _times(0.425),
    Parameter("approximate", Kind.WORD, "none", words=("none", "tanh")),
)


def _leaky_mean_square(read: Sequence[float], _maps: Sequence[Shape], attributes: Attributes) -> float:
    return (1 + float(fraction(attributes, "slope")) ** 2) / 2 * read[0]


LEAKY_RELU = _activation(
    "leaky_relu",
    "x, times `slope` where it is negative (Maas et al., 2013)",
    _leaky_mean_square,
    Parameter("slope", Kind.NUMBER, Fraction(1, 100)),
)


def _prelu_weights(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    return (Weight("weight", (1 if flag(attributes, "shared") else maps[0].channels,), Role.SLOPE),)


PRELU = _activation(
    "prelu",
    "x, times a learned slope where it is negative, of each channel or one for all (He et al., 2015)",
    _times(0.53),
    Parameter("shared", Kind.FLAG, default=False),
    weights=_prelu_weights,
)


def _elu_mean_square(read: Sequence[float], _maps: Sequence[Shape], attributes: Attributes) -> float:
    """Of a standard normal 1 / 2 by what is positive, and 0.145 alpha^2 by what is negative."""
    return 0.5 * read[0] + 0.145 * float(fraction(attributes, "alpha")) ** 2 * min(read[0], 1.0)


ELU = _activation(
    "elu",
    "x, alpha * (exp(x) - 1) where it is negative (Clevert et al., 2015)",
    _elu_mean_square,
    Parameter("alpha", Kind.NUMBER, 1),
)
