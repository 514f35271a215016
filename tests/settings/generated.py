"""Settings drawn from the schema, valid for one small space that asks every kind of question that is mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeVar, assert_never

from hypothesis import strategies as st

from archdsl.ops.model import LARGEST_FLOAT, SMALLEST_FLOAT
from archdsl.settings.costs import Cost, Counted, Measured, TableFile, Uniform, Unit
from archdsl.settings.objectives import (
    DOUBLED,
    EXPONENT,
    KIND_WEIGHT,
    STEP,
    TARGET,
    Accuracy,
    Adaptive,
    CostTerm,
    Hinge,
    Log,
    LossTerm,
    Objective,
    Power,
    Product,
    Sum,
    Target,
    Value,
)
from archdsl.settings.optimizers import Adam, Sgd
from archdsl.settings.relaxations import (
    RELAXED,
    Argmax,
    Combined,
    Derivation,
    Dirichlet,
    Drop,
    Joint,
    Method,
    Mixing,
    PartialChannels,
    Perturbation,
    Relaxation,
    Untrained,
    WithoutLogits,
    runs_one,
)
from archdsl.settings.robustness import EVERY, WINDOW, Collapse
from archdsl.settings.schedules import Constant, Warmup, highest, reaches_zero
from archdsl.settings.schema import (
    Answer,
    Expression,
    Extended,
    Flag,
    Kind,
    Kinds,
    Lines,
    Mark,
    Name,
    NoneAnswer,
    Number,
    OfKind,
    OneOf,
    OutputWeights,
    Pair,
    Reference,
    Rule,
    SetOf,
    Setting,
    Several,
    Share,
    Size,
    TablePath,
    Whole,
    Word,
    settings_of,
    spellings_of,
)
from archdsl.settings.searches import Fixed, Freeze, Phase, RandomSplit, Sandwich, Search, TwoLevels
from archdsl.settings.trainings import Auxiliary, Duration, Epochs, Scale, Training
from archdsl.space import QuestionKind

TEXT = """archdsl 1

use std

cell normal(c) {
  in x
  choose operator in {conv1x1, conv3x3}
  choose width in {4, 8}
  out x -> operator(c) -> conv1x1(width) -> conv1x1(c)
}

cell place(c) {
  in x
  out x -> conv3x3(c)
}

space net() {
  in image: 3x32x64
  stem = image -> conv3x3(8)
  trunk = hyper(stem, stem) {
    each normal(c = 8) * 3
  }
  way = grid(layer in 1..3, scale in {1, 2}) {
    start [1][1] = trunk
    choose source in {way[layer - 1][scale], way[layer - 1][scale / 2] -> conv3x3(8, s = 2)} per branch
    each place(source, c = 8)
  }
  branches a, b in way[3]
  out logits = concat(a.last -> resize(like = stem), b.last -> resize(like = stem)) -> conv(3, k = 1)
  out aux early = stem -> conv(3, k = 1)
  out aux late = trunk -> conv(3, k = 1)
}

cost latency = table("tables/device.json", unit = us)

