"""Batch norms in training: a channel needs more than one value to have a variance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.ir import ClosedGraph, ClosedNode
from archdsl.ops import Shape
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Node
from archdsl.train.errors import Refused

_SHOWN = 3
"""The largest number of maps that are listed."""


def single_pixels(nodes: Iterable[ClosedNode | Node]) -> Iterator[tuple[str, Shape]]:
    """The batch norms that have one pixel of each image, by their paths."""
    for node in nodes:
        match node.payload:
            case Apply(primitive) if PRIMITIVES[primitive].traits.batch_norm:
                if (node.shape.height, node.shape.width) == (1, 1):
                    yield node.path, node.shape
            case _:
                continue


def check_batch_norms(graph: ClosedGraph, batch: int, accumulate: int) -> None:
    """Checks a network at the size that it is trained at. Raises Refused, with the names of maps.

    Processes share the statistics of a step, so how many there are makes no difference.
    """
    check_step((node for node, _ in graph.nodes()), batch, accumulate)


def check_step(nodes: Iterable[ClosedNode | Node], batch: int, accumulate: int) -> None:
    """Raises Refused where a batch norm sees one value of a channel in a step of `batch` images in so many parts."""
    if batch != accumulate:
        return
    found = dict(single_pixels(nodes))
    if found:
        parts = f" ({batch} in {accumulate} parts)" if accumulate > 1 else ""
        raise Refused(
            f"{_listed(found)}, and a batch norm sees one image at a time{parts}: a single value has no variance. "
            f"Give `--batch {2 * accumulate}`" + (", or fewer parts with `--accumulate`" if accumulate > 1 else "")
        )


def check_statistics(nodes: Iterable[ClosedNode | Node], images: int, split: str, option: str) -> None:
    """Raises Refused where batch norms are to get the statistics of the only image that a process has of a split.

    `option` is the one that chooses the split.
    """
    found = dict(single_pixels(nodes)) if images == 1 else {}
    if found:
        raise Refused(
            f"{_listed(found)}, and batch norms take their statistics from `{split}`, of which each process has one "
            f"image: a single value has no variance. Take a split with more images with `{option}`"
        )


def _listed(found: dict[str, Shape]) -> str:
    """`context.pooled` has 1x1 pixels."""
    names = [f"`{path}`" for path in found]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"the map {shown} is 1x1" if len(names) == 1 else f"the maps {shown} are 1x1"
