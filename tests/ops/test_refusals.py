"""What primitives refuse, and with which words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archdsl.ops import Shape, ShapeError
from archdsl.ops.bind import ParameterError, bind
from archdsl.ops.primitives import PRIMITIVES

A = Shape(8, 9, 12)


@pytest.mark.parametrize(
    ("primitive", "given", "code", "reason"),
    [
        ("conv", {"c": 8, "strid": 2}, "E0305", "has no parameter `strid`"),
        ("conv", {}, "E0306", "needs `c`, a channel count"),
        ("conv", {"c": "wide"}, "E0307", 'takes a channel count as `c`, not "wide"'),
        ("conv", {"c": 8, "bias": 1}, "E0307", "takes yes or no as `bias`, not 1"),
        ("conv", {"c": 8, "k": True}, "E0307", "takes a size (3, or 15x1) as `k`, not yes"),
        ("conv", {"c": 8, "k": (3, 3, 3)}, "E0307", "takes a size (3, or 15x1) as `k`, not 3x3x3"),
        ("conv", {"c": 8, "s": Fraction(1, 2)}, "E0307", "takes a step (2, or 2x1) as `s`, not 1 / 2"),
        ("conv", {"c": 8, "s": (2, 0)}, "E0505", "has `s = 2x0`; that has to be at least 1 in each direction"),
        (
            "conv",
            {"c": 8, "pad": (1, 2, 3)},
            "E0307",
            'takes a padding (1, 1x2, 0x0x1x1 or "same") as `pad`, not 1x2x3',
        ),
        (
            "conv",
            {"c": 8, "pad": "valid"},
            "E0505",
            'has `pad = "valid"`; that has to be numbers, of which 0 is no padding ("valid"), or `"same"`',
        ),
        ("max_pool", {"k": 3, "pad": -1}, "E0505", "has `pad = -1x-1`; that has to be at least 0 in each direction"),
        ("conv", {"c": 8, "s": 0}, "E0505", "has `s = 0`; that has to be at least 1"),
        ("conv", {"c": 8, "k": (0, 3)}, "E0505", "has `k = 0x3`; that has to be at least 1 in each direction"),
        ("conv", {"c": 8, "d": 10**7}, "E0505", "has `d = 10000000`; that has to be at most 1,000,000"),
        (
            "conv",
            {"c": 8, "k": (1, 10**7)},
            "E0505",
            "has `k = 1x10000000`; that has to be at most 1,000,000 in each direction",
        ),
        ("bn", {"eps": 10**40}, "E0505", f"has `eps = {10**40}`; that has to be at most 1e38, as a 32-bit float is"),
        ("dropout", {"p": 1.5}, "E0505", "has `p = 3 / 2`; that has to be at most 1"),
        ("bn", {"eps": 0}, "E0505", "has `eps = 0`; that has to be above 0"),
        ("bn", {"momentum": -1}, "E0505", "has `momentum = -1`; that has to be at least 0"),
        ("crop", {"top": -1}, "E0505", "has `top = -1`; that has to be at least 0"),
        (
            "resize",
            {"mode": "cubic"},
            "E0505",
            'has `mode = "cubic"`; that has to be `"bilinear"` or `"nearest"` or `"bicubic"`',
        ),
        ("resize", {"factor": float("inf")}, "E0307", "takes a number above 0 as `factor`, not inf"),
    ],
)
def test_parameters(primitive: str, given: dict[str, object], code: str, reason: str) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(PRIMITIVES[primitive], given)
    assert (caught.value.code, caught.value.reason) == (code, reason)


@pytest.mark.parametrize(
    ("primitive", "given", "help"),
    [
        ("conv", {"gruops": 2}, "did you mean `groups`?"),
        ("dwconv", {"c": 2}, "it has `k`, `s`, `d`, `pad`, `bias`"),
        ("relu", {"c": 2}, "it has no parameters"),
    ],
)
def test_an_unknown_parameter_is_told_what_there_is(primitive: str, given: dict[str, object], help: str) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(PRIMITIVES[primitive], given)
    assert caught.value.help == help


@pytest.mark.parametrize(
    ("primitive", "maps", "given", "code", "reason"),
    [
        ("add", [A, A._replace(channels=4)], {}, "E0501", "reads maps of different channel counts: 8 and 4"),
        ("multiply", [A, Shape(4, 1, 1)], {}, "E0501", "reads maps of different channel counts: 8 and 4"),
        ("add", [A, A._replace(height=8)], {}, "E0502", "reads maps of different resolution: 9x12 and 8x12"),
        ("concat", [A, Shape(8, 1, 1)], {}, "E0502", "reads maps of different resolution: 9x12 and 1x1"),
        ("multiply", [A, Shape(8, 3, 12)], {}, "E0502", "reads maps of different resolution: 9x12 and 3x12"),
        (
            "conv",
            [A],
            {"c": 8, "k": 2},
            "E0503",
            "has an even window of 2x2, which has no middle",
        ),
        ("conv", [A], {"c": 8, "k": 13, "pad": 0}, "E0503", "has a window of 13x13, larger than its map of 9x12"),
        ("dwconv", [A], {"d": 9, "pad": 0}, "E0503", "has a dilated window of 19x19, larger than its map of 9x12"),
        (
            "conv",
            [A],
            {"c": 8, "pad": 10**6},
            "E0503",
            "makes a map of more than 1,000,000 rows or columns, the most that there can be",
        ),
        ("max_pool", [A], {"k": 3, "pad": 2}, "E0503", "has more padding than half of its window of 3x3"),
        (
            "max_pool",
            [A],
            {"k": 3, "s": 2, "pad": "same", "ceil": True},
            "E0505",
            "has `ceil = yes`, and padding that differs from one side to the other",
        ),
        ("max_pool", [A], {"k": 2, "s": 1}, "E0503", "has an even window of 2x2 at stride 1"),
        (
            "avg_pool",
            [A],
            {"k": 10, "s": 10},
            "E0503",
            "has a window of 10x10, larger than its map of 9x12",
        ),
        (
            "conv_transpose",
            [A],
            {"c": 8, "k": 2, "s": 2, "output_pad": 2},
            "E0503",
            "has an `output_pad` of 2 at stride 2; it tells sizes apart that the stride makes one",
        ),
        ("conv_transpose", [Shape(8, 1, 1)], {"c": 8, "k": 2, "pad": 1}, "E0503", "leaves nothing of its map of 1x1"),
        (
            "depth_to_space",
            [A],
            {"r": 3},
            "E0504",
            "makes 3x3 places of 9 channels, which do not divide the 8 of its map",
        ),
        (
            "space_to_depth",
            [A],
            {"r": 2},
            "E0503",
            "takes blocks of 2x2, into which its map of 9x12 does not divide",
        ),
        ("linear", [A], {"c": 8}, "E0503", "reads a 1x1 map, and this one is 9x12"),
        ("resize", [A], {"factor": 0.1}, "E0503", "leaves nothing of its map of 9x12"),
        ("crop", [A], {"top": 5, "bottom": 4}, "E0503", "leaves nothing of its map of 9x12"),
        ("resize", [A], {}, "E0505", "takes one of a factor, `size` and `like`, and has none of them"),
        ("resize", [A, A], {"size": 3}, "E0505", "takes one of a factor, `size` and `like`, and has `size` and `like`"),
        (
            "resize",
            [A],
            {"factor": 2, "mode": "nearest", "align_corners": True},
            "E0505",
            "has no aligned corners in mode nearest",
        ),
        ("conv", [A], {"c": 8, "groups": 3}, "E0504", "has 3 groups, which do not divide its 8 input channels"),
        ("conv", [A], {"c": 6, "groups": 4}, "E0504", "has 4 groups, which do not divide its 6 output channels"),
        (
            "conv",
            [A],
            {"c": Fraction(9, 2)},
            "E0504",
            "has 9/2 output channels; that has to be a whole number above 0",
        ),
        ("shuffle", [A], {"groups": 3}, "E0504", "has 3 groups, which do not divide its 8 input channels"),
        ("linear", [Shape(8, 1, 1)], {"c": 0}, "E0504", "has 0 output channels; that has to be a whole number above 0"),
    ],
)
def test_maps(primitive: str, maps: list[Shape], given: dict[str, object], code: str, reason: str) -> None:
    attributes = dict(bind(PRIMITIVES[primitive], given))
    with pytest.raises(ShapeError) as caught:
        PRIMITIVES[primitive].shape(maps, attributes)
    assert (caught.value.code, caught.value.reason) == (code, reason)


def test_values_are_brought_to_one_form() -> None:
    bound = dict(bind(PRIMITIVES["conv"], {"c": Fraction(8), "k": 3, "bias": True}))
    assert bound == {"c": 8, "k": (3, 3), "s": 1, "d": 1, "pad": None, "groups": 1, "bias": True}
    steps = {"c": 8, "s": (2, 2), "d": (1, 2), "pad": (1, 2, 1, 2)}
    assert list(dict(bind(PRIMITIVES["conv"], steps)).values())[2:5] == [2, (1, 2), (1, 2)]
    assert dict(bind(PRIMITIVES["dwconv"], {"pad": (0, 0, 1, 1)}))["pad"] == (0, 0, 1, 1)
    assert dict(bind(PRIMITIVES["bn"], {"eps": 1e-3}))["eps"] == Fraction(1, 1000)
    assert list(bound) == [parameter.name for parameter in PRIMITIVES["conv"].parameters]
