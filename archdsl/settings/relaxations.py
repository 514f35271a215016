"""How questions are made differentiable, and how answers are taken from what was learned."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from archdsl.settings.schedules import TEMPERATURE, Constant, Schedule
from archdsl.settings.schema import (
    Kinds,
    Mark,
    Name,
    NoneAnswer,
    OneOf,
    Place,
    Reference,
    Spelling,
    Word,
    form,
    setting,
)
from archdsl.space import QuestionKind

RELAXED = (QuestionKind.OPERATOR, QuestionKind.SOURCE, QuestionKind.EXIT, QuestionKind.WIDTH)
"""The kinds that are mixed. Which inputs stay and where branches end is decided when answers are derived."""


class Method(StrEnum):
    """How the answers of a question are mixed."""

    SOFTMAX = "softmax"
    GUMBEL = "gumbel"
    GUMBEL_HARD = "gumbel_hard"


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
)
class Relaxation:
    """How the questions of some kinds are answered while a supernet is searched."""

    method: Method
    kinds: tuple[QuestionKind, ...] = setting(
        Kinds(RELAXED, "it is decided when answers are derived"), "kinds of questions", place=Place.BARE
    )
    temperature: Schedule = setting(TEMPERATURE, "logits are divided by it; above zero", default=Constant(1.0))
    also_none: bool = setting(
        NoneAnswer(),
        "one more answer that gives zero and may win probability; it has a logit",
        default=False,
        word="also",
        source="DARTS; CAS",
    )


RELAXATION = OneOf("relaxation", lambda: (Relaxation,))


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


@form("joint", source="FasterSeg, section 3.4")
class Joint:
    """The path of the highest product of probabilities."""

    kinds: tuple[QuestionKind, ...] = setting(
        Kinds((QuestionKind.SOURCE,), "a path is made of sources"), "kinds of questions", place=Place.BARE
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
    """An op that was chosen and does nothing is left out, with its place."""

    op: str = setting(Name(Reference.CANDIDATE), "the op", place=Place.BARE)


Derivation: TypeAlias = "Argmax | Joint | KeepStrongest | Drop"
DERIVATION = OneOf("way to derive answers", lambda: (Argmax, Joint, KeepStrongest, Drop))
