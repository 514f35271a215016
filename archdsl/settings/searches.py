"""A search: what is stepped, in which order, on which data, for how long."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from archdsl.settings.losses import SEARCH_LOSS, SearchLoss
from archdsl.settings.objectives import LossTerm, Objective
from archdsl.settings.optimizers import OPTIMIZER, WEIGHT_STEP, Optimizer, WeightStep
from archdsl.settings.relaxations import DERIVATION, RELAXATION, Combined, Derivation, Mixing
from archdsl.settings.robustness import STOP, Collapse
from archdsl.settings.schema import (
    Answer,
    Expression,
    Mark,
    Name,
    Number,
    OfKind,
    OneOf,
    Place,
    Reference,
    Rule,
    Several,
    Share,
    Spelling,
    Whole,
    Word,
    form,
    setting,
)
from archdsl.settings.trainings import AUGMENTATION, DURATION, INITIAL, Augmentation, Duration, Initial
from archdsl.space import QuestionKind


class Order(StrEnum):
    """At which weights the logits of answers are stepped."""

    FIRST = "first"
    SECOND = "second"


@form("one")
class OneLevel:
    """Weights and answers by the same backward pass."""


@form("two", source="DARTS, section 2.3")
class TwoLevels:
    """Weights on one part of the data, answers on the other."""

    order: Order = setting(
        Word(Order, "order"),
        "`first`: at the weights as they are (xi = 0); `second`: after one step more, by finite differences "
        "(equation 8), xi the weights' learning rate",
        default=Order.FIRST,
    )


Levels: TypeAlias = "OneLevel | TwoLevels"


@form("random")
class RandomSplit:
    """Shares of the training images, without overlap."""

    weights: Fraction = setting(Share(), "the share that steps weights")
    answers: Fraction = setting(Share(), "the share that steps answers")


@form("groups")
class GroupSplit:
    """Groups that a dataset names (cities of Cityscapes)."""

    weights: int = setting(Whole(), "how many step weights", unit="groups")
    answers: int = setting(Whole(), "how many step answers", unit="groups")


Split: TypeAlias = "RandomSplit | GroupSplit"


@form("sandwich", source="Yu, Huang, ICCV 2019; FasterSeg, appendix F")
class Sandwich:
    """A supernet is run at several widths in each step."""

    smallest: bool = setting(Mark(), "the smallest one", default=False, place=Place.BARE)
    largest: bool = setting(Mark(), "the largest one", default=False, place=Place.BARE)
    sampled: bool = setting(Mark(), "the one that the relaxation gives", default=False, place=Place.BARE)
    random: int = setting(Whole(0, 1000), "so many more, uniform", default=0, unit="widths")


class ReasoningGraph(StrEnum):
    """What makes the edges of a guide's graph."""

    EDGE_SIMILARITY = "edge_similarity"
    OPERATION_IDENTITY = "operation_identity"
    FULLY_CONNECTED = "fully_connected"


@form("gcn", source="GAS, equations 5 to 7")
class GcnGuide:
    """Answers carried from cell to cell by a graph convolution."""

    along: str = setting(Name(Reference.CHAIN), "the chain whose cells are joined; each reads the one before it")
    layers: int = setting(Whole(1, 100), "layers of the graph convolution", default=1)
    dim: int = setting(Whole(1, 100_000), "channels of its hidden layers", default=64)
    gamma: float = setting(Number(0), "weight of what is carried", default=0.5)
    graph: ReasoningGraph = setting(
        Word(ReasoningGraph, "reasoning graph"),
        "edges joined by equation 6, candidates by section 4.4.1, or a fully connected layer instead",
        default=ReasoningGraph.EDGE_SIMILARITY,
    )


_KINDS = tuple(Spelling(str(kind), "", {"kind": kind}) for kind in QuestionKind)


@form(*_KINDS, source="AutoRTNet, section 4.1")
class Freeze:
    """`exit(until = 50)`: questions of a kind are not stepped at first."""

    kind: QuestionKind
    until: int = setting(Whole(), "the first epoch that steps them, counted from 1", unit="epochs")


@form(*_KINDS)
class Fixed:
    """`width(12)`: every question of a kind has this answer."""

    kind: QuestionKind
    answer: str = setting(Answer(), "the answer", place=Place.BARE)


