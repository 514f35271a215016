"""Models of Ultralytics as their YAML files say them: a list of layers with sources, repeats, module and arguments.

    backbone:
      - [-1, 1, Conv, [64, 3, 2]]
    head:
      - [[-1, 6], 1, Concat, [1]]

Modules are ops of `spaces/ultralytics.arch`, by their names there. A file says several scales, of depth, width and the
most channels; one is written. Of a head for boxes the maps are outputs, not the boxes that are decoded of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Protocol, TypeAlias, cast

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from archdsl.documents import Schema
from archdsl.exchange.errors import NotImported
from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.source import Source
from archdsl.fmt import format
from archdsl.syntax import parse
from archdsl.text import SourceFile

_MOST: Final = 256 * 1024
_MOST_LAYERS: Final = 1_000
_DEEPEST: Final = 20
_LARGEST: Final = 1_000_000
_HEADS: Final = 64
"""Channels of each head of attention."""


# YAML -------------------------------------------------------------------------------------------


class _Steps(Protocol):
    """What is used of a loader, which has no types."""

    def check_event(self, kind: type) -> bool: ...
    def peek_event(self) -> Any: ...
    def get_single_node(self) -> Any: ...
    def construct_document(self, node: Any) -> Any: ...
    def dispose(self) -> None: ...


class _Loader(yaml.SafeLoader):
    """Plain data alone: no tags but those of YAML itself, no aliases, no field twice, bounded depth."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        steps = cast("_Steps", self)
        if steps.check_event(yaml.AliasEvent):
            raise _refused("an alias stands for another place", steps.peek_event().start_mark)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _refused("it nests too deep", steps.peek_event().start_mark)
        node: Any = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        found: Any = super().construct_mapping(node, deep=deep)
        if len(found) < len(node.value):
            raise _refused("a field stands there twice", node.start_mark)
        return found


def _refused(what: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, what, mark)


