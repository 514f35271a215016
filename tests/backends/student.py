"""FasterSeg's student as a closed graph with the frames that a text gives, at any image size and width."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction

from archdsl.ir import ClosedGraph, ClosedNode, verify
from archdsl.ir.graph import ClosedPayload
from archdsl.ops import Shape
from archdsl.ops.bind import bind
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Frame, FrameKind, Image, NodePath, Result

CELLS_A = (
    ("zoomed_conv3x3_x2", 1, 32),
    ("conv3x3_x2", 1, 32),
    ("conv3x3_x2", 2, 64),
    ("zoomed_conv3x3_x2", 1, 64),
    ("zoomed_conv3x3_x2", 1, 192),
    ("zoomed_conv3x3_x2", 1, 128),
)
CELLS_B = (
    ("zoomed_conv3x3", 2, 128),
    ("zoomed_conv3x3_x2", 1, 64),
    ("zoomed_conv3x3_x2", 1, 64),
    ("zoomed_conv3x3_x2", 1, 64),
    ("zoomed_conv3x3_x2", 2, 128),
    ("zoomed_conv3x3_x2", 1, 128),
    ("zoomed_conv3x3_x2", 1, 256),
)
SHARED = (("conv3x3_x2", 1, 32), ("conv3x3_x2", 1, 32), ("zoomed_conv3x3_x2", 1, 32))


class Text:
    """A graph under construction; frames are opened and closed as the text's cells, lines and ops are."""

    def __init__(self) -> None:
        self.nodes: dict[str, tuple[ClosedNode, tuple[str, ...]]] = {}
        self.frames: list[Frame] = []

    @contextmanager
    def frame(self, kind: FrameKind, name: str, definition: str = "") -> Generator[None, None, None]:
        self.frames.append(Frame(kind, name, definition))
        yield
        self.frames.pop()

    def line(self, name: str) -> AbstractContextManager[None]:
        return self.frame(FrameKind.LINE, name)

    def op(self, definition: str) -> AbstractContextManager[None]:
        """An op's call, numbered where its scope has had the same op before."""
        taken = {node.path for node, _ in self.nodes.values()}
        stem = "".join(f"{frame.name}." for frame in self.frames)
        name, number = definition, 1
        while any(path.startswith(f"{stem}{name}.") for path in taken):
            number += 1
            name = f"{definition}_{number}"
        return self.frame(FrameKind.OP, name, definition)

    def image(self, shape: Shape) -> str:
        return self.add("image", Image("image"), (), shape)

    def apply(self, primitive: str, *inputs: str, **given: object) -> str:
        rule = PRIMITIVES[primitive]
        payload = Apply(primitive, bind(rule, given))
        shape = rule.shape([self.nodes[path][0].shape for path in inputs], payload.attribute)
        stem = "".join(f"{frame.name}." for frame in self.frames)
        local, number = primitive, 1
        while f"{stem}{local}" in self.nodes:
            number += 1
            local = f"{primitive}_{number}"
        return self.add(local, payload, inputs, shape)

    def add(self, local: str, payload: ClosedPayload, inputs: tuple[str, ...], shape: Shape) -> str:
        node = ClosedNode(NodePath(tuple(self.frames), local), payload, shape)
        self.nodes[node.path] = (node, inputs)
        return node.path

    def result(self, name: str, source: str, *, auxiliary: bool = False) -> str:
        return self.add(f"out_{name}", Result(name, auxiliary), (source,), self.nodes[source][0].shape)

    def graph(self, name: str) -> ClosedGraph:
        return verify(ClosedGraph.of(name, self.nodes.values()))


def conv3x3(text: Text, x: str, c: int, s: int = 1, k: int = 3) -> str:
    with text.op(f"conv{k}x{k}"), text.op("conv_bn_relu"):
        y = text.apply("conv", x, c=c, k=k, s=s)
        return text.apply("relu", text.apply("bn", y))


def conv3x3_x2(text: Text, x: str, c: int, s: int = 1) -> str:
    with text.op("conv3x3_x2"):
        return conv3x3(text, conv3x3(text, x, c, s), c)


