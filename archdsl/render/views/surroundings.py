"""What stands before and behind a grid: stem, heads, outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archdsl.diff.cells import Cell
from archdsl.ir import Graph
from archdsl.space import Image, Result


@dataclass(frozen=True, slots=True)
class Outside:
    """A cell or line outside of the grid."""

    name: str
    definition: str
    depth: int
    """Steps from the grid: -1 stands next to it on the left, 1 on the right."""
    reads: tuple[str, ...]
    outputs: tuple[str, ...]
    """The network's outputs that it gives."""
    auxiliary: bool
    """Whether no output needs it that is exported."""
    needed: bool
    """Whether any output needs it: an open graph also has what no parameter asks for."""


def outside(graph: Graph, found: Mapping[str, Cell], inside: frozenset[str]) -> tuple[Outside, ...]:
    """All cells outside of a grid in the order of the graph; an output belongs to the cell that gives it."""
    gives: dict[str, list[str]] = {}
    for path, result in graph.with_payload(Result):
        gives.setdefault(found[path].reads[0], []).append(result.name)
    shown = {path: cell for path, cell in found.items() if path not in inside and not is_result(graph, path)}
    behind = _behind(shown, inside)
    before = _before(shown, behind)
    results = dict(graph.with_payload(Result))
    kept = _reached(found, [path for path, result in results.items() if not result.auxiliary])
    needed = _reached(found, results)
    return tuple(
        Outside(
            path,
            cell.definition,
            behind[path] or -before[path],
            cell.reads,
            tuple(gives.get(path, ())),
            path not in kept,
            path in needed,
        )
        for path, cell in shown.items()
    )


def _behind(shown: Mapping[str, Cell], inside: frozenset[str]) -> dict[str, int]:
    """The longest way from the grid; 0 where there is none."""
    depths: dict[str, int] = {}
    for path, cell in shown.items():
        ways = [depths.get(source, 0) + 1 for source in cell.reads if source in inside or depths.get(source)]
        depths[path] = max(ways, default=0)
    return depths


def _before(shown: Mapping[str, Cell], behind: Mapping[str, int]) -> dict[str, int]:
    """The longest way to the grid among what stands before it."""
    depths = dict.fromkeys(shown, 1)
    for path in reversed([path for path in shown if not behind[path]]):
        for source in shown[path].reads:
            depths[source] = max(depths[source], depths[path] + 1)
    return depths


def _reached(found: Mapping[str, Cell], results: Iterable[str]) -> frozenset[str]:
    """The cells that these outputs read, directly or not."""
    waiting = list(results)
    kept: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in kept:
            kept.add(path)
            waiting.extend(found[path].reads)
    return frozenset(kept)


def is_image(graph: Graph, path: str) -> bool:
    return path in graph and isinstance(graph.node(path).payload, Image)


def is_result(graph: Graph, path: str) -> bool:
    return path in graph and isinstance(graph.node(path).payload, Result)
