"""The map of a network that whole images are classified by."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.ir import Graph, for_inference
from archdsl.train.refused import Refused


@dataclass(frozen=True, slots=True)
class Features:
    """The map that a classifier reads."""

    path: str
    channels: int
    needed: frozenset[str]
    """The nodes that it is made of."""


def features_of(graph: Graph, part: str = "") -> Features:
    """The last of the smallest maps with the most channels that the output is made of, in one part or all of it.

    Maps of one place are left aside: they are what attention multiplies with. Raises Refused where there is none.
    """
    inference = for_inference(graph)
    made_of = _behind(inference, next(iter(inference.results)))
    found: Features | None = None
    best = (0, 0)
    for path in inference:
        node = inference.node(path)
        size, channels = node.shape.height * node.shape.width, node.shape.channels
        inside = not part or path == part or path.startswith((f"{part}.", f"{part}["))
        ends = path in inference.images or path in inference.results
        if path not in made_of or not inside or ends or size == 1 or not isinstance(channels, int):
            continue
        if (-size, channels) >= best or found is None:
            best = (-size, channels)
            found = Features(path, channels, frozenset(_behind(inference, path)))
    if found is None:
        where = f" in `{part}`" if part else ""
        raise Refused(f"`{graph.name}` has no map{where} that images could be classified by")
    return found


def _behind(graph: Graph, path: str) -> set[str]:
    """A node and all that it is made of."""
    found = {path}
    waiting = [path]
    while waiting:
        fresh = [source for source in graph.inputs(waiting.pop()) if source not in found]
        found.update(fresh)
        waiting += fresh
    return found
