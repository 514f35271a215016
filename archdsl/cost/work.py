"""A piece of a network by itself: what it reads, and its steps. Equal work has equal text, whatever it is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from archdsl.ir.spelling import joins, spell_call
from archdsl.ops import Shape
from archdsl.space import Apply

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step:
    payload: Apply
    reads: tuple[int, ...]
    """Maps by number: the maps that the work reads come first, its own follow."""


@dataclass(frozen=True, slots=True)
class Work:
    inputs: tuple[Shape, ...]
    steps: tuple[Step, ...]
    """In the order in which they are met on the way back from what others read, so that the order of a text's lines
    makes no difference."""
    result: Shape
    """The map of the last step."""


def work_of(
    roots: Iterable[K], steps: Mapping[K, tuple[Apply, Sequence[K]]], shape: Callable[[K], Shape]
) -> Work | None:
    """The work that computes `roots`; maps without a step are what it reads. None where there is nothing to do."""
    inputs: dict[K, None] = {}
    order: dict[K, None] = {}
    waiting: list[tuple[K, bool]] = [(root, False) for root in reversed(list(roots))]
    while waiting:
        key, ready = waiting.pop()
        if key in order or key in inputs:
            continue
        if key not in steps:
            inputs[key] = None
        elif ready:
            order[key] = None
        else:
            waiting.append((key, True))
            waiting.extend((source, False) for source in reversed(steps[key][1]))
    if not order:
        return None
    number = {key: index for index, key in enumerate([*inputs, *order])}
    found = tuple(Step(steps[key][0], tuple(number[source] for source in steps[key][1])) for key in order)
    return Work(tuple(shape(key) for key in inputs), found, shape(next(reversed(order))))


def spell(work: Work) -> str:
    """As the body of an op: `y1 = x -> resize(factor = 1 / 2); y1 -> conv(c = 8) -> resize(like = x)`."""
    first = len(work.inputs)
    names = input_names(first)
    read = Counter(source for step in work.steps for source in step.reads)
    lines: list[str] = []
    for number, step in enumerate(work.steps, start=first):
        before = number - 1
        carries_on = step.reads[0] == before >= first and read[before] == 1 and not joins(step.payload)
        if not carries_on and lines:
            names[before] = f"y{len(lines)}"
            lines[-1] = f"{names[before]} = {lines[-1]}"
        sources = [names.get(source, "") for source in step.reads]
        call = spell_call(step.payload, sources[1:])
        if carries_on:
            lines[-1] += f" -> {call}"
        elif joins(step.payload):
            lines.append(f"{step.payload.primitive}({', '.join(sources)})")
        else:
            lines.append(f"{sources[0]} -> {call}")
    return "; ".join(lines)


def input_names(count: int) -> dict[int, str]:
    """`x`, or `x1`, `x2`, … by number."""
    return {0: "x"} if count == 1 else {number: f"x{number + 1}" for number in range(count)}
