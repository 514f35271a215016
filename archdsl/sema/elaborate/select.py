"""A select: the value for the answer to a question; a select node where the options are maps of one resolution."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Label as Mark
from archdsl.ops import Count, Shape
from archdsl.sema import codes
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    Choice,
    Environment,
    Evaluator,
    Map,
    Nothing,
    Outputs,
    Poison,
    Value,
    describe,
)
from archdsl.space import Asked, Label, QuestionPath, Subject, in_supernet
from archdsl.text import Span


def join(
    ev: Evaluator,
    question: QuestionPath,
    options: Sequence[tuple[str, Value]],
    env: Environment,
    local: str,
    span: Span,
) -> Value:
    """The value that the answer to a question picks.

    Maps of one resolution become a select. All other options stay a choice, and what is done with it
    is done with each option.
    """
    present = [(label, ev.settle(value)) for label, value in options]
    if any(isinstance(value, Poison) for _, value in present):
        return POISON
    present = [(label, value) for label, value in present if not isinstance(value, Nothing)]
    if not present:
        return NOTHING
    values = [value for _, value in present]
    if all(value == values[0] for value in values) and len(values) == len(options):
        return values[0]
    if all(isinstance(value, Outputs) for value in values):
        return _join_outputs(ev, question, present, env, span)
    maps = [value for value in values if isinstance(value, Map)]
    if len(maps) == len(values) and _one_resolution(ev, maps):
        labels = tuple(label for label, _ in present)
        return Map(ev.builder.select(env.scope, local, Asked(question), labels, tuple(m.node for m in maps), span))
    return Choice(question, tuple(present))


def mix(
    ev: Evaluator,
    subject: Subject,
    options: list[tuple[Label, Value]],
    env: Environment,
    local: str,
    span: Span,
    what: str,
) -> Value:
    """A select whose options a supernet adds up: their maps must have one shape there (`rule-widths`)."""
    if any(isinstance(value, Poison) for _, value in options):
        return POISON
    options = [(label, value) for label, value in options if not isinstance(value, Nothing)]
    if not options:
        return NOTHING
    if all(isinstance(value, Outputs) for _, value in options):
        return _mix_outputs(ev, subject, options, env, span, what)
    nodes: list[int] = []
    for label, value in options:
        if isinstance(value, Choice):
            return ev.poison(
                codes.RESOLUTIONS_DIFFER,
                f"`{label}` of {what} has another resolution for each answer to `{value.question}`",
                span,
                "one resolution is needed",
                help="bring what it reads to one size: `x -> resize(like = y)`",
            )
        if not isinstance(value, Map):
            return ev.poison(
                codes.WRONG_KIND, f"`{label}` of {what} gives {describe(value)}, not a map", span, "a map is needed"
            )
        nodes.append(value.node)
    first, *others = nodes
    for (label, _), node in zip(options[1:], others, strict=True):
        if not _mixable(ev, first, node):
            return _report(ev, what, (options[0][0], first), (label, node), span)
    return Map(ev.builder.select(env.scope, local, subject, tuple(label for label, _ in options), tuple(nodes), span))


def _mix_outputs(
    ev: Evaluator, subject: Subject, options: list[tuple[Label, Value]], env: Environment, span: Span, what: str
) -> Value:
    cells = [value for _, value in options if isinstance(value, Outputs)]
    mixed: dict[str, Value] = {}
    for name in cells[0].maps:
        per_cell = [(label, cell.maps.get(name, NOTHING)) for (label, _), cell in zip(options, cells, strict=True)]
        mixed[name] = mix(ev, subject, per_cell, env, name, span, what)
    return Outputs(cells[0].cell, mixed)


def _join_outputs(
    ev: Evaluator, question: QuestionPath, options: Sequence[tuple[str, Value]], env: Environment, span: Span
) -> Value:
    cells = [(label, value) for label, value in options if isinstance(value, Outputs)]
    names = dict.fromkeys(name for _, cell in cells for name in cell.maps)
    joined = {
        name: join(ev, question, [(label, cell.maps.get(name, NOTHING)) for label, cell in cells], env, name, span)
        for name in names
    }
    return Outputs(cells[0][1].cell, joined)


def _one_resolution(ev: Evaluator, maps: list[Map]) -> bool:
    return len({ev.builder.shape(each.node)[1:] for each in maps}) == 1


def _mixable(ev: Evaluator, left: int, right: int) -> bool:
    return seen(ev.builder.shape(left)) == seen(ev.builder.shape(right))


def seen(shape: Shape) -> Shape:
    """The shape that a map has in the supernet."""
    return shape._replace(channels=in_supernet(shape.channels))


def _report(ev: Evaluator, what: str, one: tuple[Label, int], other: tuple[Label, int], span: Span) -> Value:
    left, right = seen(ev.builder.shape(one[1])), seen(ev.builder.shape(other[1]))
    channels = left.channels != right.channels
    facts = (
        (_channels(left.channels), _channels(right.channels))
        if channels
        else (f"{left.height}x{left.width}", f"{right.height}x{right.width}")
    )
    made = ev.builder.origins(one[1], other[1])
    places = [(label, place, fact) for (label, _), place, fact in zip((one, other), made, facts, strict=True)]
    return ev.poison(
        codes.CHANNELS_DIFFER if channels else codes.RESOLUTIONS_DIFFER,
        f"the options of {what} differ: `{one[0]}` gives {facts[0]}, `{other[0]}` gives {facts[1]}",
        span,
        "cannot mix these",
        also=tuple(Mark(place, f"`{label}`: {fact}") for label, place, fact in places if place and place != span),
        help="make all options write one shape: the same channels, the same stride",
    )


def _channels(count: Count) -> str:
    return f"{count} channels" if isinstance(count, int) else f"`{count}` channels"
