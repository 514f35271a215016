"""A network as explicit statements, with no space behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.cost.figures import cell_name
from archdsl.fmt import format
from archdsl.ir import ClosedGraph, Node, identifier, module_path
from archdsl.ir.spelling import joins, spell_call, spell_join
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema.modules.load import BUILT_IN
from archdsl.space import Apply, Image, Result
from archdsl.syntax import parse
from archdsl.syntax.grammar import tables
from archdsl.text import SourceFile


def expand(graph: ClosedGraph, about: str = "") -> str:
    """The closed graph as a text of primitives alone: a space without questions that lays out as an equal graph.

    Each line is a run of primitives of which each is read by the next alone; comments name the cells and shapes.
    """
    names = _Names(result.name for _, result in graph.with_payload(Result))
    runs = list(_runs(graph))
    for run in runs:
        names.of(graph.node(run[-1]))
    lines = ["archdsl 1", ""]
    if about:
        lines += [f"# {about}"]
    lines.append(f"space {identifier(graph.name)}() {{")
    for path in graph.images:
        node = graph.node(path)
        lines.append(f"  in {names.of(node)}: {node.shape}")
    cell = ""
    for run in runs:
        first, last = graph.node(run[0]), graph.node(run[-1])
        if isinstance(last.payload, Image | Result):
            continue
        if (around := cell_name(graph, first.path)) != cell:
            cell = around
            lines += ["", f"  # {cell}"]
        lines.append(f"  {names.of(last)} = {_pipe(graph, run, names)}  # {last.shape}")
    lines.append("")
    for path in graph.results:
        result = graph.node(path).payload
        assert isinstance(result, Result)
        source = names.of(graph.node(graph.inputs(path)[0]))
        # An output without a name goes by the keyword, which no text can write as one.
        name = "" if result.name in tables().lexicon.keywords else f"{result.name} = "
        lines.append(f"  out {'aux ' if result.auxiliary else ''}{name}{source}")
    lines.append("}")
    return format(parse(SourceFile("<expanded>", "\n".join(lines) + "\n")))


class _Names:
    """Names that are unique and no words of the language."""

    def __init__(self, outputs: Iterable[str]) -> None:
        """Outputs keep their names."""
        self._given: dict[str, str] = {}
        self._taken: set[str] = {*tables().lexicon.keywords, *PRIMITIVES, *BUILT_IN, *outputs}
        self._weights: dict[str, str] = {}
        self._words = set(tables().lexicon.keywords)

    def of(self, node: Node) -> str:
        if node.path not in self._given:
            self._given[node.path] = self._free(_short(node))
        return self._given[node.path]

    def weights(self, graph: ClosedGraph, path: str) -> str:
        """The name of weights that several nodes have; empty for what has its own."""
        weights = graph.shares(path)
        if weights is None:
            return ""
        if weights.spelled not in self._weights:
            self._weights[weights.spelled] = _free("_".join(module_path(graph.node(path))), self._words)
        return self._weights[weights.spelled]

    def _free(self, name: str) -> str:
        return _free(name, self._taken)


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken; it is taken afterwards."""
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    taken.add(free)
    return free


def _short(node: Node) -> str:
    """The names of cells and lines, without those of the ops in between."""
    steps = [identifier(str(frame)) for frame in node.frames if frame.kind != "op"]
    return "_".join(steps) or identifier(node.local)


def _runs(graph: ClosedGraph) -> Iterator[list[str]]:
    """Runs of nodes in one cell, each read by the next alone; an activation ends a run, so that lines stay short."""
    done: set[str] = set()
    runs: list[list[str]] = []
    for path in graph:
        if path in done:
            continue
        run = [path]
        while (after := _next(graph, run[-1])) is not None and after not in done:
            run.append(after)
        done.update(run)
        runs.append(run)
    position = {path: index for index, path in enumerate(graph)}
    # What a run reads is the end of another one, so in the order of their ends each stands behind what it reads.
    yield from sorted(runs, key=lambda run: position[run[-1]])


def _next(graph: ClosedGraph, path: str) -> str | None:
    readers = graph.readers(path)
    node = graph.node(path)
    if len(readers) != 1 or not isinstance(node.payload, Apply):
        return None
    if PRIMITIVES[node.payload.primitive].traits.activation:
        return None
    after = graph.node(readers[0])
    if not isinstance(after.payload, Apply) or graph.inputs(readers[0])[0] != path:
        return None
    if graph.inputs(readers[0]).count(path) > 1 or cell_name(graph, after.path) != cell_name(graph, path):
        return None
    return None if joins(after.payload) else readers[0]


def _pipe(graph: ClosedGraph, run: list[str], names: _Names) -> str:
    first = _applied(graph, run[0])
    if joins(first):
        steps = [spell_join(first, [names.of(node) for node in graph.input_nodes(run[0])])]
    else:
        steps = [names.of(graph.input_nodes(run[0])[0]), _call(graph, run[0], names)]
    steps += [_call(graph, path, names) for path in run[1:]]
    return " -> ".join(steps)


def _call(graph: ClosedGraph, path: str, names: _Names) -> str:
    more = [names.of(node) for node in graph.input_nodes(path)[1:]]
    return spell_call(_applied(graph, path), more, names.weights(graph, path))


def _applied(graph: ClosedGraph, path: str) -> Apply:
    payload = graph.node(path).payload
    assert isinstance(payload, Apply)
    return payload
