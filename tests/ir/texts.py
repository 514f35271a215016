"""Every text of the repository, as graphs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from archdsl.ir import ClosedGraph, OpenGraph, closed, open_graph
from archdsl.pipeline import check
from archdsl.space import Program

REPOSITORY = Path(__file__).parents[2]
FILES = sorted(
    str(file.relative_to(REPOSITORY))
    for folder in ("spaces", "tests/texts", "tests/render/texts", "tests/properties/texts")
    for file in (REPOSITORY / folder).rglob("*.arch")
)


@cache
def meanings(file: str) -> tuple[tuple[Program, ClosedGraph | None], ...]:
    """The programs of a text, each with the network where answers leave no question."""
    found = check(str(REPOSITORY / file)).meanings
    return tuple(
        (each.program, closed(each.program, each.trace, each.name) if each.trace and each.trace.closed else None)
        for each in found
    )


def graphs(file: str) -> Iterator[tuple[OpenGraph, ClosedGraph | None]]:
    for program, network in meanings(file):
        yield open_graph(program), network
