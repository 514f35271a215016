"""The order of evaluation, and the liveness of each feature map."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.ir import ClosedGraph, module_path, vector_outputs
from archdsl.space import Apply, Result


@dataclass(frozen=True, slots=True)
class Step:
    """One layer call: its inputs, and the maps of which it is the last reader."""

    path: str
    module: tuple[str, ...]
    inputs: tuple[str, ...]
    last_read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    images: tuple[str, ...]
    """The paths of the inputs, in the order of the text."""
    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, str], ...]
    """Name and path of the map, main outputs first."""
    vectors: frozenset[str]
    """The names of outputs that are vectors."""


def schedule(graph: ClosedGraph) -> Schedule:
    """The order in which the layers of a graph are called."""
    results = dict(graph.with_payload(Result))
    outputs = tuple((results[path].name, graph.inputs(path)[0]) for path in graph.results)
    computed = [path for path, _ in graph.with_payload(Apply)]
    last = {source: path for path in computed for source in graph.inputs(path)}
    kept = {path for _, path in outputs}
    steps = tuple(
        Step(
            path=path,
            module=module_path(graph.node(path)),
            inputs=graph.inputs(path),
            last_read=tuple(
                source for source in dict.fromkeys(graph.inputs(path)) if last[source] == path and source not in kept
            ),
        )
        for path in computed
    )
    return Schedule(graph.images, steps, outputs, vector_outputs(graph))
