"""Closed graphs written by hand, with shapes computed by the rules."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ir import ClosedGraph, ClosedNode, verify
from archdsl.ir.graph import ClosedPayload
from archdsl.ops import Shape
from archdsl.ops.bind import bind
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Frame, FrameKind, Image, NodePath, Result


class Sketch:
    """Nodes added one after the other; each method gives the path of what it added."""

    def __init__(self, name: str = "sketch") -> None:
        self.name = name
        self.nodes: dict[str, tuple[ClosedNode, tuple[str, ...]]] = {}

    def image(self, channels: int, height: int, width: int, name: str = "image") -> str:
        return self._add(name, Image(name), (), Shape(channels, height, width))

    def apply(self, path: str, primitive: str, *inputs: str, **given: object) -> str:
        """A primitive at a path like `cell.op.conv`."""
        rule = PRIMITIVES[primitive]
        payload = Apply(primitive, bind(rule, given))
        maps = [self.nodes[source][0].shape for source in inputs]
        return self._add(path, payload, inputs, rule.shape(maps, payload.attribute))

    def conv_bn_relu(self, path: str, source: str, **given: object) -> str:
        y = self.apply(f"{path}.conv", "conv", source, **given)
        y = self.apply(f"{path}.bn", "bn", y)
        return self.apply(f"{path}.relu", "relu", y)

    def result(self, name: str, source: str, *, auxiliary: bool = False) -> str:
        return self._add(f"out_{name}", Result(name, auxiliary), (source,), self.nodes[source][0].shape)

    def graph(self) -> ClosedGraph:
        return verify(ClosedGraph.of(self.name, self.nodes.values()))

    def _add(self, path: str, payload: ClosedPayload, inputs: tuple[str, ...], shape: Shape) -> str:
        *scopes, local = path.split(".")
        frames = tuple(
            Frame(FrameKind.OP if depth else FrameKind.CELL, scope, scope) for depth, scope in enumerate(scopes)
        )
        self.nodes[path] = (ClosedNode(NodePath(frames, local), payload, shape), inputs)
        return path


def of_one(primitive: str, *maps: Shape, **given: object) -> ClosedGraph:
    """A network of one primitive."""
    sketch = Sketch(primitive)
    sketch.result("y", sketch.apply(f"cell.{primitive}", primitive, *maps_of_an_image(sketch, maps), **given))
    return sketch.graph()


def maps_of_an_image(sketch: Sketch, maps: Sequence[Shape]) -> list[str]:
    """An image, and maps of these shapes: each is the image, or a crop of a one-by-one convolution of it."""
    height = max(shape.height for shape in maps)
    width = max(shape.width for shape in maps)
    channels = maps[0].channels
    assert isinstance(channels, int)
    image = sketch.image(channels, height, width)
    return [_as(sketch, image, shape, number) for number, shape in enumerate(maps)]


def _as(sketch: Sketch, image: str, shape: Shape, number: int) -> str:
    found = sketch.nodes[image][0].shape
    y = image
    if shape.channels != found.channels:
        y = sketch.apply(f"map{number}.conv", "conv", y, c=shape.channels, k=1)
    if (shape.height, shape.width) != (found.height, found.width):
        bottom, right = found.height - shape.height, found.width - shape.width
        y = sketch.apply(f"map{number}.crop", "crop", y, bottom=bottom, right=right)
    return y


def small_network() -> ClosedGraph:
    """Two branches, a zoomed conv, a residual sum, a depthwise conv, a pooled context, and an auxiliary output."""
    sketch = Sketch("small")
    image = sketch.image(3, 64, 96)
    stem = sketch.conv_bn_relu("stem.conv_bn_relu", image, c=8, s=2)
    down = sketch.conv_bn_relu("stem.conv_bn_relu_2", stem, c=16, s=2)
    half = sketch.apply("zoomed.resize", "resize", down, factor=0.5, align_corners=True)
    conv = sketch.apply("zoomed.conv", "conv", half, c=16)
    norm = sketch.apply("zoomed.bn", "bn", conv)
    back = sketch.apply("zoomed.resize_2", "resize", norm, down, align_corners=True)
    zoomed = sketch.apply("zoomed.relu", "relu", back)
    total = sketch.apply("trunk.add", "add", zoomed, down)
    depth = sketch.apply("trunk.dwconv", "dwconv", total, k=5)
    point = sketch.apply("trunk.conv", "conv", depth, c=24, k=1)
    trunk = sketch.apply("trunk.bn", "bn", point)
    pooled = sketch.apply("context.global_avg_pool", "global_avg_pool", trunk)
    pooled = sketch.conv_bn_relu("context.conv1x1", pooled, c=8, k=1)
    context = sketch.apply("context.resize", "resize", pooled, trunk)
    joined = sketch.apply("head.concat", "concat", trunk, context)
    fused = sketch.conv_bn_relu("head.conv3x3", joined, c=16)
    logits = sketch.apply("head.conv", "conv", fused, c=5, k=1, bias=True)
    large = sketch.apply("head.resize", "resize", logits, factor=4)
    sketch.result("logits", large)
    side = sketch.conv_bn_relu("aux.conv3x3", total, c=8)
    sketch.result("side", sketch.apply("aux.conv", "conv", side, c=5, k=1, bias=True), auxiliary=True)
    return sketch.graph()
