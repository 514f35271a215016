"""Maps that meet and differ: where each was made, and what to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from archdsl.diagnostics import Label as Mark
from archdsl.ops import Join, Shape
from archdsl.ops.joining import differ
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema import codes
from archdsl.sema.elaborate.values import Environment, Evaluator, Map, Value
from archdsl.space import Image
from archdsl.text import Span

_STRIDE = re.compile(r"\bs = (\d+)")


def report(
    ev: Evaluator,
    primitive: str,
    nodes: tuple[int, ...],
    env: Environment,
    span: Span,
    *,
    channels: bool,
    spreads: bool = False,
) -> Value:
    """Report the first two maps of a sum, a product or a concat that do not fit together.

    `spreads` is whether a side or a channel count of 1 fits all.
    """
    found = unlike([ev.builder.shape(node) for node in nodes], channels=channels, spreads=spreads)
    assert found is not None
    one, other = (nodes[position] for position in found)
    left, right = ev.builder.shape(one), ev.builder.shape(other)
    join = PRIMITIVES[primitive].traits.join or Join(primitive, f"`{primitive}`", "join")
    where = f"at the {join.noun} `{env.line}`" if env.line else f"at a {join.noun}"
    names = [_name(env, node) for node in (one, other)]
    facts = [_channels(left), _channels(right)] if channels else [_size(left), _size(right)]
    parts = [_count(left), _count(right)] if channels else _parts(ev, left, right)
    places = ev.builder.origins(one, other)
    marks = tuple(
        Mark(place, f"{f'`{name}`' if name else 'this map'} {'has' if channels else 'is'} {fact}")
        for place, name, fact in zip(places, names, facts, strict=True)
        if place is not None and place != span
    )
    help = _same_channels(left, right, names) if channels else _same_size(left, right, names, places)
    return ev.poison(
        codes.CHANNELS_DIFFER if channels else codes.RESOLUTIONS_DIFFER,
        f"{'channels' if channels else 'resolutions'} differ {where}: {parts[0]} and {parts[1]}",
        span,
        f"cannot {join.verb} {facts[0]} and {facts[1]}",
        also=marks,
        help=help,
    )


def unlike(shapes: Sequence[Shape], *, channels: bool, spreads: bool) -> tuple[int, int] | None:
    """The first two, by their positions, that differ in their channel counts, or in their heights and widths."""
    for position, other in enumerate(shapes):
        for before, one in enumerate(shapes[:position]):
            if differ(one, other, channels=channels, spreads=spreads):
                return before, position
    return None


def _name(env: Environment, node: int) -> str:
    """The name of a map in this body, or nothing."""
    found = (name for name, value in env.names.items() if isinstance(value, Map) and value.node == node)
    return next(found, "")


def _count(shape: Shape) -> str:
    return f"{shape.channels}" if isinstance(shape.channels, int) else f"`{shape.channels}`"


def _channels(shape: Shape) -> str:
    return "1 channel" if shape.channels == 1 else f"{_count(shape)} channels"


def _size(shape: Shape) -> str:
    return f"{shape.height}x{shape.width}"


def _parts(ev: Evaluator, left: Shape, right: Shape) -> list[str]:
    """`1/8` of the image where that says it, else the sizes."""
    image = next((node.shape for node in ev.builder.nodes if isinstance(node.payload, Image)), None)
    if image is not None:
        ratios = [Fraction(shape.height, image.height) for shape in (left, right)]
        both_sides = all(
            Fraction(shape.width, image.width) == ratio for shape, ratio in zip((left, right), ratios, strict=True)
        )
        if both_sides and ratios[0] != ratios[1] and all(ratio.numerator == 1 for ratio in ratios):
            return [f"{ratio.numerator}/{ratio.denominator}" for ratio in ratios]
    return [_size(left), _size(right)]


def _same_size(left: Shape, right: Shape, names: list[str], places: list[Span | None]) -> str:
    fine, coarse = (0, 1) if left.height * left.width >= right.height * right.width else (1, 0)
    if names[fine] and names[coarse]:
        resize = f"`({names[coarse]} -> resize(like = {names[fine]}))` for `{names[coarse]}`"
    else:
        resize = "`-> resize(like = …)` behind the smaller one, with the larger one"
    place = places[coarse]
    stride = _STRIDE.search(place.text) if place is not None else None
    ratio = Fraction(max(left.height, right.height), min(left.height, right.height))
    if place is not None and stride is not None and ratio == int(stride[1]):
        return f"write `s = 1` on line {place.position.line}, or {resize}"
    return f"write {resize}"


def _same_channels(left: Shape, right: Shape, names: list[str]) -> str:
    if not isinstance(left.channels, int) or not isinstance(right.channels, int):
        return "answers decide these widths: ask for one width, and give it to both"
    if names[1]:
        return f"write `({names[1]} -> conv({left.channels}, k = 1))` for `{names[1]}`, or give both as many channels"
    return f"write `-> conv({left.channels}, k = 1)` behind the second one, or give both as many channels"
