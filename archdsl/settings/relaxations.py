"""How questions are made differentiable, and how answers are taken from what was learned."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias, TypeGuard

from archdsl.settings.schedules import RADIUS, TEMPERATURE, Constant, Linear, Schedule
from archdsl.settings.schema import (
    Kinds,
    Mark,
    Name,
    NoneAnswer,
    Number,
    OneOf,
    Place,
    Reference,
    Share,
    Spelling,
    Whole,
    Word,
    form,
    setting,
)
from archdsl.space import QuestionKind

RELAXED = (QuestionKind.OPERATOR, QuestionKind.SOURCE, QuestionKind.EXIT, QuestionKind.WIDTH)
"""The kinds that are mixed. Which inputs stay and where branches end is decided when answers are derived."""


_KINDS = Kinds(RELAXED, "it is decided when answers are derived")


class Method(StrEnum):
    """How the answers of a question are mixed by its logits."""

    SOFTMAX = "softmax"
    GUMBEL = "gumbel"
    GUMBEL_HARD = "gumbel_hard"
    REINMAX = "reinmax"

    @property
    def hard(self) -> bool:
        """Whether one answer alone is run."""
        return self in (Method.GUMBEL_HARD, Method.REINMAX)


@form(
    Spelling(
        "softmax",
        "every answer, mixed by softmax(logits / temperature)",
        {"method": Method.SOFTMAX},
        "DARTS, section 2.2",
    ),
    Spelling(
        "gumbel",
        "the same with Gumbel noise on the logits",
        {"method": Method.GUMBEL},
        "SNAS; AutoRTNet, equation 3",
    ),
    Spelling(
        "gumbel_hard",
        "one answer, sampled; gradients as if it were mixed (straight through)",
        {"method": Method.GUMBEL_HARD},
        "Jang, Gu, Poole, ICLR 2017",
    ),
    Spelling(
        "reinmax",
        "one answer, sampled; gradients by Heun's method, of second order",
        {"method": Method.REINMAX},
        "ReinMax: Liu et al., NeurIPS 2023",
    ),
)
class Relaxation:
    """How the questions of some kinds are answered by their logits while a supernet is searched."""

    method: Method
    kinds: tuple[QuestionKind, ...] = setting(_KINDS, "kinds of questions", place=Place.BARE)
    temperature: Schedule = setting(TEMPERATURE, "logits are divided by it; above zero", default=Constant(1.0))
    also_none: bool = setting(
        NoneAnswer(),
        "one more answer that gives zero and may win probability; it has a logit",
        default=False,
        word="also",
        source="DARTS; CAS",
    )


@form("dirichlet", source="DrNAS: Chen et al., ICLR 2021")
class Dirichlet:
    """Every answer, mixed by weights from a Dirichlet distribution of concentration elu(logits) + 1."""

    kinds: tuple[QuestionKind, ...] = setting(_KINDS, "kinds of questions", place=Place.BARE)
    penalty: float = setting(
        Number(0), "weight, in the loss, of the squared distance of concentrations from 1", default=1e-3
    )
    also_none: bool = setting(NoneAnswer(), "one more answer that gives zero, with a logit", default=False, word="also")


class Untrained(StrEnum):
    """How answers are given without logits."""

    UNIFORM = "uniform"
    ONE_PATH = "one_path"


@form(
    Spelling("uniform", "every answer, mixed by equal weights; no logits", {"method": Untrained.UNIFORM}),
    Spelling(
        "one_path",
        "one answer, each as likely as any other; no logits",
        {"method": Untrained.ONE_PATH},
        "Guo et al., ECCV 2020",
    ),
)
class WithoutLogits:
    """How the questions of some kinds are answered while weights alone are trained."""

    method: Untrained
    kinds: tuple[QuestionKind, ...] = setting(_KINDS, "kinds of questions", place=Place.BARE)


@form("partial", source="PC-DARTS: Xu et al., ICLR 2020")
class PartialChannels:
    """Beside another relaxation: a share of the channels goes through mixed ops, the others pass them by."""

    channels: Fraction = setting(Share(), "the share: 1 / 4")
    edge_normalisation: bool = setting(
        Mark(), "a sum that keeps some inputs weighs them all, by logits of their own", default=False, place=Place.BARE
    )


class PerturbedBy(StrEnum):
    """How a perturbation is found."""

    RANDOM = "random"
    ADVERSARIAL = "adversarial"


@form("perturb", source="SDARTS: Chen, Hsieh, ICML 2020")
class Perturbation:
    """Beside another relaxation: weights of answers are perturbed while the weights of ops are stepped."""

    by: PerturbedBy = setting(
        Word(PerturbedBy, "perturbation"),
        "`random`: uniform; `adversarial`: the one of the largest loss",
        place=Place.BARE,
    )
    radius: Schedule = setting(RADIUS, "the largest change of a weight", default=Linear(0.03, 0.3))


Mixing: TypeAlias = Relaxation | Dirichlet | WithoutLogits
"""What says how questions of some kinds are answered."""


def runs_one(rule: Mixing) -> TypeGuard[Relaxation | WithoutLogits]:
    """Whether one answer is run, sampled; all are run else."""
    match rule:
        case Relaxation(method):
            return method.hard
        case WithoutLogits(method):
            return method is Untrained.ONE_PATH
        case Dirichlet():
            return False


Combined: TypeAlias = PartialChannels | Perturbation
"""What stands beside it."""
RELAXATION = OneOf("relaxation", lambda: (Relaxation, Dirichlet, WithoutLogits, PartialChannels, Perturbation))


@form("argmax")
class Argmax:
    """The most probable answer, each question for itself."""

    kinds: tuple[QuestionKind, ...] = setting(
        Kinds(RELAXED, "write `keep(by = max_probability)` or `pick = …`"), "kinds of questions", place=Place.BARE
    )
    guided: bool = setting(
        Mark(), "of the logits as the guide leaves them", default=False, place=Place.BARE, source="GAS: alpha'"
    )
    except_none: bool = setting(
        NoneAnswer(), "the answer `none` of a relaxation may not win", default=False, word="except"
    )


class Steps(StrEnum):
    """Which steps of a path count."""

    EVERY = "every_step"
    CHANGES = "changes"


@form("joint", source="Auto-DeepLab, section 4.3; FasterSeg, section 3.4")
class Joint:
    """The path of the highest product of probabilities."""

    kinds: tuple[QuestionKind, ...] = setting(
        Kinds((QuestionKind.SOURCE,), "a path is made of sources"), "kinds of questions", place=Place.BARE
    )
    over: Steps = setting(
        Word(Steps, "product"),
        "`every_step`: of all its steps; `changes`: of those to another scale alone (FasterSeg), which are taken where "
        "their place asks, if any path does so",
        default=Steps.EVERY,
    )
    margin: int = setting(
        Whole(0, 1_000),
        "so many of the first and of the last places of a scale that ask are not where a branch comes to it",
        default=0,
        unit="places",
        source="FasterSeg's published code: 1",
        optional_use=True,
    )
    apart: int = setting(
        Whole(1, 1_000),
        "the fewest layers from one change of scale to the next",
        default=1,
        unit="layers",
        source="FasterSeg's published code: 3",
        optional_use=True,
    )
    early: int = setting(
        Whole(0, 1_000),
        "a branch that changes its scale once does so that much before the most probable place",
        default=0,
        unit="layers",
        source="FasterSeg's published code: 1",
        optional_use=True,
    )


class KeepBy(StrEnum):
    """By what the inputs that stay are ranked."""

    MAX_PROBABILITY = "max_probability"


@form("keep", source="DARTS, section 2.4; CAS, section 3.1")
class KeepStrongest:
    """The inputs that stay, where a sum keeps some."""

    by: KeepBy = setting(Word(KeepBy, "strength"), "those whose strongest op is the most probable")


@form("drop", source="FasterSeg, section 3.4")
class Drop:
    """An op that was chosen and does nothing is left out, with its place.

    With one of its settings the next best op takes its place where it may not be left out, and where the scale changes.
    """

    op: str = setting(Name(Reference.CANDIDATE), "the op", place=Place.BARE)
    places: Fraction = setting(
        Share(),
        "the share of a branch's places, rounded, that keep an op; the most probable ones are left out first",
        default=Fraction(0),
        source="FasterSeg's published code: 1 / 3",
        optional_use=True,
    )
    each_change: int = setting(
        Whole(0, 1_000),
        "so many places more for each change of scale",
        default=0,
        unit="places",
        source="FasterSeg's published code: 2",
        optional_use=True,
    )
    between_changes: bool = setting(
        Mark(),
        "some op stays between two changes of scale, and behind the last one",
        default=False,
        place=Place.BARE,
        source="FasterSeg's published code",
    )

    @property
    def bounded(self) -> bool:
        """Whether ops may have to stay."""
        return bool(self.places or self.each_change or self.between_changes)


Derivation: TypeAlias = "Argmax | Joint | KeepStrongest | Drop"
DERIVATION = OneOf("way to derive answers", lambda: (Argmax, Joint, KeepStrongest, Drop))
