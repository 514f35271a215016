"""A network by its parts: cells, the cells of chains wherever they stand, and lines that stand in no cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from archdsl.diff.cells import Cell
from archdsl.ir import Graph, Node, Scope
from archdsl.ir.scopes import ScopeTree
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Asked, Frame, FrameKind, Image, QuestionKind, QuestionPath, Result, Select
from archdsl.space.node_path import spell
from archdsl.space.path import Step, parse_scope, spell_run


@dataclass(frozen=True, slots=True)
class ChainPlace:
    """The place of a cell in a chain."""

    around: tuple[Frame, ...]
    """The steps from the network to the chain."""
    frame: Frame
    """The cell: `trunk[5]`."""
    step: Step
    """Its name, taken apart."""

    @property
    def chain(self) -> str:
        """The path of the chain: `b.trunk`."""
        return self._spell(self.name)

    @property
    def name(self) -> str:
        """What the text calls the chain: `trunk`."""
        return self.step.name

    @property
    def position(self) -> int:
        return self.step.indices[0]

    def at(self, position: int) -> str:
        """The path of the cell at another position."""
        return self._spell(str(self.step.at((position,))))

    def run(self, last: int) -> tuple[str, str]:
        """The path and the last step of a run of cells from here on: `b.trunk[2..4]`, `trunk[2..4]`."""
        name = spell_run((self.step,), 0, 0, last)
        return self._spell(name), name

    def _spell(self, name: str) -> str:
        return spell((*self.around, replace(self.frame, name=name)))


@dataclass(frozen=True)
class Parts:
    """Every part by its path, in the order of the graph; the map of an exit is a part that has the chain's name."""

    cells: Mapping[str, Cell]
    frames: Mapping[str, tuple[Frame, ...]]
    """The steps to each part that is a scope."""
    before_exit: frozenset[tuple[str, str]]
    """Who reads `.prev` of which chain, while its exit is open."""

    def place(self, path: str) -> ChainPlace | None:
        """The place of a part in its chain, if it stands in one."""
        return place_in_chain(self.frames.get(path, ()))

    def name(self, path: str) -> str:
        """The last step of a part's path, without branches; its path where it is a single node."""
        frames = self.frames.get(path, ())
        return frames[-1].name if frames else path


def place_in_chain(frames: tuple[Frame, ...]) -> ChainPlace | None:
    """The place that the last of these steps is; a place of a grid has more than one index."""
    scope = parse_scope(frames[-1].name) if frames else None
    if scope is None or len(scope) != 1 or len(scope[0].indices) != 1:
        return None
    return ChainPlace(frames[:-1], frames[-1], scope[0])


def parts(graph: Graph) -> Parts:
    """The parts of a graph. What reads but the size of a map (`resize(like = image)`) does not read the map."""
    holders = holding_chains(graph.scopes)
    owner: dict[str, str] = {}
    definitions: dict[str, str] = {}
    shared: dict[str, str] = {}
    frames: dict[str, tuple[Frame, ...]] = {}
    members: dict[str, list[str]] = {}
    for node, _ in graph.nodes():
        part = part_of(graph.scopes.around[node.path], holders)
        if chain := _chain_left(graph, owner, frames, node):
            path, definition, scope = chain, "", chain
        elif part is None:
            path, definition, scope = node.path, "", node.path
        else:
            path, scope = part.path, part.shared_path
            definition = part.definition if part.kind is FrameKind.CELL else ""
            frames[path] = part.frames
        owner[node.path] = path
        definitions[path] = definition
        shared[path] = scope
        members.setdefault(path, []).append(node.path)
    found: dict[str, Cell] = {}
    before_exit: set[tuple[str, str]] = set()
    for path, nodes in members.items():
        outputs = tuple(each for each in nodes if _leaves(graph, owner, each))
        reads, chains = _reads(graph, owner, frames, nodes)
        before_exit |= {(path, chain) for chain in chains}
        found[path] = Cell(path, definitions[path], tuple(nodes), outputs, tuple(reads), shared[path])
    return Parts(found, frames, frozenset(before_exit))


def holding_chains(tree: ScopeTree) -> frozenset[str]:
    """The cells that hold cells of chains: a picture shows what is in them."""
    found: set[str] = set()
    places = [scope for scope in tree if scope.kind is FrameKind.CELL and place_in_chain(scope.frames) is not None]
    for scope in places:
        above = [each for each in tree.around[scope.nodes[0]][: scope.depth - 1] if each.kind is FrameKind.CELL]
        if all(place_in_chain(each.frames) is None for each in above):
            found.update(each.path for each in above)
    return frozenset(found)


def part_of(around: Sequence[Scope], holders: frozenset[str]) -> Scope | None:
    """The part among the scopes around a node; None where the node is a part by itself."""
    first = 0
    for depth, scope in enumerate(around, 1):
        if scope.kind is FrameKind.CELL:
            if scope.path not in holders:
                return scope
            first = depth
    return around[first] if first < len(around) else None


def _chain_left(
    graph: Graph, owner: Mapping[str, str], frames: Mapping[str, tuple[Frame, ...]], node: Node
) -> str | None:
    """The chain whose exit a node picks: each of its inputs is the map of the cell that its label counts."""
    payload = node.payload
    if not _asks_exit(graph, node) or not isinstance(payload, Select):
        return None
    found = [place_in_chain(frames.get(owner[source], ())) for source in graph.inputs(node.path)]
    chains = {each.chain if each else None for each in found}
    positions = [each and str(each.position) for each in found]
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


def _reads(
    graph: Graph, owner: Mapping[str, str], frames: Mapping[str, tuple[Frame, ...]], nodes: Sequence[str]
) -> tuple[dict[str, None], set[str]]:
    """The parts whose maps a part reads, and the chains of which it reads the map before an open exit.

    That map is a choice between all cells of a chain, each prepared by itself; it counts as one.
    """
    inside = set(nodes)
    asking = (path for path in nodes if _asks_exit(graph, graph.node(path)))
    picks = {path for path in asking if _chain_left(graph, owner, frames, graph.node(path)) is None}
    kept = _kept(graph, inside, nodes, picks)
    found: dict[str, None] = {}
    for path in nodes:
        if path in kept and path not in picks:
            found |= dict.fromkeys(owner[source] for source in _maps(graph, path) if source not in inside)
    chains: set[str] = set()
    for pick in picks:
        sources = _sources(graph, inside, pick)
        asked = _question(graph.node(pick)).node
        places = [place_in_chain(frames.get(owner[source], ())) for source in sources]
        chains |= {each.chain for each in places if each is not None and each.name == asked}
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
    like = isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.like
    return inputs[:1] if like else inputs


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
