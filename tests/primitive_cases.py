"""Random applications of each primitive that its shape rule allows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from archdsl.ops import Attributes, Shape, ShapeError
from archdsl.ops.bind import bind
from archdsl.ops.primitives import PRIMITIVES


@dataclass(frozen=True, slots=True)
class Case:
    primitive: str
    maps: tuple[Shape, ...]
    given: dict[str, object]

    @property
    def attributes(self) -> Attributes:
        return dict(bind(PRIMITIVES[self.primitive], self.given))

    @property
    def result(self) -> Shape:
        return PRIMITIVES[self.primitive].shape(self.maps, self.attributes)

    def allowed(self) -> bool:
        try:
            return self.result.height > 0
        except ShapeError:
            return False


LENGTHS = st.integers(1, 19)
CHANNELS = st.integers(1, 6)
ODD = st.sampled_from([1, 3, 5])
STRIDES: st.SearchStrategy[object] = st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)))
SIDE = st.integers(0, 2)
PADDINGS: st.SearchStrategy[object] = st.one_of(
    st.none(), SIDE, st.tuples(SIDE, SIDE), st.tuples(SIDE, SIDE, SIDE, SIDE), st.just("same")
)
"""What fits no window of a case is drawn again."""
LENGTH_OF_WINDOW = st.integers(1, 5)
WINDOWS: st.SearchStrategy[object] = st.one_of(LENGTH_OF_WINDOW, st.tuples(LENGTH_OF_WINDOW, LENGTH_OF_WINDOW))
SHAPES = st.builds(Shape, CHANNELS, LENGTHS, LENGTHS)
ONE_MAP = st.tuples(SHAPES)

WINDOWED: dict[str, st.SearchStrategy[object]] = {
    "k": WINDOWS,
    "s": STRIDES,
    "d": st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))),
    "pad": PADDINGS,
    "bias": st.booleans(),
}


FACTORS: st.SearchStrategy[object] = st.sampled_from([-1, 0, 0.5, 1, 2, Fraction(-1, 3)])
NORM: dict[str, st.SearchStrategy[object]] = {"affine": st.booleans(), "eps": st.sampled_from([1e-5, 1e-3])}


@st.composite
def convs(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    map_ = draw(SHAPES)._replace(channels=groups * draw(st.integers(1, 3)))
    given: dict[str, object] = draw(st.fixed_dictionaries(WINDOWED))
    return Case("conv", (map_,), {**given, "c": groups * draw(st.integers(1, 3)), "groups": groups})


@st.composite
def transposed(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    map_ = draw(SHAPES)._replace(channels=groups * draw(st.integers(1, 3)))
    given: dict[str, object] = {
        "k": draw(WINDOWS),
        "s": draw(STRIDES),
        "d": draw(st.integers(1, 2)),
        "pad": draw(st.one_of(SIDE, st.tuples(SIDE, SIDE))),
        "output_pad": draw(st.one_of(SIDE, st.tuples(SIDE, SIDE))),
        "bias": draw(st.booleans()),
    }
    return Case("conv_transpose", (map_,), {**given, "c": groups * draw(st.integers(1, 3)), "groups": groups})


@st.composite
def blocks(draw: st.DrawFn, primitive: str) -> Case:
    r, map_ = draw(st.integers(1, 3)), draw(SHAPES)
    if primitive == "depth_to_space":
        map_ = map_._replace(channels=draw(CHANNELS) * r * r)
    else:
        map_ = map_._replace(height=draw(st.integers(1, 6)) * r, width=draw(st.integers(1, 6)) * r)
    return Case(primitive, (map_,), {"r": r})


@st.composite
def shuffles(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 4))
    map_ = draw(SHAPES)._replace(channels=groups * draw(st.integers(1, 4)))
    return Case("shuffle", (map_,), {"groups": groups})


@st.composite
def group_norms(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 4))
    # Groups of several numbers: of one there is no deviation.
    shape = Shape(groups * draw(st.integers(1, 4)), draw(LENGTHS), draw(st.integers(2, 19)))
    return Case("group_norm", (shape,), {"groups": groups, **draw(st.fixed_dictionaries(NORM))})


@st.composite
def pools(draw: st.DrawFn, primitive: str) -> Case:
    stride = draw(STRIDES)
    given: dict[str, object] = {
        "k": draw(st.one_of(st.just(stride), ODD, WINDOWS)),
        "s": stride,
        "pad": draw(PADDINGS),
        "ceil": draw(st.booleans()),
    }
    if primitive == "avg_pool":
        given["count_padding"] = draw(st.booleans())
    return Case(primitive, draw(ONE_MAP), given)


@st.composite
def resizes(draw: st.DrawFn) -> Case:
    mode = draw(st.sampled_from(["bilinear", "nearest", "bicubic"]))
    given: dict[str, object] = {"mode": mode, "align_corners": mode != "nearest" and draw(st.booleans())}
    map_ = draw(SHAPES)
    match draw(st.sampled_from(["factor", "size", "like"])):
        case "factor":
            given["factor"] = draw(
                st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(2, 3), Fraction(3, 2), 2, 3, 8])
            )
        case "size":
            given["size"] = draw(st.tuples(LENGTHS, LENGTHS))
        case _:
            return Case("resize", (map_, draw(SHAPES)), given)
    return Case("resize", (map_,), given)


def spread(map_: Shape) -> st.SearchStrategy[Shape]:
    """The shape, and those with one channel, row or column in its place."""
    heights, widths = st.sampled_from([map_.height, 1]), st.sampled_from([map_.width, 1])
    return st.builds(Shape, st.sampled_from([map_.channels, 1]), heights, widths)


@st.composite
def joins(draw: st.DrawFn, primitive: str) -> Case:
    first = draw(SHAPES)
    least, most = PRIMITIVES[primitive].least, PRIMITIVES[primitive].most
    number = draw(st.integers(least, most or 4))
    maps = [first] * number
    if primitive == "concat":
        axis = draw(st.sampled_from(["channels", "height", "width"]))
        maps = [map_._replace(**{axis: draw(CHANNELS)}) for map_ in maps]
        return Case(primitive, tuple(maps), {"axis": axis})
    maps = [draw(spread(map_)) for map_ in maps]
    return Case(primitive, tuple(maps), {})


@st.composite
def slices(draw: st.DrawFn) -> Case:
    first = draw(st.integers(0, 3))
    end = first + draw(st.integers(1, 3))
    return Case("slice", (draw(SHAPES)._replace(channels=end + draw(st.integers(0, 3))),), {"from": first, "to": end})


@st.composite
def matmuls(draw: st.DrawFn) -> Case:
    left, right = draw(SHAPES), draw(LENGTHS)
    return Case("matmul", (left, Shape(left.channels, left.width, right)), {})


@st.composite
def tokens(draw: st.DrawFn) -> Case:
    heads, (rows, columns) = draw(st.integers(1, 3)), draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    height, width = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    map_ = Shape(heads * draw(CHANNELS), rows * height, columns * width)
    window = draw(st.sampled_from([None, (rows, columns)]))
    return Case("tokens", (map_,), {"heads": heads, "window": window})


@st.composite
def untokened(draw: st.DrawFn) -> Case:
    """What `tokens` gives, and numbers of heads and columns that hang on nothing."""
    taken = draw(tokens())
    map_, (heads, rows, _) = taken.maps[0], taken.result
    matrices, window = Shape(heads, rows, draw(CHANNELS)), taken.given["window"]
    match draw(st.sampled_from(["size", "like", *([] if window else ["column"])])):
        case "size":
            return Case("untokens", (matrices,), {"size": map_.size, "window": window})
        case "like":
            return Case("untokens", (matrices, map_), {"window": window})
        case _:
            return Case("untokens", (matrices,), {})


def _plain(
    primitive: str,
    maps: st.SearchStrategy[tuple[Shape]] = ONE_MAP,
    given: dict[str, st.SearchStrategy[object]] | None = None,
) -> st.SearchStrategy[Case]:
    return st.builds(Case, st.just(primitive), maps, st.fixed_dictionaries(given or {}))


SIDES: dict[str, st.SearchStrategy[object]] = dict.fromkeys(("top", "left", "bottom", "right"), st.integers(0, 3))

CASES: dict[str, st.SearchStrategy[Case]] = {
    name: strategy.filter(Case.allowed)
    for name, strategy in {
        "conv": convs(),
        "dwconv": _plain("dwconv", given=WINDOWED),
        "linear": _plain(
            "linear",
            st.tuples(st.builds(Shape, CHANNELS, st.just(1), st.just(1))),
            {"c": CHANNELS, "bias": st.booleans()},
        ),
        "bn": _plain("bn", given=NORM),
        "layer_norm": _plain("layer_norm", given=NORM),
        "group_norm": group_norms(),
        **{
            name: _plain(name)
            for name in (
                *("relu", "relu6", "hswish", "hsigmoid", "silu", "sigmoid", "tanh", "mish", "argmax"),
                *("global_avg_pool", "global_max_pool"),
                *("channel_mean", "channel_max", "channel_sum", "row_mean", "column_mean"),
            )
        },
        "gelu": _plain("gelu", given={"approximate": st.sampled_from(["none", "tanh"])}),
        "leaky_relu": _plain("leaky_relu", given={"slope": st.sampled_from([0.01, 0.2])}),
        "prelu": _plain("prelu", given={"shared": st.booleans()}),
        "elu": _plain("elu", given={"alpha": st.sampled_from([1, 0.5])}),
        "softmax": _plain("softmax", given={"axis": st.sampled_from(["channels", "height", "width", "places"])}),
        "dropout": _plain("dropout", given={"p": st.sampled_from([0, 0.5, 1])}),
        "drop_path": _plain("drop_path", given={"p": st.sampled_from([0, 0.5, 1])}),
        "parameter": _plain("parameter", given={"c": CHANNELS, "size": st.tuples(LENGTHS, LENGTHS)}),
        "affine": _plain("affine", given={"times": FACTORS, "plus": FACTORS}),
        "shuffle": shuffles(),
        "conv_transpose": transposed(),
        "depth_to_space": blocks("depth_to_space"),
        "space_to_depth": blocks("space_to_depth"),
        **{
            name: _plain(name, given={"size": st.one_of(st.integers(1, 7), st.tuples(st.integers(1, 7), LENGTHS))})
            for name in ("adaptive_avg_pool", "adaptive_max_pool")
        },
        "max_pool": pools("max_pool"),
        "avg_pool": pools("avg_pool"),
        "resize": resizes(),
        "crop": _plain("crop", given=SIDES),
        "zero": _plain("zero", given={"s": STRIDES}),
        "slice": slices(),
        **{name: _plain(name) for name in ("flatten", "transpose")},
        "tokens": tokens(),
        "untokens": untokened(),
        "matmul": matmuls(),
        **{name: joins(name) for name in ("concat", "add", "multiply", "divide")},
    }.items()
}
"""Strategies by the name of the primitive."""
