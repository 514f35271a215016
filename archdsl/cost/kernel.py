"""Kernels: pieces of a network that are measured alone. Equal kernels have equal text, whatever a text calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

from archdsl.ir.spelling import joins, spell_call, spell_join
from archdsl.ops import Shape
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step:
    """One primitive."""

    payload: Apply
    reads: tuple[int, ...]
    """Maps by number: those that the kernel reads come first, its own follow."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Primitives in topological order, with the shapes of the maps that they read from outside."""

    inputs: tuple[Shape, ...]
    steps: tuple[Step, ...]
    """In the order in which they are met on the way back from what others read, so that the order of a text's lines
    makes no difference."""
    result: Shape
    """The map of the last step."""


def kernel_of(
    roots: Iterable[K], steps: Mapping[K, tuple[Apply, Sequence[K]]], shape: Callable[[K], Shape]
) -> Kernel | None:
    """The kernel that computes `roots`; maps without a step are its inputs. None where nothing is computed."""
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
    return Kernel(tuple(shape(key) for key in inputs), found, shape(next(reversed(order))))


def layers(kernel: Kernel) -> Iterator[tuple[Apply, Sequence[Shape], Shape]]:
    """Each primitive with the maps that it reads and the one that it writes."""
    shapes = list(kernel.inputs)
    for step in kernel.steps:
        read = [shapes[source] for source in step.reads]
        shapes.append(PRIMITIVES[step.payload.primitive].shape(read, step.payload.attribute))
        yield step.payload, read, shapes[-1]


def macs(kernel: Kernel) -> int:
    """Multiply-adds, as `figures` counts them."""
    return sum(
        _number(PRIMITIVES[payload.primitive].macs(read, gives, payload.attribute))
        for payload, read, gives in layers(kernel)
    )


def params(kernel: Kernel) -> int:
    """Trained parameters, as `figures` counts them."""
    return sum(
        prod(_number(length) for length in weight.shape)
        for payload, read, _ in layers(kernel)
        for weight in PRIMITIVES[payload.primitive].weights(read, payload.attribute)
        if weight.trained
    )


def activations(kernel: Kernel) -> int:
    """Numbers that its primitives write for one image."""
    return sum(_number(gives.channels) * gives.height * gives.width for _, _, gives in layers(kernel))


def _number(count: object) -> int:
    assert isinstance(count, int)
    return count


def spell(kernel: Kernel) -> str:
    """As the body of an op: `y1 = x -> resize(factor = 1 / 2); y1 -> conv(c = 8) -> resize(like = x)`."""
    first = len(kernel.inputs)
    names = input_names(first)
    read = Counter(source for step in kernel.steps for source in step.reads)
    lines: list[str] = []
    for number, step in enumerate(kernel.steps, start=first):
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
            lines.append(spell_join(step.payload, sources))
        else:
            lines.append(f"{sources[0]} -> {call}")
    return "; ".join(lines)


def input_names(count: int) -> dict[int, str]:
    """`x`, or `x1`, `x2`, … by number."""
    return {0: "x"} if count == 1 else {number: f"x{number + 1}" for number in range(count)}
