"""The schema of settings: for each setting its word, the kind of its value, its default and what it means.

A class of settings is declared once, with `form`. The reader (`archdsl.sema.settings`), the printer, the data for
machines and the reference tables all follow from the declaration: a setting more is a field more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields, replace
from enum import Enum, StrEnum, auto
from functools import cache
from inspect import cleandoc
from math import inf
from typing import Any, Final, TypeAlias, TypeVar, cast, dataclass_transform

from archdsl.records import frozen, record
from archdsl.space import QuestionKind

T = TypeVar("T")

# Kinds of values --------------------------------------------------------------------------------


@record
class Number:
    """A number in a range: `low` and `high` included, `above` and `below` not."""

    low: float = -inf
    high: float = inf
    above: float = -inf
    below: float = inf


LARGEST_WHOLE: Final = 10**12


@record
class Whole:
    """A whole number in a range, both ends included."""

    low: int = 1
    high: int = LARGEST_WHOLE


@record
class Share:
    """An exact number from 0 to 1."""


@record
class Flag:
    """`yes` or `no`."""


@record
class Mark:
    """True where the setting's word stands alone in a call: `argmax(guided)`."""


@record
class NoneAnswer:
    """True for `none`, the one word that can stand here."""


@record
class Word:
    """One of the words of an enumeration; `what` is how messages call it."""

    words: type[StrEnum]
    what: str


@record
class Pair:
    """Two numbers in parentheses."""

    of: Number
    example: str


@record
class Size:
    """`512x1024`: height and width, pixels."""


@record
class TablePath:
    """The path of a cost table, in quotes."""


class Reference(Enum):
    """What a name in a setting refers to."""

    OP = "an op"
    CANDIDATE = "an op that can be chosen"
    PART = "a part of the network"
    SCOPE = "a cell or place that asks something"
    CHAIN = "a chain"
    PHASE = "a phase"
    SPACE = "a space"


@record
class Name:
    """A name, as it is spelled."""

    of: Reference


@record
class Kinds:
    """Kinds of questions, without a name of their own; empty: those that no other rule names."""

    allowed: tuple[QuestionKind, ...]
    instead: str
    """What to do for a kind that is not allowed."""


@record
class Answer:
    """An answer that every question of a kind has, as it is spelled."""


@record
class OutputWeights:
    """`deep = 0.2, middle = 0.1`: a number for each auxiliary output."""

    of: Number


@record
class Expression:
    """An objective, which is about `loss` or about `accuracy`."""

    about: str


@record
class OneOf:
    """A call of one of several forms, by its word: `sgd(lr = 0.1)`."""

    what: str
    """How messages call them all."""
    forms: Callable[[], tuple[type, ...]]
    plain: type | None = None
    """The form of which a value may stand without a word, for its first setting."""
    named: bool = False
    """Whether the name of a cost can stand here."""
    rule: Rule | None = None


class Rule(Enum):
    """What holds of a value beside its own settings."""

    ABOVE_ZERO = auto()
    """A temperature: logits are divided by it."""
    BEGINS_ABOVE_ZERO = auto()
    """A learning rate."""
    ASKS_WIDTHS = auto()
    """Has a use only where widths are asked for."""
    AUXILIARY_OUTPUTS = auto()
    """Has a use only where there are auxiliary outputs."""


@record
class Extended:
    """A call of one of several forms that takes more settings: those of `into`, whose `base` holds the form."""

    of: OneOf
    into: type
    base: str


@record
class OfKind:
    """A call whose word is a kind of question: `width(12)`."""

    form: type


@record
class Lines:
    """One of several forms, whose settings are lines of the block itself; `what` is what a message calls them."""

    forms: tuple[type, ...]


@record
class Several:
    """`a, b`; with `nothing` also that word, for none."""

    of: Kind
    nothing: bool = False


@record
class SetOf:
    """`{a, b}`, or one without brackets; with `sorted` in their order."""

    of: Kind
    ordered: bool = False


Kind: TypeAlias = (
    Number
    | Whole
    | Share
    | Flag
    | Mark
    | NoneAnswer
    | Word
    | Pair
    | Size
    | TablePath
    | Name
    | Kinds
    | Answer
    | OutputWeights
    | Expression
    | OneOf
    | Extended
    | OfKind
    | Lines
    | Several
    | SetOf
)