@form(kw_only=True)
class Phase:
    """A part of a search with everything that holds in it; what it leaves open was said above it."""

    name: str
    network: str | None = setting(
        Name(Reference.SPACE),
        "the space that is laid out, of which the search's own holds the answers; left out: the search's own",
        default=None,
        in_phases=True,
    )
    answer_for: tuple[str, ...] | None = setting(
        Several(Name(Reference.SCOPE), nothing=True),
        "the cells and places whose questions are searched; left out: all that are still open",
        default=None,
        in_phases=True,
    )
    fixed: tuple[Fixed, ...] = setting(
        Several(OfKind(Fixed)), "every question of a kind has this answer", default=(), in_phases=True
    )
    without: tuple[str, ...] = setting(
        Several(Name(Reference.CANDIDATE)), "ops that may not be chosen", default=(), in_phases=True
    )
    beside: tuple[str, ...] = setting(
        Several(Name(Reference.PHASE)),
        "phases that step in turn with this one, on the same weights",
        default=(),
        word="with",
        in_phases=True,
    )
    pretrain: Initial | None = setting(
        INITIAL,
        "what is found so far is trained on other data, as with a training's `from`; the next phase goes on from there",
        default=None,
        in_phases=True,
    )
    duration: Duration | None = setting(
        DURATION, "how long; left out in a phase that runs beside another, or that pretrains", default=None
    )
    levels: Levels = setting(
        OneOf("number of levels", lambda: (OneLevel, TwoLevels)),
        "on which data weights and answers are stepped",
        default=OneLevel(),
    )
    split: Split | None = setting(
        OneOf("split", lambda: (RandomSplit, GroupSplit)),
        "how the training images are parted; needed by `two`",
        default=None,
        example="`split = random(weights = 1 / 2, answers = 1 / 2)`: two levels have data each",
    )
    relax: tuple[Mixing | Combined, ...] = setting(
        Several(RELAXATION),
        "how questions are made differentiable; needed where something is searched. One that names no kinds is for all "
        "that no other names",
        default=(),
    )
    objective: Objective = setting(Expression("loss"), "what is made small: the loss, and costs", default=LossTerm())
    loss: SearchLoss = setting(SEARCH_LOSS, "what `loss` in the objective means", default=SearchLoss())
    derive: tuple[Derivation, ...] = setting(
        Several(DERIVATION),
        "how answers are taken; left out: the most probable ones, and the strongest inputs. A rule that names no kinds "
        "is for all that no other names. Questions that are relaxed without logits stay open",
        default=(),
    )
    pick: Objective | None = setting(
        Expression("accuracy"), "which of several derived networks: the one of the largest value", default=None
    )
    guide: GcnGuide | None = setting(
        OneOf("guide", lambda: (GcnGuide,)), "what the logits of answers go through", default=None
    )
    widths: Sandwich | None = setting(
        OneOf("way to train widths", lambda: (Sandwich,), rule=Rule.ASKS_WIDTHS), "the widths of one step", default=None
    )
    freeze: tuple[Freeze, ...] = setting(
        Several(OfKind(Freeze)), "kinds of questions that are not stepped at first", default=()
    )
    stop: Collapse | None = setting(
        STOP, "what ends the phase early; left out: it runs to its end, whatever becomes of its answers", default=None
    )
    arch: Optimizer | None = setting(
        OPTIMIZER,
        "how the logits of answers are stepped, with the batch of the weights; needed where there are some",
        default=None,
        example="`arch = adam(lr = 3e-4, betas = (0.5, 0.999))`: it steps the logits of answers",
    )
    weights: WeightStep = setting(
        WEIGHT_STEP, "how weights are stepped", example="`weights = sgd(lr = 0.01, batch = 16)`"
    )
    augment: tuple[Augmentation, ...] = setting(
        Several(AUGMENTATION), "what is done to images, in this order", default=()
    )


@form(kw_only=True)
class Search:
    """`search NAME of SPACE { … }`."""

    name: str
    space: str
    parameters: tuple[tuple[str, str], ...]
    of: str
    """What stands behind `of`, as it is spelled: `fasterseg(w = 8)`."""
    own: tuple[str, ...] = field(default=(), compare=False)
    """The names of its own parameters, whose values stand in the phases; `parameters` are those of the space."""
    phases: tuple[Phase, ...]
    """In the order of the text; those beside another one follow it. One of the search's name holds all its lines."""
