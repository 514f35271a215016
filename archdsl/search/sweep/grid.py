"""The grid of a sweep: every combination of values, with every seed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TypeAlias
from urllib.parse import quote

from archdsl.records import record
from archdsl.search.sweep.errors import NotSwept

Point: TypeAlias = "tuple[tuple[str, str], ...]"
"""A value for each swept parameter, as texts."""


@record
class Axis:
    """A swept parameter: `lambda=0,0.01,0.1`."""

    name: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Raises NotSwept."""
        name, equals, listed = text.partition("=")
        values = tuple(value.strip() for value in listed.split(","))
        if not equals or not name.strip() or not all(values):
            raise NotSwept(f"`{text}` sweeps nothing: write a parameter and its values, `--over lambda=0,0.01,0.1`")
        if len(set(values)) < len(values):
            raise NotSwept(f"`{text}` has a value twice: take one of them out")
        return cls(name.strip(), values)


@record
class Member:
    """One run of a sweep, or several that build on each other."""

    point: Point
    seed: int

    @property
    def name(self) -> str:
        """As its folder is called: `lambda=0.01,seed=2`."""
        parts = (*self.point, ("seed", str(self.seed)))
        return ",".join(f"{name}={quote(value, safe='+')}" for name, value in parts)


def point_text(point: Point) -> str:
    """`lambda = 0.01, f = 8`."""
    return ", ".join(f"{name} = {value}" for name, value in point)


def points(axes: Sequence[Axis]) -> tuple[Point, ...]:
    """Every combination, the last parameter changing first. Raises NotSwept where a parameter stands twice."""
    names = [axis.name for axis in axes]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise NotSwept(f"`{twice}` is swept twice: write all of its values behind one `--over`")
    return tuple(tuple(zip(names, values, strict=True)) for values in product(*(axis.values for axis in axes)))


def members(axes: Sequence[Axis], seeds: int) -> tuple[Member, ...]:
    """All points with the first seed, then all with the second: half a sweep says something of every point."""
    grid = points(axes)
    return tuple(Member(point, seed) for seed in range(seeds) for point in grid)
