"""Options shared by commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from archdsl.ops import Shape

    Images = click.ParamType[Shape]
    Pixels = click.ParamType[tuple[int, int]]
    Setting = click.ParamType[tuple[str, str]]
    Bytes = click.ParamType[int]
    Factors = click.ParamType[tuple[float, ...]]
    Others = click.ParamType[tuple[str, Path]]
    Place = click.ParamType[Path | None]
else:
    # Older versions of the library cannot say what a type converts to.
    Images = Pixels = Setting = Bytes = Factors = Others = Place = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])

_INPUT = re.compile(r"(?:(\d+)x)?(\d+)x(\d+)x(\d+)")
_LARGEST = 65_536
_LARGEST_SCALE = 16


class NewFile(Place):
    """A file to write; None for `-`, which is standard output."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | None:
        return None if str(value) == "-" else Path(value)


class InputShape(Images):
    """`1x3x1024x2048` or `3x1024x2048`: images, channels, height, width of the first input."""

    name = "1xCxHxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shape:
        from archdsl.ops import Shape

        if isinstance(value, Shape):
            return value
        match = _INPUT.fullmatch(value)
        sides = [int(each) for each in match.groups()[1:]] if match else [0]
        if match is None or int(match[1] or 1) != 1 or 0 in sides:
            self.fail(f"`{value}` is not an input size; write one RGB image as `1x3x1024x2048`", param, ctx)
        if max(sides) > _LARGEST:
            self.fail(f"`{value}` is larger than any image: {_LARGEST:,} rows and columns are allowed", param, ctx)
        return Shape(*sides)


class FrameSize(Pixels):
    """`180x240`: height, width."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return cast("tuple[int, int]", value)
        match = re.fullmatch(r"(\d+)x(\d+)", value)
        if match is None or not 0 < min(int(match[1]), int(match[2])) <= max(int(match[1]), int(match[2])) <= _LARGEST:
            self.fail(f"`{value}` is not a size; write height and width as `180x240`", param, ctx)
        return int(match[1]), int(match[2])


class ByteSize(Bytes):
    """`4GB`, `512MB`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([MG]B)", value)
        if match is None:
            self.fail(f"`{value}` is not a size of memory; write `4GB` or `512MB`", param, ctx)
        return int(float(match[1]) * (10**9 if match[2] == "GB" else 10**6))


class Override(Setting):
    """`classes=11`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return cast("tuple[str, str]", value)
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip() or not text.strip():
            self.fail(f"`{value}` sets no parameter; write `--set classes=11`", param, ctx)
        from archdsl.session import parameter

        try:
            parameter(text.strip())
        except ValueError as error:
            self.fail(f"`{name.strip()}` cannot be set: {error}", param, ctx)
        return name.strip(), text.strip()


class Other(Others):
    """`depth=d.png`."""

    name = "NAME=PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        if isinstance(value, tuple):
            return cast("tuple[str, Path]", value)
        name, equals, place = str(value).partition("=")
        if not equals or not name.strip() or not place:
            self.fail(f"`{value}` names no input and its image; write `--with depth=d.png`", param, ctx)
        return name.strip(), Path(place)


def overrides(command: F) -> F:
    """`--set classes=11`, any number of times."""
    return click.option(
        "--set",
        "overrides",
        type=Override(),
        multiple=True,
        metavar="NAME=VALUE",
        help="Give a parameter of the space, or of the search, another value.",
    )(command)


class Scales(Factors):
    """`0.75,1,1.25`."""

    name = "S,S"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return cast("tuple[float, ...]", value)
        try:
            found = tuple(float(each) for each in str(value).split(","))
        except ValueError:
            found = ()
        if not found or not all(0 < each <= _LARGEST_SCALE for each in found):
            self.fail(f"`{value}` is not a list of scales; write `0.75,1,1.25`", param, ctx)
        return found


def views(command: F) -> F:
    """`--flip --scales 0.75,1,1.25`."""
    scaled = click.option(
        "--scales", type=Scales(), default="1", metavar="S,S", help="Average over the image at these scales."
    )
    return click.option("--flip", is_flag=True, help="Average over the image and its mirror image.")(scaled(command))


def device(command: F) -> F:
    """`--device cpu`."""
    return click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to run."
    )(command)


def input_size(command: F) -> F:
    """`--input 1x3x1024x2048`."""
    return click.option(
        "--input",
        "shape",
        type=InputShape(),
        metavar="1xCxHxW",
        help="The image's size, instead of the one in the text; channels are those of the text.",
    )(command)


def output_name(command: F) -> F:
    """`--output logits`."""
    return click.option("--output", metavar="NAME", help="The output of classes, where the network has several.")(
        command
    )


def memory_budget(command: F) -> F:
    """`--memory 4GB`."""
    return click.option(
        "--memory",
        "memory_bytes",
        type=ByteSize(),
        metavar="SIZE",
        help="With a supernet: what a step may take, `4GB`; cells compute maps again so that it fits.",
    )(command)


def keep_maps(command: F) -> F:
    """`--keep-maps`."""
    return click.option(
        "--keep-maps",
        is_flag=True,
        help="With a supernet: compute no layer again; more memory, and fewer kernels for an accelerator to start.",
    )(command)


def data_size(command: F) -> F:
    """`--size 180x240`."""
    return click.option(
        "--size", "data_size", type=FrameSize(), metavar="HxW", help="Scale the images of the data to this size."
    )(command)


def text_or_json(command: F) -> F:
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="For people or for machines.",
    )(command)


def diagnostics_format(command: F) -> F:
    """The styles of diagnostics; `text` and `full` both have source excerpts."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "full", "concise", "json", "github", "sarif"]),
        default="text",
        show_default=True,
        help="How diagnostics are shown; `full` is another name of `text`.",
    )(command)
