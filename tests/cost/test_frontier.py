"""Where branches share: the least and the greatest are those of an enumeration, and the genotype has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import assume, event, given, settings

from archdsl.cost import Figures, figures, kernel
from archdsl.cost.expectation.diagrams import TooLarge
from archdsl.cost.extremes import Extreme
from archdsl.cost.frontier import Frontier
from archdsl.cost.kernel import Kernel
from archdsl.cost.region_prices import KernelPrices, TablePrices
from archdsl.cost.regions import Regions
from archdsl.cost.rows import uses
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Table
from archdsl.ir import ClosedGraph, closed
from archdsl.pipeline import load
from archdsl.pipeline.ranges import Figure, Ranges
from archdsl.space import Program
from archdsl.space.count import Census
from archdsl.space.trace import Answers, trace
from tests.cost.invented import table
from tests.cost.test_expectation import price
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn
from tests.space.enumeration import genotypes

ROOT: Final = Path(__file__).parents[2]
COUNTED: Final[Mapping[str, Callable[[Kernel], float]]] = {
    "params": kernel.params,
    "macs": kernel.macs,
    "activations": kernel.activations,
}
BEST: Final = {Extreme.LEAST: min, Extreme.GREATEST: max}
MOST: Final = 150


@dataclass(frozen=True, slots=True)
class Grid:
    """A space of the construction of FasterSeg: two branches, each with a path of its own through one grid of cells."""

    name: str
    layers: int = 3
    scales: tuple[int, ...] = (4, 8)
    ops: tuple[str, ...] = ("skip", "conv3x3")
    widths: tuple[int, ...] = (2,)
    operator: str = " per branch"
    source: str = " per branch"
    coarse: str = "fuse(branch.last, branch.at(4), c = 8)"
    auxiliary: str = ""

    @property
    def text(self) -> str:
        arm = "    when 16: fuse(fuse(branch.last, branch.at(8), c = 16), branch.at(4), c = 8)"
        coarsest = f"\n{arm}" if 16 in self.scales else ""
        return f"""archdsl 1

use std

op skip(c, s = 1) {{
  in x
  out case s {{
    when 1: case searching {{
      when yes: x -> conv1x1(c)
      else: x
    }}
    when 2: concat(x -> conv(c / 2, k = 1, s = 2), x -> crop(top = 1, left = 1) -> conv(c / 2, k = 1, s = 2)) -> bn
  }}
}}

op same(c, s = 1) {{
  in x
  out case s {{
    when 1: case searching {{
      when yes: x -> conv1x1(c)
      else: x
    }}
    when 2: x -> max_pool(k = 2, s = 2) -> conv(c, k = 1)
  }}
}}

ops searched = {{{", ".join(self.ops)}}}

cell searchable(stay_c, down_c) {{
  in x
  choose operator in searched{self.operator}
  out stay = x -> operator(stay_c)
  out down = x -> operator(down_c, s = 2)
}}

cell refined() {{
  in branch
  out case branch.scale {{
    when 4: branch.last
    when 8: {self.coarse}{coarsest}
  }}
}}

