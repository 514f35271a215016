"""Sizes of the image that do not divide."""

from __future__ import annotations

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter
from archdsl.space import Image, Program
from archdsl.space.divisibility import Item, crops, multiple, uneven
from archdsl.syntax import ast
from archdsl.text import Span


def report_uneven(program: Program, items: list[Item], reporter: Reporter, here: Span) -> None:
    """Report the first node at which the image's size does not divide; those behind it follow from it."""
    found = next(uneven(items), None)
    if found is None:
        return
    image = next(node for node in program.nodes if isinstance(node.payload, Image))
    height, width = image.shape.height, image.shape.width
    step = multiple(items)
    node = program.nodes[found.node]
    rows, columns = found.before
    if found.factor == 1 and crops(items):
        name = node.local.removeprefix("out ")
        reporter.report(
            codes.DOES_NOT_DIVIDE,
            f"the output `{name}` is {rows}x{columns} of an image of {height}x{width}: it has to be image-sized",
            node.span or here,
            f"{rows}x{columns}",
            also=(Mark(image.span, f"{height}x{width}"),) if image.span is not None else (),
            help=f"leave out what crops it (a `conv` pads), or end it with `-> resize(like = {image.local})`",
        )
        return
    if found.factor == 1:
        what = f"its output `{node.local.removeprefix('out ')}` comes back as {rows}x{columns}"
    else:
        what = f"at `{node.path}` a map of {rows}x{columns} is not divided by {found.factor} without a rest"
    reporter.report(
        codes.DOES_NOT_DIVIDE,
        f"an image of {height}x{width} does not divide: {what}",
        image.span or here,
        f"{height}x{width}",
        also=(Mark(node.span, "a rest is left here"),) if node.span is not None else (),
        help=f"take multiples of {step}, such as {_near(height, step)}x{_near(width, step)}",
    )


def image_size(space: ast.Space, given: tuple[int, int] | None) -> tuple[int, int] | None:
    """Height and width of a space's image: as given, else as its text says."""
    if given is not None:
        return given
    shapes = [port.shape for line in space.body if isinstance(line, ast.Input) for port in line.ports if port.shape]
    return (shapes[0].dims[1], shapes[0].dims[2]) if shapes and len(shapes[0].dims) == 3 else None


def report_size(even: Program, items: list[Item], size: tuple[int, int], reporter: Reporter) -> None:
    """Report a size at which maps do not fit, where they do at an even one."""
    image = next(node for node in even.nodes if isinstance(node.payload, Image))
    step = multiple(items)
    reporter.report(
        codes.DOES_NOT_DIVIDE,
        f"an image of {size[0]}x{size[1]} does not divide: maps that meet would differ by a row or a column",
        image.span,
        f"{size[0]}x{size[1]}",
        help=f"take multiples of {step}, such as {_near(size[0], step)}x{_near(size[1], step)}",
    )


def _near(length: int, step: int) -> int:
    return max(1, round(length / step)) * step
