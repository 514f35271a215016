"""How questions are made differentiable, and how answers are taken from what was learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from archdsl.settings.schedules import Constant, Schedule
from archdsl.space import QuestionKind


class Method(StrEnum):
    SOFTMAX = "softmax"
    """Every answer, mixed by softmax(logits / temperature) (DARTS)."""
    GUMBEL = "gumbel"
    """The same with Gumbel noise on the logits (SNAS; AutoRTNet, equation 3)."""
    GUMBEL_HARD = "gumbel_hard"
    """One answer, sampled; gradients as if it were mixed (straight through)."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """How the questions of some kinds are answered while a supernet is searched."""

    method: Method
    kinds: tuple[QuestionKind, ...]
    """Never empty: where a text names none, all those that no other relaxation of it names."""
    temperature: Schedule = field(default_factory=lambda: Constant(1.0))
    also_none: bool = False
    """`also = none`: one more answer that gives zero and may win probability; it has a logit (DARTS, CAS)."""


RELAXED = (QuestionKind.OPERATOR, QuestionKind.SOURCE, QuestionKind.EXIT, QuestionKind.WIDTH)
"""The kinds that are mixed. Which inputs stay and where branches end is decided when answers are derived."""


@dataclass(frozen=True, slots=True)
class Argmax:
    """`argmax(kinds)`: the most probable answer, each question for itself."""

    kinds: tuple[QuestionKind, ...]
    guided: bool = False
    """Of the logits as the guide leaves them (GAS: alpha', not alpha)."""
    except_none: bool = False
    """The answer `none` of a relaxation may not win."""


@dataclass(frozen=True, slots=True)
class Joint:
    """`joint(source)`: the path of the highest product of probabilities (FasterSeg, 3.4 and footnote 2)."""

    kinds: tuple[QuestionKind, ...]


@dataclass(frozen=True, slots=True)
class KeepStrongest:
    """`keep(by = max_probability)`: the inputs whose strongest op is the most probable (DARTS; CAS, 3.1)."""

    by: KeepBy


class KeepBy(StrEnum):
    MAX_PROBABILITY = "max_probability"


@dataclass(frozen=True, slots=True)
class Drop:
    """`drop(skip)`: an op that was chosen and does nothing is left out, with its place (FasterSeg, 3.4)."""

    op: str


Derivation: TypeAlias = "Argmax | Joint | KeepStrongest | Drop"