space small(layers = {self.layers}) {{
  in image: 3x64x64
  stem = image -> conv3x3(8, s = 4)
  trunk = grid(layer in 1..layers, scale in {{{", ".join(map(str, self.scales))}}}) {{
    start [1][4] = stem
    choose source in {{trunk[layer - 1][scale].stay, trunk[layer - 1][scale / 2].down}}{self.source}
    choose width in {{{", ".join(map(str, self.widths))}}}
    wide = case layer {{
      when layers: 2
      else: trunk[layer + 1][scale].width
    }}
    each searchable(source, stay_c = wide * scale, down_c = trunk[layer + 1][2 * scale].width * 2 * scale)
  }}
  branches a, b in trunk[layers]
  out logits = concat(refined(b), refined(a)) -> conv1x1(8) -> conv(3, k = 1)
{self.auxiliary}}}
"""


GRIDS: Final = (
    Grid("ops that do nothing", ops=("skip", "same")),
    Grid("widths", layers=2, ops=("conv3x3", "zoomed_conv3x3"), widths=(1, 2, 3)),
    Grid("widths that are handed on", layers=2, ops=("skip", "same", "conv3x3"), widths=(1, 2)),
    Grid("three scales", scales=(4, 8, 16), ops=("conv3x3", "conv1x1")),
    Grid("answers that hold for both branches", layers=4, operator="", ops=("skip", "conv1x1")),
    Grid("one path for both branches", layers=2, source="", ops=("skip", "conv1x1"), widths=(1, 2, 3)),
    Grid("branches alone", coarse="branch.last -> conv1x1(8) -> resize(2)"),
    Grid(
        "outputs to train with",
        layers=2,
        widths=(1, 2, 3),
        auxiliary="  out aux deep = concat({b.at(8), a.at(8)}) -> conv3x3(3)\n",
    ),
)


def network(program: Program, answers: Answers) -> ClosedGraph:
    found = trace(program, answers)
    assert found.closed
    assert found.asked.keys() == answers.keys()
    return closed(program, found, "net")


def invented(program: Program) -> Table:
    return table({row: price(row) for row in rows_of_space(program)})


def seconds(graph: ClosedGraph) -> float:
    return fsum(price(use.row) for use in uses(graph)) / 1000


def is_that_of(program: Program, graphs: list[ClosedGraph]) -> None:
    """Raises TooLarge."""
    counted = Frontier(Regions.of(program, KernelPrices(list(COUNTED.values()))))
    trained = Frontier(Regions.of(program, KernelPrices([kernel.params]), auxiliary=True))
    timed = Frontier(Regions.of(program, TablePrices(program, invented(program))))
    every = [figures(graph) for graph in graphs]

    def has(frontier: Frontier, position: int, figure: Callable[[Figures], float]) -> None:
        for extreme, best in BEST.items():
            found = frontier.extremum(position, extreme)
            assert found.value == best(map(figure, every))
            assert found.value == figure(figures(network(program, found.answers)))

    # Weights that places share are counted at each of them here: `Ranges` has the params of such spaces from elsewhere.
    shares = any(node.weights is not None for node in program.nodes)
    for position, name in enumerate(COUNTED):
        if name != "params" or not shares:
            has(counted, position, lambda found, name=name: getattr(found, name))
    if not shares:
        has(trained, 0, lambda found: found.params_training)
    for extreme, best in BEST.items():
        found = timed.extremum(0, extreme)
        assert found.value == pytest.approx(best(map(seconds, graphs)))
        assert found.value == pytest.approx(seconds(network(program, found.answers)))


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)
def test_of_two_branches_in_a_small_grid(tmp_path: Path, grid: Grid) -> None:
    file = tmp_path / "small.arch"
    file.write_text(grid.text)
    program = load(str(file)).program
    graphs = [network(program, dict(each)) for each in genotypes(program)]
    assert len(graphs) == Census(program).count > 40
    is_that_of(program, graphs)


@settings(max_examples=40)
@given(text=small_spaces())
def test_of_small_spaces_or_none(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    program = drawn(tmp_path_factory.mktemp("small"), text)
    assume(Census(program).count <= MOST)
    graphs = [network(program, dict(each)) for each in genotypes(program)]
    try:
        is_that_of(program, graphs)
    except TooLarge:
        event("out of reach")


def test_no_sample_of_fasterseg_lies_outside() -> None:
    program = load(str(ROOT / "spaces/fasterseg.arch")).program
    ranges = Ranges(program)
    census, random = Census(program), Random(3)
    sampled = [figures(network(program, census.sample(random))) for _ in range(5)]
    for figure in Figure:
        found = ranges.of(figure)
        for extreme, answers in found.exact.items():
            assert found.end(extreme) == getattr(figures(network(program, answers)), figure)
        assert all(found.least < getattr(each, figure) < found.greatest for each in sampled)
        assert found.exact
