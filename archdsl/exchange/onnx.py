"""ONNX models as networks of primitives, with their weights.

Each node becomes a primitive, or several nodes one (`Sigmoid` and `Mul` are `silu`); a run of which each is read by the
next alone is a line. Lines are named after the modules that own weights, else after nodes. What constants make of each
other has to be folded, and sizes have to be fixed: what has no primitive is refused with the node's name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, shape_inference

from archdsl.backends.failures import UnreadableModel
from archdsl.backends.onnx.reading import LARGEST_FILE, read_model
from archdsl.exchange.errors import NotImported
from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.onnx_patterns import with_gelu
from archdsl.exchange.source import Source
from archdsl.fmt import format
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema.modules.load import BUILT_IN
from archdsl.session import check_source
from archdsl.syntax import parse
from archdsl.syntax.grammar import tables
from archdsl.text import SourceFile
from archdsl.weights import BrokenWeights
from archdsl.weights.specification import node_weights

if TYPE_CHECKING:
    from archdsl.ir import ClosedGraph

_MOST_NODES: Final = 20_000
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Map:
    """A value that becomes a map: its channels and sides; of a vector 1x1."""

    channels: int
    height: int
    width: int

    @property
    def sides(self) -> str:
        return f"{self.height}x{self.width}"


@dataclass(slots=True)
class Step:
    """A primitive that is called."""

    call: str
    maps: list[str]
    """The values that it reads: one for a step of a pipe, all of a join."""
    value: str
    """The one that it writes."""
    module: str
    """What it is named after."""
    tensors: dict[str, Array] = field(default_factory=dict[str, Array])
    join: bool = False


@dataclass(slots=True)
class Line:
    name: str
    steps: list[Step]


def read(request: Request) -> Imported:
    """A space without questions, and its tensors. Raises NotImported, ToolMissing, OSError."""
    source = Source(request.source.file, request.source.item, LARGEST_FILE)
    try:
        model = read_model(source.data, source.file)
    except (UnreadableModel, BrokenWeights) as error:
        raise NotImported(str(error)) from None
    if len(model.graph.node) > _MOST_NODES:
        raise source.unfit(f"it has {len(model.graph.node):,} nodes, and {_MOST_NODES:,} are read")
    reader = _Reader(source, model)
    steps = reader.steps()
    name = _free(_identifier(request.named("network")), set())
    lines = _lines(steps, reader)
    text = _text(name, reader, lines, Path(source.file).name)
    return Imported(name, text, _tensors(text, name, lines))


# Reading ----------------------------------------------------------------------------------------


class _Reader:
    """Goes through the nodes, which stand in an order in which each reads earlier ones."""

    def __init__(self, source: Source, model: onnx.ModelProto) -> None:
        self.source = source
        graph = model.graph
        self.constants: dict[str, Array] = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        self.inputs = [each for each in graph.input if each.name not in self.constants]
        self.outputs = [each.name for each in graph.output]
        for node in graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = self._constant(node)
        self.nodes = with_gelu([node for node in graph.node if node.op_type != "Constant"], self.constants)
        self.readers = Counter(name for node in self.nodes for name in node.input) + Counter(self.outputs)
        self.same: dict[str, str] = {}
        """Values that are others by another name."""
        self.maps: dict[str, Map] = {}
        self.written: dict[str, onnx.NodeProto] = {name: node for node in self.nodes for name in node.output}
        self.sizes = _sizes(model)
        for each in self.inputs:
            self.maps[each.name] = self._image(each)

    def _image(self, given: onnx.ValueInfoProto) -> Map:
        match self.sizes.get(given.name):
            case (_, int(channels), int(height), int(width)):
                return Map(channels, height, width)
            case _:
                raise self.source.unfit(
                    f"the input `{given.name}` has no fixed channels, height and width: export it with a fixed size"
                )

    def steps(self) -> list[Step]:
        found: list[Step] = []
        for node in self.nodes:
            if node.op_type in _SAME and not _SAME[node.op_type](self, node):
                self.same[node.output[0]] = self.value(node.input[0])
            elif all(name in self.constants for name in node.input if name) and node.input:
                raise self.unfit(node, "computes what is constant: fold constants before the import")
            else:
                form = FORMS.get(node.op_type)
                if form is None:
                    raise self.unfit(
                        node, f"there is no primitive for it; there are those for {', '.join(sorted(FORMS))}"
                    )
                found += form(self, node)
        return _merged(found, self)

    def unfit(self, node: onnx.NodeProto, what: str) -> NotImported:
        return self.source.unfit(what, field=f"{node.name or node.output[0]} ({node.op_type})")

    def value(self, name: str) -> str:
        return self.same.get(name, name)

    def map(self, node: onnx.NodeProto, at: int = 0) -> Map:
        """The map that a node reads. Raises NotImported where it is none."""
        name = self.value(node.input[at])
        if name not in self.maps:
            raise self.unfit(node, f"`{name}` is no map of the network")
        return self.maps[name]

    def constant(self, node: onnx.NodeProto, at: int) -> Array | None:
        """A constant input; None where it is left out. Raises NotImported where it is computed."""
        if at >= len(node.input) or not node.input[at]:
            return None
        name = self.value(node.input[at])
        if name not in self.constants:
            raise self.unfit(node, f"`{name}` is computed, and has to be a constant here")
        return self.constants[name]

    def weight(self, node: onnx.NodeProto, at: int) -> Array:
        found = self.constant(node, at)
        if found is None:
            raise self.unfit(node, f"its input {at} is missing")
        return found.astype(np.float32)

    def step(
        self,
        node: onnx.NodeProto,
        call: str,
        shape: Map,
        *,
        maps: Sequence[str] | None = None,
        tensors: Mapping[str, Array] | None = None,
        join: bool = False,
        owner: str = "",
        value: str = "",
    ) -> Step:
        value = value or node.output[0]
        self.maps[value] = shape
        read = [self.value(name) for name in (maps or node.input[:1])]
        return Step(call, read, value, _module(node, owner), dict(tensors or {}), join)

    def _constant(self, node: onnx.NodeProto) -> Array:
        for attribute in node.attribute:
            if attribute.name == "value":
                return numpy_helper.to_array(attribute.t)
            if attribute.name in ("value_float", "value_int", "value_floats", "value_ints"):
                return np.array(helper.get_attribute_value(attribute))
        raise self.unfit(node, "holds no numbers")


def _sizes(model: onnx.ModelProto) -> dict[str, tuple[int | None, ...]]:
    """The sizes of values as far as they are known."""
    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # noqa: BLE001 - the checker's own; what stays unknown is asked for where it is needed
        inferred = model
    graph = inferred.graph
    return {
        each.name: tuple(side.dim_value or None for side in each.type.tensor_type.shape.dim)
        for each in (*graph.input, *graph.value_info, *graph.output)
    }


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _module(node: onnx.NodeProto, owner: str) -> str:
    """`layer1.0.conv1` of the weight `layer1.0.conv1.weight`, else of the node `/layer1/layer1.0/conv1/Conv`."""
    if owner and not owner.startswith(("onnx::", "val_", "/")) and not owner.isdigit():
        return owner.rpartition(".")[0] or owner
    parts = [part for part in re.split(r"[/]", node.name) if part]
    if parts and re.fullmatch(rf"{re.escape(node.op_type)}(_\d+)?", parts[-1]):
        parts = parts[:-1]
    kept = [part for at, part in enumerate(parts) if at + 1 == len(parts) or not parts[at + 1].startswith(f"{part}.")]
    return ".".join(kept) or node.op_type.lower()


# Operators --------------------------------------------------------------------------------------

Form = Callable[[_Reader, onnx.NodeProto], list[Step]]


@dataclass(frozen=True, slots=True)
class _Window:
    """How a window slides, in ONNX's terms."""

    size: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]
    """Top, left, bottom, right."""

    @classmethod
    def of(cls, reader: _Reader, node: onnx.NodeProto, size: Sequence[int]) -> _Window:
        given = _attributes(node)
        strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
        pads = given.get("pads", [0] * 4)
        if given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            raise reader.unfit(node, "`auto_pad` is not read: export it with `pads`")
        if not len(size) == len(strides) == len(dilations) == 2 or len(pads) != 4:
            raise reader.unfit(node, "only windows over two axes are read")
        top, left, bottom, right = pads
        return cls(
            (size[0], size[1]), (strides[0], strides[1]), (dilations[0], dilations[1]), (top, left, bottom, right)
        )

    def words(self, *, default: int | None, tiles: bool = False) -> list[str]:
        """What differs from the defaults of a primitive; `default` is that of `k`."""
        own: list[int] = []
        for length, stride, dilation in zip(self.size, self.strides, self.dilations, strict=True):
            tile = tiles and length == stride
            own.append(0 if tile else dilation * (length - 1) // 2 if length % 2 else -1)
        words = [_pair("k", self.size, default), _pair("s", self.strides, 1), _pair("d", self.dilations, 1)]
        if self.pads != (*own, *own):
            words.append(f"pad = {_pads(self.pads)}")
        return [word for word in words if word]

    def sides(self, map_: Map, *, ceil: bool = False) -> tuple[int, int]:
        height, width = (
            _windows(length + self.pads[axis] + self.pads[axis + 2], self, axis, ceil=ceil)
            for axis, length in enumerate((map_.height, map_.width))
        )
        return height, width


def _windows(length: int, window: _Window, axis: int, *, ceil: bool) -> int:
    """How many windows a padded length has; the last may stick out, where it begins within the map."""
    rest = length - window.dilations[axis] * (window.size[axis] - 1) - 1
    count = (-(-rest // window.strides[axis]) if ceil else rest // window.strides[axis]) + 1
    outside = ceil and (count - 1) * window.strides[axis] >= length - window.pads[axis + 2]
    return count - 1 if outside else count


def _pair(name: str, pair: Sequence[int], default: int | None) -> str:
    height, width = pair
    if height == width:
        return "" if height == default else f"{name} = {height}"
    return f"{name} = {height}x{width}"


def _pads(pads: tuple[int, int, int, int]) -> str:
    top, left, bottom, right = pads
    if (top, left) != (bottom, right):
        return f"{top}x{left}x{bottom}x{right}"
    return str(top) if top == left else f"{top}x{left}"


def _conv(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    map_, weight, bias = reader.map(node), reader.weight(node, 1), reader.constant(node, 2)
    groups = int(_attributes(node).get("group", 1))
    window = _Window.of(reader, node, weight.shape[2:])
    depthwise = groups == map_.channels == weight.shape[0] > 1
    words = window.words(default=3)
    if not depthwise:
        words = [f"{weight.shape[0]}", *words, *([f"groups = {groups}"] if groups > 1 else [])]
    tensors = {"weight": weight}
    if bias is not None:
        words.append("bias = yes")
        tensors["bias"] = bias.astype(np.float32)
    call = f"{'dwconv' if depthwise else 'conv'}({', '.join(words)})"
    shape = Map(weight.shape[0], *window.sides(map_))
    return [reader.step(node, call.removesuffix("()"), shape, tensors=tensors, owner=node.input[1])]


def _conv_transpose(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    map_, weight, bias, given = reader.map(node), reader.weight(node, 1), reader.constant(node, 2), _attributes(node)
    window, more = _Window.of(reader, node, weight.shape[2:]), given.get("output_padding", [0, 0])
    groups = int(given.get("group", 1))
    channels = weight.shape[1] * groups
    if window.pads[:2] != window.pads[2:] or "output_shape" in given:
        raise reader.unfit(node, "only the same padding on opposite sides is read")
    words = [
        str(channels),
        _pair("k", window.size, None),
        _pair("s", window.strides, 1),
        _pair("d", window.dilations, 1),
    ]
    words += [
        _pair("pad", window.pads[:2], 0),
        _pair("output_pad", more, 0),
        f"groups = {groups}" if groups > 1 else "",
    ]
    tensors = {"weight": weight}
    if bias is not None:
        words.append("bias = yes")
        tensors["bias"] = bias.astype(np.float32)
    height, width = (
        (length - 1) * window.strides[at]
        - 2 * window.pads[at]
        + window.dilations[at] * (window.size[at] - 1)
        + more[at]
        + 1
        for at, length in enumerate((map_.height, map_.width))
    )
    call = f"conv_transpose({', '.join(word for word in words if word)})"
    return [reader.step(node, call, Map(channels, height, width), tensors=tensors, owner=node.input[1])]


def _norm(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    epsilon = float(_attributes(node).get("epsilon", 1e-5))
    names = ("weight", "bias", "running_mean", "running_var")
    tensors = {name: reader.weight(node, at) for at, name in enumerate(names, start=1)}
    call = "bn" if abs(epsilon - 1e-5) < 1e-9 else f"bn(eps = {_number(epsilon)})"
    return [reader.step(node, call, reader.map(node), tensors=tensors, owner=node.input[1])]


def _number(value: float) -> str:
    """As short as float32 allows, for ONNX keeps attributes in it."""
    return np.format_float_positional(np.float32(value), unique=True, trim="0")


def _alike(call: str) -> Form:
    def form(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
        return [reader.step(node, call, reader.map(node))]

    return form


def _clip(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    given = _attributes(node)
    low, high = reader.constant(node, 1), reader.constant(node, 2)
    ends = (given.get("min") if low is None else float(low), given.get("max") if high is None else float(high))
    if ends != (0, 6):
        raise reader.unfit(node, f"between {ends[0]} and {ends[1]}: only 0 and 6 are a primitive, `relu6`")
    return [reader.step(node, "relu6", reader.map(node))]


def _hard_sigmoid(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    given = _attributes(node)
    if abs(given.get("alpha", 0.2) - 1 / 6) > 1e-6 or abs(given.get("beta", 0.5) - 0.5) > 1e-6:
        raise reader.unfit(node, "only the slope 1/6 and the offset 1/2 are a primitive, `hsigmoid`")
    return [reader.step(node, "hsigmoid", reader.map(node))]


def _pool(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    given, map_ = _attributes(node), reader.map(node)
    average = node.op_type == "AveragePool"
    window = _Window.of(reader, node, given["kernel_shape"])
    if window.size == (map_.height, map_.width) and not any(window.pads):
        return _over_all(reader, node, "global_avg_pool" if average else "global_max_pool")
    if window.dilations != (1, 1) or len(node.output) > 1:
        raise reader.unfit(node, "a pool with a dilation, or one that gives indices, has no primitive")
    words, ceil = window.words(default=None, tiles=True), bool(given.get("ceil_mode", 0))
    if ceil:
        words.append("ceil = yes")
    if average and given.get("count_include_pad", 0) and any(window.pads):
        words.append("count_padding = yes")
    call = f"{'avg_pool' if average else 'max_pool'}({', '.join(words)})"
    return [reader.step(node, call, Map(map_.channels, *window.sides(map_, ceil=ceil)))]


def _over_all(reader: _Reader, node: onnx.NodeProto, call: str) -> list[Step]:
    return [reader.step(node, call, Map(reader.map(node).channels, 1, 1))]


def _mean(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    given = _attributes(node)
    axes = reader.constant(node, 1) if len(node.input) > 1 else np.array(given.get("axes", []))
    if axes is None or sorted(int(axis) % 4 for axis in axes.flatten()) != [2, 3]:
        raise reader.unfit(node, "only the mean over height and width is a primitive, `global_avg_pool`")
    return _over_all(reader, node, "global_avg_pool")


def _linear(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    """`Gemm`, or a `MatMul` by a constant."""
    given, map_ = _attributes(node), reader.map(node)
    weight, bias = reader.weight(node, 1), reader.constant(node, 2) if node.op_type == "Gemm" else None
    if not given.get("transB", 0):
        weight = weight.T
    plain = given.get("alpha", 1) == 1 and given.get("beta", 1) == 1 and not given.get("transA", 0)
    if not plain or weight.ndim != 2 or weight.shape[1] != map_.channels or (map_.height, map_.width) != (1, 1):
        raise reader.unfit(
            node, f"only a fully connected layer on a 1x1 map is a primitive, and this reads {map_.sides}"
        )
    tensors = {"weight": np.ascontiguousarray(weight)}
    if bias is not None:
        tensors["bias"] = bias.reshape(-1).astype(np.float32)
    call = f"linear({weight.shape[0]}{'' if bias is not None else ', bias = no'})"
    return [reader.step(node, call, Map(weight.shape[0], 1, 1), tensors=tensors, owner=node.input[1])]


def _concat(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    if _attributes(node)["axis"] % 4 != 1:
        raise reader.unfit(node, "only channels are joined, axis 1")
    maps = [reader.map(node, at) for at in range(len(node.input))]
    shape = Map(sum(each.channels for each in maps), maps[0].height, maps[0].width)
    return [reader.step(node, "concat", shape, maps=node.input, join=True)]


def _joined(call: str) -> Form:
    def form(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
        if any(reader.value(name) in reader.constants for name in node.input):
            raise reader.unfit(node, "by a constant, for which there is no primitive: fold it into a layer before it")
        maps = [reader.map(node, at) for at in range(len(node.input))]
        largest = max(maps, key=lambda each: each.height * each.width)
        return [reader.step(node, call, largest, maps=node.input, join=True)]

    return form


def _resize(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    given, map_ = _attributes(node), reader.map(node)
    match reader.sizes.get(node.output[0]):
        case (_, _, int(height), int(width)):
            pass
        case _:
            raise reader.unfit(node, "to a size that is not known: export it with a fixed size")
    mode = given.get("mode", b"nearest").decode()
    how = given.get(
        "coordinate_transformation_mode", b"half_pixel" if node.op_type == "Resize" else b"asymmetric"
    ).decode()
    if mode == "linear" and how in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        words = ["align_corners = yes"] if how == "align_corners" else []
    elif mode == "nearest" and how == "asymmetric" and given.get("nearest_mode", b"floor") == b"floor":
        words = ['mode = "nearest"']
    elif mode == "nearest" and _grows(map_, height, width):
        words = ['mode = "nearest"']  # by a whole factor all ways of rounding agree
    else:
        raise reader.unfit(node, f"`{mode}` with `{how}` has no primitive")
    return [
        reader.step(
            node, f"resize({', '.join([_size(map_, height, width), *words])})", Map(map_.channels, height, width)
        )
    ]


def _grows(map_: Map, height: int, width: int) -> bool:
    return height % map_.height == width % map_.width == 0


def _size(map_: Map, height: int, width: int) -> str:
    if _grows(map_, height, width) and height // map_.height == width // map_.width:
        return str(height // map_.height)
    if map_.height % height == map_.width % width == 0 and map_.height // height == map_.width // width:
        return f"1 / {map_.height // height}"
    return f"size = {height}x{width}"


def _slice(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    """Rows and columns that are cut off, or some of the channels."""
    map_ = reader.map(node)
    starts, ends, axes, strides = (reader.constant(node, at) for at in range(1, 5))
    if starts is None or ends is None or axes is None or (strides is not None and any(strides.flatten() != 1)):
        raise reader.unfit(node, "only rows, columns and channels are cut off, one after the other")
    spans = {1: (0, map_.channels), 2: (0, map_.height), 3: (0, map_.width)}
    for start, end, axis in zip(starts.flatten(), ends.flatten(), axes.flatten(), strict=True):
        if int(axis) % 4 not in spans:
            raise reader.unfit(node, "cuts images of a batch")
        length = spans[int(axis) % 4][1]
        first, last = (min(length, max(0, int(each) + (length if each < 0 else 0))) for each in (start, end))
        spans[int(axis) % 4] = first, last
    shape = Map(*(last - first for first, last in spans.values()))
    if min(shape.channels, shape.height, shape.width) < 1:
        raise reader.unfit(node, "leaves nothing of its map")
    if (shape.height, shape.width) == (map_.height, map_.width):
        first, last = spans[1]
        call = f"slice({f'from = {first}, ' if first else ''}to = {last})"
        return [reader.step(node, call, shape)]
    if shape.channels != map_.channels:
        raise reader.unfit(node, "cuts channels and places at once")
    cut = {"top": spans[2][0], "left": spans[3][0]}
    cut |= {"bottom": map_.height - spans[2][1], "right": map_.width - spans[3][1]}
    call = f"crop({', '.join(f'{side} = {count}' for side, count in cut.items() if count)})"
    return [reader.step(node, call, shape)]


def _split(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    map_, given, parts = reader.map(node), _attributes(node), reader.constant(node, 1)
    if given.get("axis", 0) % 4 != 1:
        raise reader.unfit(node, "only channels are split, axis 1")
    counts = [int(each) for each in parts.flatten()] if parts is not None else []
    each = -(-map_.channels // len(node.output))
    counts = counts or [min(each, map_.channels - at * each) for at in range(len(node.output))]
    if sum(counts) != map_.channels or len(counts) != len(node.output):
        raise reader.unfit(node, f"its parts of {counts} channels are not the {map_.channels} of its map")
    steps: list[Step] = []
    for at, (value, count) in enumerate(zip(node.output, counts, strict=True)):
        first = sum(counts[:at])
        call = f"slice({f'from = {first}, ' if first else ''}to = {first + count})"
        steps.append(reader.step(node, call, Map(count, map_.height, map_.width), value=value))
    return steps


def _leaky_relu(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    slope = _number(_attributes(node).get("alpha", 0.01))
    return [reader.step(node, "leaky_relu" if slope == "0.01" else f"leaky_relu(slope = {slope})", reader.map(node))]


def _elu(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    alpha = _number(_attributes(node).get("alpha", 1.0))
    return [reader.step(node, "elu" if alpha == "1.0" else f"elu(alpha = {alpha})", reader.map(node))]


def _gelu(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    tanh = _attributes(node).get("approximate", b"none") == b"tanh"
    return [reader.step(node, 'gelu(approximate = "tanh")' if tanh else "gelu", reader.map(node))]


def _softmax(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    map_ = reader.map(node)
    axis = int(_attributes(node).get("axis", -1))
    if axis == -1 and (map_.height, map_.width) == (1, 1):
        axis = 1  # of a vector the last axis is that of channels
    words = {1: "", 2: '(axis = "height")', 3: '(axis = "width")'}
    if axis % 4 not in words:
        raise reader.unfit(node, "over the images of a batch")
    return [reader.step(node, f"softmax{words[axis % 4]}", map_)]


def _argmax(reader: _Reader, node: onnx.NodeProto) -> list[Step]:
    map_ = reader.map(node)
    if int(_attributes(node).get("axis", 0)) % 4 != 1:
        raise reader.unfit(node, "only the largest channel is read, axis 1")
    return [reader.step(node, "argmax", Map(1, map_.height, map_.width))]


FORMS: Final[Mapping[str, Form]] = {
    "Conv": _conv,
    "BatchNormalization": _norm,
    "Relu": _alike("relu"),
    "Sigmoid": _alike("sigmoid"),
    "HardSwish": _alike("hswish"),
    "HardSigmoid": _hard_sigmoid,
    "Clip": _clip,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": lambda reader, node: _over_all(reader, node, "global_avg_pool"),
    "GlobalMaxPool": lambda reader, node: _over_all(reader, node, "global_max_pool"),
    "ReduceMean": _mean,
    "Gemm": _linear,
    "MatMul": _linear,
    "Concat": _concat,
    "Add": _joined("add"),
    "Sum": _joined("add"),
    "Mul": _joined("multiply"),
    "Resize": _resize,
    "Upsample": _resize,
    "Slice": _slice,
    "Softmax": _softmax,
    "ArgMax": _argmax,
    "ConvTranspose": _conv_transpose,
    "Split": _split,
    "LeakyRelu": _leaky_relu,
    "Elu": _elu,
    "Gelu": _gelu,
    "Mish": _alike("mish"),
    "Tanh": _alike("tanh"),
}
"""What each operator becomes."""


def _keeps(reader: _Reader, node: onnx.NodeProto) -> bool:
    """Whether a reshape changes more than how a vector is written."""
    map_ = reader.maps.get(reader.value(node.input[0]))
    return map_ is None or (map_.height, map_.width) != (1, 1)


_SAME: Final[Mapping[str, Callable[[_Reader, onnx.NodeProto], bool]]] = {
    "Identity": lambda reader, node: False,
    "Dropout": lambda reader, node: False,
    "Flatten": _keeps,
    "Reshape": _keeps,
    "Squeeze": _keeps,
    "Unsqueeze": _keeps,
}
"""Operators that leave their map as it is; the function says where they do not."""


def _merged(steps: list[Step], reader: _Reader) -> list[Step]:
    """`x * sigmoid(x)` as `silu`, `x * hsigmoid(x)` as `hswish`."""
    writers = {step.value: step for step in steps}
    gone: set[str] = set()
    for step in steps:
        if step.call != "multiply" or len(step.maps) != 2:
            continue
        for map_, gate in (step.maps, step.maps[::-1]):
            writer = writers.get(gate)
            call = {"sigmoid": "silu", "hsigmoid": "hswish"}.get("" if writer is None else writer.call)
            if call and writer is not None and writer.maps == [map_] and reader.readers[gate] == 1:
                step.call, step.maps, step.join, step.module = call, [map_], False, writer.module
                gone.add(gate)
                break
    return [step for step in steps if step.value not in gone]


# Writing ----------------------------------------------------------------------------------------


def _lines(steps: list[Step], reader: _Reader) -> list[Line]:
    """A step continues the line of the map that it alone reads, where that is no activation."""
    taken = {*tables().lexicon.keywords, *PRIMITIVES, *BUILT_IN, *map(_identifier, reader.outputs)}
    taken |= {_identifier(each.name) for each in reader.inputs}
    used = Counter(name for step in steps for name in step.maps) + Counter(map(reader.value, reader.outputs))
    open_lines: dict[str, Line] = {}
    lines: list[Line] = []
    for step in steps:
        line = None if step.join or used[step.maps[0]] > 1 else open_lines.pop(step.maps[0], None)
        if line is None:
            line = Line("", [])
            lines.append(line)
        line.steps.append(step)
        if not PRIMITIVES[_primitive(step)].traits.activation:
            open_lines[step.value] = line
    for line in lines:
        owner = next((step for step in line.steps if step.tensors), line.steps[-1])
        line.name = _free(_identifier(owner.module), taken)
    return lines


def _primitive(step: Step) -> str:
    return step.call.partition("(")[0]


def _identifier(name: str) -> str:
    found = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    return found if found and not found[0].isdigit() else f"x{found}"


def _free(name: str, taken: set[str]) -> str:
    free, count = name, 1
    while free in taken or free in tables().lexicon.keywords:
        count += 1
        free = f"{name}_{count}"
    taken.add(free)
    return free


def _text(name: str, reader: _Reader, lines: Sequence[Line], file: str) -> str:
    names = {each.name: _identifier(each.name) for each in reader.inputs}
    names |= {step.value: line.name for line in lines for step in line.steps}
    written = [
        "archdsl 1",
        "",
        f"# From the ONNX model `{file}`.",
    ]
    written.append(f"space {name}() {{")
    for each in reader.inputs:
        map_ = reader.maps[each.name]
        written.append(f"in {names[each.name]}: {map_.channels}x{map_.sides}")
    scope = ""
    for line in lines:
        around = line.steps[0].module.rpartition(".")[0]
        if around != scope:
            written += ["", *([f"# {around}"] if around else [])]
            scope = around
        shape = reader.maps[line.steps[-1].value]
        written.append(f"{line.name} = {_pipe(line, names)}  # {shape.channels}x{shape.sides}")
    written.append("")
    for output in reader.outputs:
        value = reader.value(output)
        if value not in names:
            raise reader.source.unfit("it is a constant", field=output)
        written.append(f"out {_identifier(output)} = {names[value]}")
    written.append("}")
    return format(parse(SourceFile(name, "\n".join(written) + "\n")))


def _pipe(line: Line, names: Mapping[str, str]) -> str:
    first, *rest = line.steps
    if first.join:
        words = [f"{first.call}({', '.join(names[each] for each in first.maps)})"]
    else:
        words = [names[first.maps[0]], first.call]
    return " -> ".join([*words, *(step.call for step in rest)])


def _tensors(text: str, name: str, lines: Sequence[Line]) -> dict[str, Array]:
    """The weights by the names that the network of the text gives them. Raises NotImported where it has errors."""
    checked = check_source(SourceFile("<imported>", text))
    meaning = next((each for each in checked.meanings if each.name == name), None)
    if checked.failed or meaning is None or meaning.trace is None:
        raise NotImported(f"what the model says is no network: {checked.diagnostics[0].message}")
    from archdsl.ir import closed

    graph = closed(meaning.program, meaning.trace, name)
    found: dict[str, Array] = {}
    owned = _owned(graph)
    for line in lines:
        own = [step for step in line.steps if step.tensors]
        for tensors, step in zip(owned.get(line.name, ()), own, strict=True):
            found |= {full: step.tensors[full.rpartition(".")[2]] for full in tensors}
    return found


def _owned(graph: ClosedGraph) -> dict[str, list[Sequence[str]]]:
    """The tensors of each line, by the steps that own some in their order."""
    found: dict[str, list[Sequence[str]]] = {}
    for path in graph:
        weights = node_weights(graph, path)
        if weights:
            found.setdefault(str(graph.node(path).frames[0]), []).append(tuple(weights))
    return found
