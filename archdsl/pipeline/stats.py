"""How large an item is: the figures of a network, the exact size of a space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from archdsl.cost import Sum, figures
from archdsl.cost.memory import Peak, peak_memory
from archdsl.cost.receptive_field import ReceptiveField, receptive_field
from archdsl.ir import ClosedGraph
from archdsl.ops import Shape
from archdsl.pipeline.load import Loaded
from archdsl.pipeline.networks import NotCompared, count_networks
from archdsl.space.count import Census, NotCounted
from archdsl.space.grid_paths import count_path_sets
from archdsl.space.nominal_size import NominalSize, by_operators, every_question


@dataclass(frozen=True, slots=True)
class NetworkStats:
    """A network at the size of its image, for one image."""

    name: str
    image: Shape
    """Channels, height, width."""
    params: int
    """Trained parameters at inference."""
    params_training: int
    """With the auxiliary heads that are only trained with."""
    macs: int
    """Multiply-adds at inference; papers call them FLOPs, or twice as many."""
    macs_of_layers: int
    """Those of conv and linear, layers with weights; the others are those of matmul."""
    activations: int
    """The numbers that all primitives write at inference."""
    activations_of_layers: int
    """Those that conv and linear write."""
    peak_memory: Peak
    """The most that maps take at once, in fp32."""
    receptive_field: ReceptiveField | None
    """None where a primitive of another package runs."""
    cells: tuple[Sum, ...]
    """By cell, in the order of the network."""
    branches: tuple[Sum, ...]
    """By who computes it: one branch alone, or several together."""

    @classmethod
    def of(cls, graph: ClosedGraph) -> NetworkStats:
        found = figures(graph)
        return cls(
            found.name,
            found.image,
            found.params,
            found.params_training,
            found.macs,
            found.macs_of_layers,
            found.activations,
            found.activations_of_layers,
            peak_memory(graph),
            receptive_field(graph),
            found.cells(),
            found.branches(),
        )

    def _repr_html_(self) -> str:
        rows = [(each.name, f"{each.params:,}", f"{each.macs:,}") for each in self.cells]
        total = (self.name, f"{self.params:,}", f"{self.macs:,}")
        return _html(("cell", "params", "MACs"), [*rows, total])


@dataclass(frozen=True, slots=True)
class SpaceStats:
    """How large a space is."""

    name: str
    space: str
    hash: str
    questions: Mapping[str, int]
    """How many questions there are of each kind."""
    paths: int | None
    """In how many ways the branches can go through the grid; None where there is no grid."""
    genotypes: int | None
    """How many genotypes there are in normal form, exactly; None where they were not counted."""
    not_counted: str
    """Why they were not."""
    networks: int | None
    """How many different networks these are; None where they were not compared."""
    not_compared: str
    """Why they were not."""
    nominal: Mapping[str, NominalSize]
    """Products over the whole supernet, as papers give them."""

    def _repr_html_(self) -> str:
        rows = [(kind, f"{number:,}") for kind, number in self.questions.items()]
        genotypes = self.not_counted if self.genotypes is None else f"{self.genotypes:,}"
        networks = self.not_compared if self.networks is None else f"{self.networks:,}"
        return _html((self.name, ""), [*rows, ("genotypes", genotypes), ("different networks", networks)])


def network_stats(loaded: Loaded) -> NetworkStats:
    """The figures of a network. Raises ValueError where questions are open."""
    return NetworkStats.of(loaded.network())


def space_stats(loaded: Loaded) -> SpaceStats:
    """The size of the space of an item. Exact; needs a list of genotypes for the number of networks alone."""
    program = loaded.program
    kinds = Counter(
        f"{question.kind}{' per branch' if question.per_branch else ''}" for question in program.questions.values()
    )
    genotypes, networks, not_counted, not_compared = None, None, "", ""
    try:
        census = Census(program)
        genotypes = census.count
        networks = count_networks(program, census)
    except NotCounted as error:
        not_counted = not_compared = str(error)
    except NotCompared as error:
        not_compared = str(error)
    nominal = {"every_question": every_question(program), "by_operators": by_operators(program)}
    return SpaceStats(
        loaded.name,
        program.name,
        program.hash,
        dict(kinds),
        count_path_sets(program),
        genotypes,
        not_counted,
        networks,
        not_compared,
        {name: each for name, each in nominal.items() if each is not None},
    )


def _html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(each)}</td>' for each in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