# Declarations -----------------------------------------------------------------------------------


class Place(Enum):
    """How a setting stands in a call."""

    NAMED = auto()
    FIRST = auto()
    """With its name, or without it in the order of the declaration."""
    BARE = auto()
    """Without a name."""


@record
class Setting:
    """One setting of a form or a block."""

    field: str
    """The attribute that holds its value."""
    word: str
    kind: Kind
    meaning: str
    default: object
    """MISSING where it has to be written."""
    place: Place
    example: str
    """A line that a message proposes where it is missing."""
    source: str
    """Paper and section."""
    unit: str
    in_phases: bool
    """Stands in a phase alone."""
    optional_use: bool
    """Printed only where it differs from its default: it is about something that not every network has."""

    @property
    def required(self) -> bool:
        return self.default is MISSING


@record
class Spelling:
    """A word that calls a form, what it means, and what it says by itself."""

    word: str
    meaning: str
    values: Mapping[str, object] = field(default_factory=dict[str, object])
    source: str = ""


_SPELLINGS: dict[type, tuple[Spelling, ...]] = {}
_KEY: Final = "setting"


def setting(
    kind: Kind,
    meaning: str,
    *,
    default: Any = MISSING,
    word: str = "",
    place: Place = Place.NAMED,
    example: str = "",
    source: str = "",
    unit: str = "",
    in_phases: bool = False,
    optional_use: bool = False,
) -> Any:
    """A field that texts set, by its own name unless `word` is given; without a default it has to be written."""
    made = Setting("", word, kind, meaning, default, place, example, source, unit, in_phases, optional_use)
    return field(default=default, metadata={_KEY: made})


@dataclass_transform(frozen_default=True, field_specifiers=(setting, field))
def form(*spellings: str | Spelling, source: str = "", kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """A class of settings: a frozen dataclass, called by one of its words, or by none (a block, a value alone).

    A word alone means what the docstring says.
    """

    def declare(cls: type[T]) -> type[T]:
        made = frozen(cls, kw_only=kw_only)
        _SPELLINGS[made] = tuple(
            each if isinstance(each, Spelling) else Spelling(each, meaning_of(made), {}, source) for each in spellings
        )
        return made

    return declare


def meaning_of(cls: type) -> str:
    """The docstring on one line, without its period."""
    return re.sub(r"\s+", " ", cleandoc(cls.__doc__ or "")).removesuffix(".")


def spellings_of(cls: type) -> tuple[Spelling, ...]:
    return _SPELLINGS[cls]


def spelling_of(value: object) -> Spelling | None:
    """The word that makes a value; None for one that stands without."""
    for each in _SPELLINGS[type(value)]:
        if all(getattr(value, name) == said for name, said in each.values.items()):
            return each
    return None


@cache
def settings_of(cls: type) -> tuple[Setting, ...]:
    """The settings of a form or a block in the order of their declaration."""
    found: list[Setting] = []
    for each in fields(cast("Any", cls)):
        made: Setting | None = each.metadata.get(_KEY)
        if made is not None:
            found.append(replace(made, field=each.name, word=made.word or each.name))
    return tuple(found)


def left_out(setting: Setting, value: object) -> bool:
    """Whether a text says a value by not writing the setting."""
    match setting.kind:
        case Several(nothing=True):
            return value is None
        case Mark() | NoneAnswer():
            return not value
        case _ if setting.optional_use:
            return value == setting.default
        case _:
            return value is None or value == () or value == ""


def allowed(kind: Number | Whole) -> str:
    """The range of a number in words: `at least 0 and below 1`."""
    match kind:
        case Whole(low, high):
            bounds = (f"at least {_bound(low)}", f"at most {_bound(high)}" if high < LARGEST_WHOLE else "")
        case Number(low, high, above, below):
            bottom = f"above {_bound(above)}" if above > -inf else f"at least {_bound(low)}" if low > -inf else ""
            top = f"below {_bound(below)}" if below < inf else f"at most {_bound(high)}" if high < inf else ""
            bounds = (bottom, top)
    return " and ".join(each for each in bounds if each)


def _bound(bound: float) -> str:
    return f"{bound:,.0f}" if bound == int(bound) else f"{bound:g}"