class _Model(Schema, extra="allow"):
    nc: int = Field(default=80, ge=1, le=10_000)
    ch: int = Field(default=3, ge=1, le=64)
    reg_max: int = Field(default=16, ge=1, le=64)
    end2end: bool = False
    scale: str | None = None
    scales: dict[str, Annotated[list[float], Field(min_length=3, max_length=3)]] = Field(default_factory=dict)
    depth_multiple: float = Field(default=1.0, gt=0, le=16)
    width_multiple: float = Field(default=1.0, gt=0, le=16)
    backbone: list[Any]
    head: list[Any] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One line of the list."""

    number: int
    line: int
    sources: tuple[int, ...]
    repeats: int
    module: str
    arguments: tuple[Any, ...]


_LAYER: Final = TypeAdapter(tuple[int | list[int], int, str, list[Any]])


def _read(source: Source) -> tuple[_Model, list[_Layer]]:
    try:
        loader = cast("_Steps", _Loader(source.text))
        try:
            node = loader.get_single_node()
            content: Any = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
        model = _Model.model_validate(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise source.unfit(f"it is no YAML that is read: {error.problem}", line=mark and mark.line + 1) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise source.unfit(first["msg"].lower(), field=place or "the file") from None
        raise source.unfit("it is no YAML that is read") from None
    lines = _lines_of(node)
    given = [*model.backbone, *model.head]
    if len(given) > _MOST_LAYERS:
        raise source.unfit(f"it has {len(given):,} layers, and {_MOST_LAYERS:,} are read")
    return model, [_layer(source, at, each, lines[at]) for at, each in enumerate(given)]


def _lines_of(node: Any) -> list[int]:
    fields = {key.value: value for key, value in node.value}
    items = [item for name in ("backbone", "head") if name in fields for item in fields[name].value]
    return [item.start_mark.line + 1 for item in items]


def _layer(source: Source, number: int, given: Any, line: int) -> _Layer:
    try:
        sources, repeats, module, arguments = _LAYER.validate_python(given, strict=False)
    except ValidationError:
        raise source.unfit(
            "a layer is [from, repeats, module, arguments]", line=line, field=f"layer {number}"
        ) from None
    listed = (sources,) if isinstance(sources, int) else tuple(sources)
    found = tuple(number + each if each < 0 else each for each in listed)
    if not found or not all(-1 <= each < number for each in found):
        raise source.unfit(
            f"it reads {sources}, and layers before it are 0 to {number - 1}", line=line, field=f"layer {number}"
        )
    if not 1 <= repeats <= 100:
        raise source.unfit(f"{repeats} repeats, and 1 to 100 are read", line=line, field=f"layer {number}")
    return _Layer(number, line, found, repeats, module, tuple(None if each == "None" else each for each in arguments))


# Scales -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    name: str
    depth: Fraction
    width: Fraction
    most: Fraction

    def channels(self, count: int) -> int:
        """The multiple of 8 above."""
        scaled = min(Fraction(count), self.most) * self.width
        return int(-(-scaled // 8) * 8)

    def repeats(self, count: int) -> int:
        return max(round(count * self.depth), 1) if count > 1 else count


def _scale(source: Source, model: _Model, asked: str) -> _Scale:
    if not model.scales:
        if asked:
            raise source.unfit(f"it has no scales, and `{asked}` is none of them", field="scales")
        return _Scale("", _exact(model.depth_multiple), _exact(model.width_multiple), Fraction(_LARGEST))
    stem = source.stem
    own = re.search(r"yolo(?:v|e)?\d*([a-z])(?=[_.-]|$)", stem)
    chosen = asked or model.scale or (own[1] if own and own[1] in model.scales else next(iter(model.scales)))
    if chosen not in model.scales:
        raise source.unfit(f"it has no scale `{chosen}`: it has {', '.join(model.scales)}", field="scales")
    depth, width, most = map(_exact, model.scales[chosen])
    if not (0 < depth <= 16 and 0 < width <= 16 and 8 <= most <= _LARGEST):
        raise source.unfit("depth, width and the most channels are out of range", field=f"scales.{chosen}")
    return _Scale(chosen, depth, width, most)


def _exact(number: float) -> Fraction:
    return Fraction(str(number))


# Modules ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Text:
    """The network as it is written."""

    source: Source
    model: _Model
    scale: _Scale
    layer: _Layer
    channels: list[int] = field(default_factory=list[int])
    strides: list[int] = field(default_factory=list[int])
    """Of each layer against the image."""
    lines: list[str] = field(default_factory=list[str])
    classes: int = 0
    """Of a head, where the network has one."""
    modern: bool = True
    """Whether heads have depthwise convs, as in files with `C3k2`."""
    comments: list[str] = field(default_factory=list[str])

    def unfit(self, what: str) -> NotImported:
        layer = self.layer
        return self.source.unfit(what, line=layer.line, field=f"layer {layer.number}: {layer.module}")

    def argument(self, at: int, kind: type, default: Any = None) -> Any:
        """An argument of the layer; numbers of classes may stand there by their name, `nc`."""
        given = self.layer.arguments
        value = given[at] if at < len(given) and given[at] is not None else default
        value = self.model.nc if value == "nc" else value
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or (kind is int and not 0 < value <= _LARGEST):
            raise self.unfit(f"its argument {at + 1} is `{value}`, and {_KINDS[kind]} is read")
        return value

    def input(self, at: int = 0) -> str:
        return _name(self.layer.sources[at])

    def width(self, at: int = 0) -> int:
        number = self.layer.sources[at]
        return self.model.ch if number < 0 else self.channels[number]

    def stride(self, at: int = 0) -> int:
        number = self.layer.sources[at]
        return 1 if number < 0 else self.strides[number]

    def add(self, value: str, channels: int, stride: int) -> None:
        self.channels.append(channels)
        self.strides.append(stride)
        self.lines.append(f"{_name(self.layer.number)} = {value}  # {self.layer.module}, 1/{stride}")

    def one(self, call: str, channels: int, stride: int = 1) -> None:
        self.add(f"{self.input()} -> {call}", channels, self.stride() * stride)


_KINDS: Final = {int: "a whole number above 0", bool: "True or False", float: "a number", str: "a word"}
_Module: TypeAlias = Callable[[_Text], None]


def _name(number: int) -> str:
    return "image" if number < 0 else f"x{number}"


def _words(*given: tuple[str, object, object]) -> str:
    """Arguments that are not those of the op itself."""
    return "".join(f", {name} = {_spelled(value)}" for name, value, default in given if value != default)


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else f"{value.numerator} / {value.denominator}"
    return str(value)


def _conv(text: _Text) -> None:
    channels = text.scale.channels(text.argument(0, int))
    k, s = text.argument(1, int, 1), text.argument(2, int, 1)
    text.one(f"Conv({channels}{_words(('k', k, 1), ('s', s, 1))})", channels, s)


def _dwconv(text: _Text) -> None:
    channels = text.scale.channels(text.argument(0, int))
    if channels != text.width():
        raise text.unfit(
            f"writes {channels} channels of {text.width()}: only as many as it reads are a depthwise convolution"
        )
    k, s = text.argument(1, int, 1), text.argument(2, int, 1)
    text.one(f"DWConv(k = {k}{_words(('s', s, 1))})", channels, s)


def _repeated(text: _Text, most: int) -> int:
    repeats = text.scale.repeats(text.layer.repeats)
    if repeats > most:
        raise text.unfit(
            f"{repeats} repeats, and the op has up to {most}: write it by hand from `spaces/ultralytics.arch`"
        )
    return repeats


def _c3k2(text: _Text) -> None:
    channels = text.scale.channels(text.argument(0, int))
    c3k = text.argument(1, bool, False) or text.scale.name in ("m", "l", "x")
    e, attn = text.argument(2, float, 0.5), text.argument(3, bool, False)
    shortcut = text.argument(5, bool, True)
    hidden = int(channels * _exact(e))
    heads = _attention_heads(text, hidden) if attn else 1
    words = _words(("n", _repeated(text, 2), 1), ("c3k", c3k and not attn, False), ("e", _exact(e), Fraction(1, 2)))
    words += _words(("attn", attn, False), ("heads", heads, 1), ("shortcut", shortcut, True))
    text.one(f"C3k2({channels}{words})", channels)


def _attention_heads(text: _Text, channels: int) -> int:
    heads = max(channels // _HEADS, 1)
    if channels != heads * _HEADS:
        raise text.unfit(f"attention over {channels} channels, and only heads of {_HEADS} are read")
    return heads


def _c2psa(text: _Text) -> None:
    channels = text.scale.channels(text.argument(0, int))
    if channels != text.width():
        raise text.unfit(f"writes {channels} channels and reads {text.width()}: they are as many")
    heads = _attention_heads(text, channels // 2)
    text.one(f"C2PSA(heads = {heads}{_words(('n', _repeated(text, 2), 1))})", channels)


def _sppf(text: _Text) -> None:
    channels = text.scale.channels(text.argument(0, int))
    k, n, shortcut = text.argument(1, int, 5), text.argument(2, int, 3), text.argument(3, bool, False)
    if n != 3:
        raise text.unfit(f"{n} pools, and the op has 3")
    later = len(text.layer.arguments) > 2
    if not later:
        text.comments.append("The first conv of `SPPF` has an activation, as in the releases that trained YOLO11.")
    words = _words(("k", k, 5), ("shortcut", shortcut and channels == text.width(), False), ("act", not later, True))
    text.one(f"SPPF({channels}{words})", channels)


def _upsample(text: _Text) -> None:
    factor, mode = text.argument(1, int, 2), text.argument(2, str, "nearest")
    if text.layer.arguments and text.layer.arguments[0] is not None:
        raise text.unfit("to a size: only a factor is read, [None, 2, nearest]")
    if mode not in ("nearest", "bilinear") or text.stride() % factor:
        raise text.unfit(f"by {factor} in mode `{mode}`, which is not read")
    words = ', mode = "nearest"' if mode == "nearest" else ""
    text.add(f"{text.input()} -> resize({factor}{words})", text.width(), text.stride() // factor)


def _concat(text: _Text) -> None:
    if text.argument(0, int, 1) != 1:
        raise text.unfit("only channels are joined, [1]")
    maps = range(len(text.layer.sources))
    strides = {text.stride(at) for at in maps}
    if len(strides) != 1:
        raise text.unfit(f"joins maps at 1/{', 1/'.join(map(str, sorted(strides)))} of the image")
    text.add(f"concat({', '.join(map(text.input, maps))})", sum(map(text.width, maps)), strides.pop())


# Heads ------------------------------------------------------------------------------------------


def _semantic(text: _Text) -> None:
    """Logits, brought to the size of the image as on export; the head on the second map is trained with."""
    text.classes = text.argument(0, int, text.model.nc)
    text.comments.append("As on export the logits are resized to the image; its training has them at their own size.")
    head = f"Conv({text.width()}, k = 3) -> conv(classes, k = 1, bias = yes)"
    text.lines.append(f"out logits = {text.input()} -> {head} -> resize({text.stride()})")
    if len(text.layer.sources) > 1:
        text.lines.append(f"out aux deep = {text.input(1)} -> {head}")


def _maps(text: _Text, kinds: Mapping[str, str]) -> None:
    """Outputs of each source; where a file says `end2end`, those that are trained with beside them."""
    for at in range(len(text.layer.sources)):
        level = f"p{text.stride(at).bit_length() - 1}"
        for name, call in kinds.items():
            text.lines.append(f"out {name}_{level} = {text.input(at)} -> {call}")
            if text.model.end2end:
                text.lines.append(f"out aux many_{name}_{level} = {text.input(at)} -> {call}")


def _boxes(text: _Text) -> dict[str, str]:
    text.classes = text.argument(0, int, text.model.nc)
    bins, width = text.model.reg_max, text.width()
    scores = f"{max(width, min(text.classes, 100))}, classes = classes"
    text.comments.append("Boxes are not decoded: the outputs are maps of distances to their sides and of classes.")
    if text.model.end2end:
        text.comments.append(
            "The maps of `many` answer for each place, and are trained with beside those of one for each thing."
        )
    return {
        "sides": f"Sides({max(16, width // 4, 4 * bins)}, bins = {bins})",
        "classes": f"{'Scores' if text.modern else 'PlainScores'}({scores})",
    }


def _detect(text: _Text) -> None:
    _maps(text, _boxes(text))


def _segment(text: _Text) -> None:
    masks, inner = text.argument(1, int, 32), text.scale.channels(text.argument(2, int, 256))
    coefficients = f"MaskCoefficients({max(text.width() // 4, masks)}, masks = {masks})"
    _maps(text, {**_boxes(text), "masks": coefficients})
    if text.layer.module == "Segment":
        text.lines.append(f"out prototypes = {text.input()} -> Proto({inner}, masks = {masks})")
        return
    width = text.width()
    finer = [
        f'({text.input(at)} -> Conv({width}) -> resize({text.stride(at) // text.stride()}, mode = "nearest"))'
        for at in range(1, len(text.layer.sources))
    ]
    text.lines.append(f"fused = {' + '.join([text.input(), *finer])}")
    text.lines.append(f"out prototypes = fused -> Conv({inner}, k = 3) -> Proto({inner}, masks = {masks})")
    text.lines.append(
        f"out aux semantic = fused -> Conv({inner}, k = 3) -> Conv({inner}, k = 3) -> conv(classes, k = 1, bias = yes)"
    )


MODULES: Final[Mapping[str, _Module]] = {
    "Conv": _conv,
    "DWConv": _dwconv,
    "C3k2": _c3k2,
    "C2PSA": _c2psa,
    "SPPF": _sppf,
    "nn.Upsample": _upsample,
    "Concat": _concat,
    "Detect": _detect,
    "Segment": _segment,
    "Segment26": _segment,
    "SemanticSegment": _semantic,
}
"""Those of the published files of YOLO11 and YOLO26 that are read."""


def read(request: Request) -> Imported:
    """A space without questions. Raises NotImported, OSError."""
    source = Source(request.source.file, request.source.item, _MOST)
    model, layers = _read(source)
    scale = _scale(source, model, request.scale)
    if not layers:
        raise source.unfit("it has no layers")
    text = _Text(source, model, scale, layers[0], modern=any(layer.module == "C3k2" for layer in layers))
    for layer in layers:
        text.layer = layer
        module = MODULES.get(layer.module)
        if module is None:
            raise text.unfit(
                f"`{layer.module}` is not known: import the file with a known module in its place, write "
                f"`op {layer.module.rpartition('.')[2]}(c)` in the text that comes of it, and call it there; known are "
                f"{', '.join(MODULES)}"
            )
        module(text)
    name = request.named("network")
    size = 1024 if layers[-1].module == "SemanticSegment" else 640
    about = f"From `{Path(source.file).name}`" + (f", scale `{scale.name}`." if scale.name else ".")
    if scale.name:
        about += f" It has {', '.join(model.scales)}."
    comments = [about, f"The file says no size of images; {size} x {size} is usual.", *text.comments]
    body = [f"in image: {model.ch}x{size}x{size}", *text.lines]
    if not any(line.startswith("out ") for line in body):
        body.append(f"out y = {_name(layers[-1].number)}")
    classes = f"classes = {text.classes}" if text.classes else ""
    written = [
        "archdsl 1",
        "",
        "use ultralytics",
        "",
        *(f"# {each}" for each in comments),
        f"space {name}({classes}) {{",
    ]
    written += [f"  {line}" for line in body] + ["}"]
    return Imported(name, format(parse(SourceFile(name, "\n".join(written) + "\n"))))
