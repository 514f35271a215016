"""The networks that pictures are drawn of, loaded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from archdsl.cost import figures
from archdsl.cost.node_costs import Counted, NodeCosts, counted
from archdsl.ir import ClosedGraph
from archdsl.pipeline import Loaded, load

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "spaces" / "fasterseg.arch"
STUDENT = ROOT / "spaces" / "genotypes" / "fasterseg_student.arch"
TEACHER = ROOT / "spaces" / "genotypes" / "fasterseg_teacher.arch"
HYPER = ROOT / "spaces" / "autortnet.arch"
"""A space of hyper-cells, with a genotype of it."""
HYPER_ANSWERED = ROOT / "spaces" / "genotypes" / "autortnet_seed3.arch"
INDEPENDENT = ROOT / "spaces" / "gas.arch"
"""A chain in which every cell has questions of its own."""
TEXTS = Path(__file__).parent / "texts"


@cache
def loaded(path: Path | str) -> Loaded:
    return load(str(path))


def counts(item: Loaded, what: Counted = Counted.MACS) -> NodeCosts:
    """What the nodes of a network cost."""
    graph = item.network()
    assert isinstance(graph, ClosedGraph)
    return counted(figures(graph), what)
