"""The graph that a supernet computes: layers, and mixes of maps by the weights of answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, TypeAlias

from archdsl.ops import Shape
from archdsl.relax.layout import Layout
from archdsl.relax.scalars import Scalar
from archdsl.space import Apply, Branch, Image, Program, Question, QuestionPath, Result
from archdsl.space.trace import Answers
from archdsl.space.walk import Key

NONE: Final = "also none"
"""The further answer of `also = none`: a map of zeros. No candidate is spelled so, and one may be called `none`."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to join branches: where each ends; one that is named with None is left out."""

    name: str = ""
    """Empty for the network's own outputs."""
    ends: tuple[tuple[Branch, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Partial:
    """Mixed ops on a share of their channels (`archdsl.relax.partial_channels`)."""

    channels: Fraction
    """The share, 1 / k."""
    edges: frozenset[QuestionPath] = frozenset()
    """KEEP questions whose sums weigh their inputs (edge normalisation)."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What decisions say about which layers are run. What else they say are numbers.

    Equal structures are one graph, so it is made once.
    """

    answers: tuple[tuple[QuestionPath, tuple[str, ...]], ...] = ()
    """Questions that have an answer; all others are mixed."""
    weighted: frozenset[QuestionPath] = frozenset()
    """Those of them whose answer weighs its map, so that gradients reach the logits (straight through)."""
    searching: bool = True
    """What `case searching` is; a network of a genotype has `no`."""
    views: tuple[View, ...] = (View(),)
    allowed: tuple[tuple[QuestionPath, tuple[str, ...]], ...] = ()
    """The answers that a question may have, where those are fewer than in the supernet."""
    partial: Partial | None = None

    @classmethod
    def of(cls, answers: Answers, *, weighted: frozenset[QuestionPath] = frozenset()) -> Structure:
        """Of some answers, with all else as in a search."""
        return cls(tuple(answers.items()), weighted)


# Payloads ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mix:
    """The sum of its inputs, each by its weight; without inputs a map of zeros."""

    weights: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Weigh:
    """Its input times a number: a map that is there by that chance, where others are joined with it."""

    weight: Scalar


@dataclass(frozen=True, slots=True)
class Mask:
    """Its input with each channel weighed by the chance that the map is so wide."""

    layout: Layout


@dataclass(frozen=True, slots=True)
class Spread:
    """Its input with zeros for the channels that it does not have and a map that it is mixed with has."""

    layout: Layout
    """Where its channels belong."""
    places: int


@dataclass(frozen=True, slots=True)
class Narrow:
    """Some of the channels of its input, one behind the other.

    The first ones are those that it has where a case on their number picks it.
    """

    start: int
    stop: int


RelaxedPayload: TypeAlias = "Image | Apply | Result | Mix | Weigh | Mask | Spread | Narrow"


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A node of the graph. Its inputs are nodes by their numbers.

    Hashes are of what differs for almost all nodes and is hashed fast; equality is of all but the key.
    """

    payload: RelaxedPayload = field(hash=False)
    inputs: tuple[int, ...]
    shape: Shape = field(hash=False)
    """Channels that are there, height, width at the size of the text's image."""
    layout: Layout = field(hash=False)
    owner: int | None = None
    """The node of the program whose tensors it uses."""
    reads: Layout | None = field(default=None, hash=False)
    """The channels of the first map, where tensors are sliced by them."""
    key: Key | None = field(default=None, compare=False)
    """The first node of the program that it stands for."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with tensors, as a structure has it."""

    apply: Apply
    shapes: tuple[Shape, ...]
    """Of the maps that it reads."""
    reads: Layout
    """The channels of the first of them."""


@dataclass(frozen=True, slots=True)
class Output:
    view: str
    name: str
    auxiliary: bool
    node: int


@dataclass(frozen=True)
class RelaxedGraph:
    """Nodes in topological order, of which each is read or is an output."""

    program: Program
    structure: Structure
    nodes: tuple[Relaxed, ...]
    outputs: tuple[Output, ...]
    questions: Mapping[QuestionPath, Question]
    """Those that are mixed, and those whose answer weighs its map, in the order in which they are met."""
    layers: Mapping[Key, Layer]
    """Each layer with tensors that was met, those that only zeros are multiplied with among them."""