def zoomed(text: Text, x: str, c: int, s: int, *, twice: bool) -> str:
    with text.op("zoomed_conv3x3_x2" if twice else "zoomed_conv3x3"):
        with text.line("y"):
            y = text.apply("resize", x, factor=Fraction(1, 2), align_corners=True)
            if twice:
                y = conv3x3(text, y, c)
            y = text.apply("bn", text.apply("conv", y, c=c, k=3))
        if s == 1:
            y = text.apply("resize", y, x, align_corners=True)
        return text.apply("relu", y)


def cell(text: Text, name: str, x: str, operator: str, s: int, c: int) -> str:
    with text.frame(FrameKind.CELL, name, "searchable"), text.line("stay" if s == 1 else "down"):
        if operator == "conv3x3_x2":
            return conv3x3_x2(text, x, c, s)
        return zoomed(text, x, c, s, twice=operator == "zoomed_conv3x3_x2")


def fuse(text: Text, deep: str, fine: str, c: int) -> str:
    with text.op("fuse"):
        with text.line("up"):
            up = text.apply("resize", conv3x3(text, deep, c, k=1), fine, align_corners=True)
        return conv3x3(text, text.apply("concat", up, fine), c)


def seg_head(text: Text, x: str, middle: int, classes: int) -> str:
    with text.op("seg_head"):
        return text.apply("conv", conv3x3(text, x, middle), c=classes, k=1, bias=True)


def student(height: int, width: int, *, parts: int = 1, auxiliary: bool = True, classes: int = 19) -> ClosedGraph:
    """The published student; `parts` divides its channels. `height` and `width` are multiples of 64."""
    text = Text()
    x = text.image(Shape(3, height, width))
    with text.line("stem"):
        x = conv3x3(text, x, 32 // parts, 2)
        x = conv3x3_x2(text, x, 64 // parts, 2)
        x = conv3x3_x2(text, x, 64 // parts, 2)
    for layer, (operator, s, c) in enumerate(SHARED, 1):
        x = cell(text, f"trunk[{layer}][8]", x, operator, s, c // parts)
    a, b = (_branch(text, name, cells, x, parts) for name, cells in (("a", CELLS_A), ("b", CELLS_B)))
    with text.line("fused"), text.frame(FrameKind.CELL, "b.refined", "refined"):
        refined_b = fuse(text, fuse(text, b[32], b[16], 128 // parts), b[8], 64 // parts)
    with text.line("fused"), text.frame(FrameKind.CELL, "a.refined", "refined"):
        refined_a = fuse(text, a[16], a[8], 64 // parts)
    with text.line("fused"):
        fused = conv3x3(text, text.apply("concat", refined_b, refined_a), 128 // parts, k=1)
    with text.line("logits"):
        logits = seg_head(text, fused, 128 // parts, classes)
        logits = text.apply("resize", logits, factor=Fraction(8), align_corners=True)
    text.result("logits", logits)
    if auxiliary:
        with text.line("deep"):
            deep = text.apply("resize", seg_head(text, b[32], 256 // parts, classes), factor=32, align_corners=True)
        text.result("deep", deep, auxiliary=True)
        with text.line("middle"):
            both = text.apply("concat", b[16], a[16])
            middle = text.apply("resize", seg_head(text, both, 192 // parts, classes), factor=16, align_corners=True)
        text.result("middle", middle, auxiliary=True)
    return text.graph("fasterseg_student")


def _branch(text: Text, name: str, cells: tuple[tuple[str, int, int], ...], x: str, parts: int) -> dict[int, str]:
    """The branch's last map at each scale."""
    scale = 8
    lasts = {scale: x}
    for layer, (operator, s, c) in enumerate(cells, 4):
        y = cell(text, f"{name}.trunk[{layer}][{scale}]", lasts[scale], operator, s, c // parts)
        scale *= s
        lasts[scale] = y
    return lasts


def with_auxiliary() -> ClosedGraph:
    """A network with an auxiliary output, which has a layer of its own."""
    text = Text()
    x = text.image(Shape(3, 16, 16))
    with text.line("stem"):
        x = conv3x3(text, x, 4)
    with text.line("deep"):
        deep = text.apply("conv", x, c=5, k=1, bias=True)
    text.result("logits", x)
    text.result("deep", deep, auxiliary=True)
    return text.graph("small")
