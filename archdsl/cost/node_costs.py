"""What each node of a network costs in one unit: what pictures are coloured by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import fsum

from archdsl.cost.estimate import Estimate
from archdsl.cost.figures import Figures
from archdsl.settings.costs import Unit


class Counted(StrEnum):
    """What is counted without a table."""

    PARAMS = "params"
    MACS = "macs"
    ACTIVATIONS = "activations"


@dataclass(frozen=True)
class NodeCosts:
    """Of a closed graph at inference, for one image."""

    by_node: Mapping[str, float]
    unit: Counted | Unit
    """Of a time: that of the table."""

    @property
    def whole_ops(self) -> bool:
        """Whether an op is known as a whole alone: its time stands at the node that gives its map."""
        return isinstance(self.unit, Unit)

    @property
    def total(self) -> float:
        return self.of(self.by_node)

    def of(self, nodes: Iterable[str]) -> float:
        """Nothing for nodes that are not there at inference."""
        return fsum(self.by_node[node] for node in nodes if node in self.by_node)


def counted(found: Figures, what: Counted) -> NodeCosts:
    match what:
        case Counted.PARAMS:
            return NodeCosts({node.path: node.params for node in found.nodes}, what)
        case Counted.MACS:
            return NodeCosts({node.path: node.macs for node in found.nodes}, what)
        case Counted.ACTIVATIONS:
            return NodeCosts({node.path: node.activations for node in found.nodes}, what)


def timed(found: Estimate) -> NodeCosts:
    """The rows of a table, with its factor."""
    unit = found.table.unit
    return NodeCosts({node: seconds / unit.seconds for node, seconds in found.by_node().items()}, unit)
