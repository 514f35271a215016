"""A network by its parts: cells, the cells of chains wherever they stand, and lines that stand in no cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archdsl.diff.cells import Cell
from archdsl.ir import Graph, Node
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Asked, Frame, FrameKind, Image, QuestionKind, QuestionPath, Result, Select
from archdsl.space import Node as Laid
from archdsl.space.node_path import spell, unowned

_POSITION = re.compile(r"(.*[^\]])\[(\d+)\]$")


@dataclass(frozen=True)
class Parts:
    """Every part by its path, in the order of the graph; the map of an exit is a part that has the chain's name."""

    cells: Mapping[str, Cell]
    before_exit: frozenset[tuple[str, str]]
    """Who reads `.prev` of which chain, while its exit is open."""


def in_chain(path: str) -> tuple[str, int] | None:
    """The chain in which a cell stands, and where in it."""
    found = _POSITION.match(path)
    return (found[1], int(found[2])) if found else None


def parts(graph: Graph) -> Parts:
    """The parts of a graph. What reads but the size of a map (`resize(like = image)`) does not read the map."""
    holders = holding_chains([node.frames for node, _ in graph.nodes()])
    owner: dict[str, str] = {}
    definitions: dict[str, str] = {}
    scopes: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for node, _ in graph.nodes():
        path, definition, scope = part_of(node, holders)
        if chain := _chain_left(graph, owner, node):
            path, definition, scope = chain, "", chain
        owner[node.path] = path
        definitions[path] = definition
        scopes[path] = scope
        members.setdefault(path, []).append(node.path)
    found: dict[str, Cell] = {}
    before_exit: set[tuple[str, str]] = set()
    for path, nodes in members.items():
        outputs = tuple(each for each in nodes if _leaves(graph, owner, each))
        reads, chains = _reads(graph, owner, nodes)
        before_exit |= {(path, chain) for chain in chains}
        found[path] = Cell(path, definitions[path], tuple(nodes), outputs, tuple(reads), scopes[path])
    return Parts(found, frozenset(before_exit))


def holding_chains(frames: Sequence[tuple[Frame, ...]]) -> frozenset[str]:
    """The cells that hold cells of chains: a picture shows what is in them."""
    found: set[str] = set()
    for each in frames:
        above: list[str] = []
        for depth, frame in enumerate(each, 1):
            if frame.kind is not FrameKind.CELL:
                continue
            if in_chain(str(frame)) is not None:
                found.update(above)
                break
            above.append(spell(each[:depth]))
    return frozenset(found)


def part_of(node: Node | Laid, holders: frozenset[str]) -> tuple[str, str, str]:
    """The path of the part that a node stands in, the cell that it is an instance of, and the path without owners."""
    names = [str(frame) for frame in node.frames]
    first = 0
    for depth, frame in enumerate(node.frames, 1):
        if frame.kind is FrameKind.CELL:
            path = ".".join(names[:depth])
            if path not in holders:
                return path, frame.definition, spell(unowned(node.frames[:depth]))
            first = depth
    path = ".".join([*names, node.local][: first + 1])
    return path, "", spell(unowned(node.frames[: first + 1])) if first < len(node.frames) else path


def _chain_left(graph: Graph, owner: Mapping[str, str], node: Node) -> str | None:
    """The chain whose exit a node picks: each of its inputs is the map of the cell that its label counts."""
    payload = node.payload
    if not _asks_exit(graph, node) or not isinstance(payload, Select):
        return None
    found = [in_chain(owner[source]) for source in graph.inputs(node.path)]
    chains = {each[0] if each else None for each in found}
    positions = [each and str(each[1]) for each in found]
    return chains.pop() if len(chains) == 1 and positions == [str(label) for label in payload.labels] else None


def _asks_exit(graph: Graph, node: Node) -> bool:
    payload = node.payload
    if not isinstance(payload, Select) or not isinstance(payload.subject, Asked):
        return False
    asked = graph.questions.get(payload.subject.question)
    return asked is not None and asked.kind is QuestionKind.EXIT


def _leaves(graph: Graph, owner: Mapping[str, str], path: str) -> bool:
    readers = graph.readers(path)
    return not readers or any(owner[reader] != owner[path] for reader in readers)


def _reads(graph: Graph, owner: Mapping[str, str], nodes: Sequence[str]) -> tuple[dict[str, None], set[str]]:
    """The parts whose maps a part reads, and the chains of which it reads the map before an open exit.

    That map is a choice between all cells of a chain, each prepared by itself; it counts as one.
    """
    inside = set(nodes)
    asking = (path for path in nodes if _asks_exit(graph, graph.node(path)))
    picks = {path for path in asking if _chain_left(graph, owner, graph.node(path)) is None}
    kept = _kept(graph, inside, nodes, picks)
    found: dict[str, None] = {}
    for path in nodes:
        if path in kept and path not in picks:
            found |= dict.fromkeys(owner[source] for source in _maps(graph, path) if source not in inside)
    chains: set[str] = set()
    for pick in picks:
        sources = _sources(graph, inside, pick)
        asked = _question(graph.node(pick)).node
        names = {each[0] for source in sources if (each := in_chain(owner[source])) is not None}
        chains |= {name for name in names if name.rpartition(".")[2] == asked}
    return found, chains


def _question(node: Node) -> QuestionPath:
    assert isinstance(node.payload, Select) and isinstance(node.payload.subject, Asked)
    return node.payload.subject.question


def _kept(graph: Graph, inside: set[str], nodes: Sequence[str], picks: set[str]) -> set[str]:
    """The nodes that somebody reads otherwise than by a pick."""
    kept: set[str] = set()
    for path in reversed(nodes):
        readers = graph.readers(path)
        if not readers or any(each not in inside or (each in kept and each not in picks) for each in readers):
            kept.add(path)
    return kept


def _maps(graph: Graph, path: str) -> tuple[str, ...]:
    """The inputs of a node, without those whose size alone it reads."""
    payload = graph.node(path).payload
    inputs = graph.inputs(path)
    resamples = isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.resamples
    return inputs[:1] if resamples else inputs


def _sources(graph: Graph, inside: set[str], path: str) -> set[str]:
    """What a node reads from outside of its part, by whatever way."""
    waiting, found, seen = [path], set[str](), set[str]()
    while waiting:
        for source in graph.inputs(waiting.pop()):
            if source not in inside:
                found.add(source)
            elif source not in seen:
                seen.add(source)
                waiting.append(source)
    return found


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