cost each_op = uniform(latency, relative_to = conv1x1)
"""
_LATENCY = Measured(TableFile("tables/device.json", None), Unit.US)
_COSTS = (
    Cost("latency", _LATENCY),
    Cost("each_op", Uniform(_LATENCY, "conv1x1")),
    Cost("macs", Counted("macs")),
    Cost("params", Counted("params")),
)
_NAMES = {
    Reference.OP: ("identity", "conv3x3", "conv(8)"),
    Reference.CANDIDATE: ("conv1x1", "conv3x3"),
    Reference.PART: ("stem", "trunk", "trunk[2]", "way"),
    Reference.SCOPE: ("trunk", "trunk[2]", "way", "way[3]", "way[3][2]"),
    Reference.CHAIN: ("trunk",),
}
_ANSWERS = {QuestionKind.OPERATOR: "conv3x3", QuestionKind.WIDTH: "4"}
"""One that every question of a kind has."""
_OUTPUTS: tuple[str, ...] = ("early", "late")

T = TypeVar("T")


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """What can stand for a setting, without regard to the others."""
    match kind:
        case Number():
            return _numbers(kind)
        case Whole(low, high):
            return st.integers(low, high)
        case Share():
            return st.fractions(0, 1, max_denominator=60)
        case Flag() | Mark() | NoneAnswer():
            return st.booleans()
        case Word(words):
            return st.sampled_from(list(words))
        case Pair(of):
            return st.tuples(_numbers(of), _numbers(of))
        case Size():
            return st.tuples(st.integers(1, 2048), st.integers(1, 2048))
        case TablePath():
            return st.builds(TableFile, st.sampled_from(["x.json", "tables/x y.json"]), st.none())
        case Name(of):
            return st.sampled_from(_NAMES[of])
        case Kinds(kinds):
            return _some(kinds)
        case OutputWeights(of):
            return st.dictionaries(st.sampled_from(_OUTPUTS), _numbers(of)).map(_in_order)
        case Expression(about):
            return _objectives(Accuracy() if about == "accuracy" else LossTerm())
        case OneOf():
            return _one_of(kind)
        case Extended(of, into, base):
            return st.tuples(_one_of(of), _fields(into)).map(lambda pair: into(**{base: pair[0]}, **pair[1]))
        case OfKind(form):
            return _of_kind(form)
        case Lines(forms):
            return st.one_of([_form(each, {}) for each in forms])
        case Several(of):
            return st.lists(values(of), min_size=1, max_size=3, unique=True).map(tuple)
        case SetOf(of, ordered):
            found = st.lists(values(of), min_size=1, max_size=3, unique=True)
            return found.map(lambda each: tuple(sorted(each)) if ordered else tuple(each))
        case Answer():
            raise ValueError("an answer is drawn with its kind of question")
        case _:
            assert_never(kind)


def trainings() -> st.SearchStrategy[Training]:
    return _fields(Training).map(lambda fields: Training(name="given", space="net", parameters=(), of="net", **fields))


def costs() -> st.SearchStrategy[Cost]:
    return _fields(Cost).map(lambda fields: Cost("given", **fields))


@st.composite
def searches(draw: st.DrawFn) -> Search:
    """With one phase that is the search, or with several."""
    names = draw(st.sampled_from([("given",), ("one",), ("one", "two"), ("one", "two", "three")]))
    phases = tuple(
        draw(_phases(name, alone=names == ("given",), beside=names[1:] if not at else ()))
        for at, name in enumerate(names)
    )
    return Search(name="given", space="net", parameters=(), of="net", phases=phases)


@st.composite
def _phases(draw: st.DrawFn, name: str, *, alone: bool, beside: Sequence[str]) -> Phase:
    """A phase whose settings go together."""
    drawn: dict[str, Any] = {
        each.field: each.default if _left_to_us(each, alone=alone) else draw(_setting(each))
        for each in settings_of(Phase)
    }
    drawn["beside"] = tuple(beside) if draw(st.booleans()) else ()
    if not alone:
        drawn["fixed"] = draw(st.sampled_from([(), (Fixed(QuestionKind.WIDTH, "4"),)]))
    drawn["duration"] = drawn["duration"] or Epochs(50, None)
    if isinstance(drawn["duration"], Epochs):
        drawn["freeze"] = tuple(each for each in drawn["freeze"] if each.until < drawn["duration"].epochs)
    if isinstance(drawn["levels"], TwoLevels):
        drawn["split"] = drawn["split"] or RandomSplit(Fraction(1, 2), Fraction(1, 3))
    if drawn["answer_for"] == () or drawn["pretrain"] is not None:
        searched: dict[str, Any] = dict.fromkeys(("arch", "guide", "pick", "stop")) | {"freeze": ()}
        searched["objective"] = LossTerm()
        return Phase(name=name, **(drawn | searched))
    fixed = {each.kind for each in drawn["fixed"]}
    kinds = tuple(kind for kind in RELAXED if kind not in fixed)
    arch = next(each for each in settings_of(Phase) if each.field == "arch")
    drawn["arch"] = drawn["arch"] or draw(values(arch.kind))
    mixing = [draw(_relaxation(part)) for part in draw(_partition(kinds))]
    drawn["relax"] = (*mixing, *draw(_beside(mixing)))
    none = any(isinstance(each, Relaxation | Dirichlet) and each.also_none for each in mixing)
    without = {kind for each in mixing if isinstance(each, WithoutLogits) for kind in each.kinds}
    learned = tuple(kind for kind in kinds if kind not in without)
    drawn["derive"] = tuple(draw(_derivations(learned, none=none, guided=drawn["guide"] is not None)))
    drawn["stop"] = _seen(drawn["stop"], mixing, drawn["duration"])
    return Phase(name=name, **drawn)


def _left_to_us(setting: Setting, *, alone: bool) -> bool:
    """What hangs on other settings, or on other phases, is not drawn for itself."""
    return setting.field in ("network", "beside", "fixed", "relax", "derive") or (alone and setting.in_phases)


@st.composite
def _relaxation(draw: st.DrawFn, kinds: tuple[QuestionKind, ...]) -> Mixing:
    given: dict[str, Any] = {"kinds": kinds}
    if draw(st.integers(0, 3)) == 0:
        return draw(_form(WithoutLogits, given | {"method": draw(st.sampled_from(list(Untrained)))}))
    if QuestionKind.WIDTH in kinds:
        given["also_none"] = False
    if draw(st.integers(0, 3)) == 0:
        return draw(_form(Dirichlet, given))
    return draw(_form(Relaxation, given | {"method": draw(st.sampled_from(list(Method)))}))


@st.composite
def _beside(draw: st.DrawFn, mixing: Sequence[Mixing]) -> list[Combined]:
    found: list[Combined] = []
    hard = [each for each in mixing if isinstance(each, Relaxation) and each.method.hard]
    paths = [each for each in mixing if isinstance(each, WithoutLogits) and each.method is Untrained.ONE_PATH]
    sampled = {kind for each in (*hard, *paths) for kind in each.kinds}
    if QuestionKind.OPERATOR not in sampled and draw(st.booleans()):
        found.append(PartialChannels(Fraction(1, draw(st.sampled_from([1, 2, 4, 8])))))
    soft = any(
        isinstance(each, Dirichlet) or (isinstance(each, Relaxation) and not each.method.hard) for each in mixing
    )
    if soft and draw(st.booleans()):
        found.append(draw(_form(Perturbation, {})))
    return found


def _seen(stop: Collapse | None, mixing: Sequence[Mixing], duration: Duration) -> Collapse | None:
    """What ends a phase, where its signs can be seen."""
    learned = [each for each in mixing if not isinstance(each, WithoutLogits)]
    if stop is None or not learned or (isinstance(duration, Epochs) and stop.first_stop > duration.epochs):
        return None
    return None if stop.eigenvalue is not None and all(runs_one(each) for each in learned) else stop


@st.composite
def _derivations(draw: st.DrawFn, kinds: tuple[QuestionKind, ...], *, none: bool, guided: bool) -> list[Derivation]:
    found: list[Derivation] = []
    for part in draw(_partition(kinds)):
        if part == (QuestionKind.SOURCE,) and not none and draw(st.booleans()):
            found.append(Joint(part))
        else:
            found.append(Argmax(part, guided and draw(st.booleans()), none or draw(st.booleans())))
    return [*found, *draw(st.sampled_from([[], [Drop("conv1x1")]]))]


@st.composite
def _partition(draw: st.DrawFn, kinds: Sequence[T]) -> list[tuple[T, ...]]:
    """All kinds, each in one part."""
    parts: dict[int, list[T]] = {}
    for kind in kinds:
        parts.setdefault(draw(st.integers(0, 2)), []).append(kind)
    return [tuple(part) for part in parts.values()]


def _some(kinds: Sequence[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(st.sampled_from(kinds), unique=True).map(
        lambda found: tuple(each for each in kinds if each in found)
    )


def _in_order(weights: dict[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple((name, weights[name]) for name in _OUTPUTS if name in weights)


def _numbers(kind: Number) -> st.SearchStrategy[float]:
    low = float(max(kind.low, kind.above, -LARGEST_FLOAT))
    high = float(min(kind.high, kind.below, LARGEST_FLOAT))
    found = st.floats(low, high, exclude_min=kind.above == low, exclude_max=kind.below == high)
    held = found.filter(lambda each: each == 0 or abs(each) >= SMALLEST_FLOAT)
    return held.map(lambda each: each + 0.0)  # no -0.0: a text has none


def _one_of(kind: OneOf) -> st.SearchStrategy[Any]:
    forms = [_form(each, values.values) for each in kind.forms() for values in spellings_of(each)]
    if kind.plain is not None and kind.plain not in kind.forms():
        forms.append(_form(kind.plain, {}))
    match kind.rule:
        case Rule.ABOVE_ZERO:
            return st.one_of(forms).filter(lambda each: not reaches_zero(each))
        case Rule.BEGINS_ABOVE_ZERO:
            return st.one_of(forms).filter(_begins_above_zero)
        case _:
            return st.one_of(forms)


def _begins_above_zero(schedule: Any) -> bool:
    return isinstance(schedule, Warmup) or (schedule.value if isinstance(schedule, Constant) else schedule.start) > 0


def _form(form: type, given: Any) -> st.SearchStrategy[Any]:
    """A form with what is given, and all else drawn."""
    return _fields(form, given).map(lambda fields: form(**{**fields, **given})).map(_together).filter(_agrees)


def _fields(form: type, given: Any = None) -> st.SearchStrategy[dict[str, Any]]:
    drawn = [each for each in settings_of(form) if each.field not in (given or {})]
    return st.fixed_dictionaries({each.field: _setting(each) for each in drawn})


def _setting(setting: Setting) -> st.SearchStrategy[Any]:
    found = st.deferred(lambda: values(setting.kind))
    if setting.required:
        return found
    return st.one_of(st.just(setting.default), found)


def _together(value: Any) -> Any:
    """The value as a text can say it."""
    match value:
        case Scale(low, high):
            return Scale(min(low, high), max(low, high))
        case Auxiliary(_, named) if named:
            return Auxiliary(1.0, named)
        case Collapse(eigenvalue=None):
            return replace(value, window=WINDOW, every=EVERY)
        case Sgd(momentum=0):
            return replace(value, nesterov=False)
        case _:
            return value


def _agrees(value: Any) -> bool:
    match value:
        case PartialChannels(channels):
            return channels.numerator == 1
        case RandomSplit(weights, answers):
            return weights > 0 and answers > 0 and weights + answers <= 1
        case Sandwich(smallest, largest, sampled, random):
            return smallest or largest or sampled or random > 0
        case Collapse():
            return value.any_sign
        case Adam(lr, (decay, _)):
            return highest(lr) / (1 - decay) <= LARGEST_FLOAT
        case _:
            return True


def _of_kind(form: type) -> st.SearchStrategy[Any]:
    if form is Freeze:
        return st.builds(Freeze, st.sampled_from(RELAXED), st.integers(1, 90))
    return st.sampled_from([Fixed(kind, answer) for kind, answer in _ANSWERS.items()])


def _objectives(about: Objective) -> st.SearchStrategy[Objective]:
    """Expressions as a text can have them, in which the term that they are about stands first."""
    weights = st.tuples(*(_numbers(KIND_WEIGHT) for _ in RELAXED)).map(lambda by: tuple(zip(RELAXED, by, strict=True)))
    weighted = weights.filter(lambda each: any(by for _, by in each)) | st.just(())
    terms = st.builds(CostTerm, st.sampled_from(_COSTS), _some(_NAMES[Reference.PART]), weighted)
    leaves: st.SearchStrategy[Objective] = terms | st.just(about) | st.builds(Value, _numbers(Number(low=0)))
    if about == LossTerm():
        bounds = st.tuples(_numbers(TARGET), _numbers(TARGET))
        factors = _numbers(STEP) | st.just(DOUBLED)
        leaves |= st.tuples(terms, bounds, factors).map(
            lambda each: Adaptive(each[0], min(each[1]), max(each[1]), each[2])
        )

    def larger(inner: st.SearchStrategy[Objective]) -> st.SearchStrategy[Objective]:
        signed = st.lists(st.tuples(st.sampled_from([1, -1]), inner), min_size=1, max_size=2)
        listed = st.tuples(inner, signed).map(lambda each: ((1, each[0]), *each[1]))
        powers = st.builds(Power, inner, _numbers(EXPONENT))
        off = st.builds(Target, inner, _numbers(TARGET)) | st.builds(Hinge, inner, _numbers(TARGET))
        negated = inner.map(lambda each: Sum(((-1, each),)))
        return st.builds(Log, inner) | listed.map(Sum) | listed.map(Product) | powers | negated | off

    return st.recursive(leaves, larger, max_leaves=4).map(lambda each: Sum(((1, about), (1, each))))
