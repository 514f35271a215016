"""A search: what is stepped, in which order, on which data, for how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from archdsl.settings.losses import Heads, Loss
from archdsl.settings.objectives import Objective
from archdsl.settings.optimizers import Optimizer, WeightStep
from archdsl.settings.relaxations import Derivation, Relaxation
from archdsl.settings.trainings import Augmentation, Duration, Initial
from archdsl.space import QuestionKind


class Order(StrEnum):
    FIRST = "first"
    """The weights as they are (DARTS with xi = 0)."""
    SECOND = "second"
    """The weights after one step more, by finite differences (DARTS, equation 8); xi is the weights' learning rate."""


@dataclass(frozen=True, slots=True)
class OneLevel:
    """`one`: weights and answers by the same backward pass."""


@dataclass(frozen=True, slots=True)
class TwoLevels:
    """`two(order = first)`: weights on one part of the data, answers on the other."""

    order: Order = Order.FIRST


Levels: TypeAlias = "OneLevel | TwoLevels"


@dataclass(frozen=True, slots=True)
class RandomSplit:
    """`random(weights = 1 / 2, answers = 1 / 2)`: shares of the training images, without overlap."""

    weights: Fraction
    answers: Fraction


@dataclass(frozen=True, slots=True)
class GroupSplit:
    """`groups(weights = 9, answers = 9)`: numbers of the groups that a dataset names (cities of Cityscapes)."""

    weights: int
    answers: int


Split: TypeAlias = "RandomSplit | GroupSplit"


@dataclass(frozen=True, slots=True)
class Sandwich:
    """The widths at which a supernet is run in each step (Yu, Huang, ICCV 2019; FasterSeg, appendix F)."""

    smallest: bool
    largest: bool
    sampled: bool
    """The width that the relaxation gives."""
    random: int
    """So many more, uniform."""


class ReasoningGraph(StrEnum):
    EDGE_SIMILARITY = "edge_similarity"
    """Equation 6."""
    OPERATION_IDENTITY = "operation_identity"
    """Section 4.4.1."""


@dataclass(frozen=True, slots=True)
class GcnGuide:
    """Answers carried from cell to cell by a graph convolution (GAS, equations 5 to 7)."""

    along: str
    """The chain whose cells are joined; each reads the one before it."""
    layers: int = 1
    dim: int = 64
    gamma: float = 0.5
    graph: ReasoningGraph = ReasoningGraph.EDGE_SIMILARITY


@dataclass(frozen=True, slots=True)
class Freeze:
    """`exit(until = 50)`: questions whose logits are not stepped before that epoch, counted from 1 (AutoRTNet, 4.1)."""

    kind: QuestionKind
    until: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """`width(12)`: every question of a kind has this answer."""

    kind: QuestionKind
    answer: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a search with everything that holds in it; what it leaves open was said above it."""

    name: str
    network: str
    """The space that is laid out: the search's own, or another one of which it holds the answers."""
    answers_for: tuple[str, ...] | None
    """The scopes whose questions are searched; empty: none; None: all that are still open."""
    fixed: tuple[Fixed, ...]
    without: tuple[str, ...]
    """Ops that may not be chosen."""
    beside: tuple[str, ...]
    """Phases that step in turn with this one, on the same weights."""
    pretrain: Initial | None
    """What is found so far is trained on other data, as with a training's `from`; the next phase goes on from there."""
    duration: Duration | None
    """None for a phase that runs beside another, or that pretrains."""
    levels: Levels
    split: Split | None
    relax: tuple[Relaxation, ...]
    derive: tuple[Derivation, ...]
    objective: Objective
    loss: Loss
    heads: tuple[Heads, ...]
    widths: Sandwich | None
    guide: GcnGuide | None
    freeze: tuple[Freeze, ...]
    pick: Objective | None
    arch: Optimizer | None
    weights: WeightStep
    augment: tuple[Augmentation, ...]


@dataclass(frozen=True, slots=True)
class Search:
    name: str
    space: str
    parameters: tuple[tuple[str, str], ...]
    phases: tuple[Phase, ...]
    """In the order of the text; those beside another one follow it."""
