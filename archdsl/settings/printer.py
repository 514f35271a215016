"""Settings as texts have them, so that what is printed can be pasted; and as data for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from fractions import Fraction
from typing import Any, TypeAlias, assert_never

from archdsl.settings.costs import Cost, TableFile
from archdsl.settings.objectives import (
    DOUBLED,
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
from archdsl.settings.schema import (
    Expression,
    Extended,
    Kind,
    Kinds,
    Lines,
    Mark,
    NoneAnswer,
    OfKind,
    OneOf,
    OutputWeights,
    Pair,
    Place,
    SetOf,
    Setting,
    Several,
    Size,
    left_out,
    settings_of,
    spelling_of,
)
from archdsl.settings.searches import Phase, Search
from archdsl.settings.trainings import Training
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import SourceFile, Span

Item: TypeAlias = "Search | Training | Cost"
_NOWHERE = Span(SourceFile("", ""), 0, 0)


def item_tree(item: Item) -> ast.Search | ast.Train | ast.Cost:
    """The item with every setting that holds, defaults too; its text reads back as an equal item."""
    match item:
        case Cost(name, measure):
            (setting,) = settings_of(Cost)
            return ast.Cost(_NOWHERE, _name(name), _expression(setting.kind, measure))
        case Training():
            return ast.Train(_NOWHERE, _name(item.name), _atom(item.of), _lines(item))
        case Search(phases=(phase,)) if phase.name == item.name and not _of_a_phase(phase):
            return ast.Search(_NOWHERE, _name(item.name), (), _atom(item.of), _lines(phase))
        case Search():
            phases = (ast.Phase(_NOWHERE, _name(each.name), _lines(each)) for each in item.phases)
            return ast.Search(_NOWHERE, _name(item.name), (), _atom(item.of), tuple(phases))


def setting_text(setting: Setting, value: object) -> str:
    """One value as a text has it: `sgd(lr = poly(from = 0.01, power = 0.9), …)`."""
    return unparse(_expression(setting.kind, value))


def objective_text(objective: Objective) -> str:
    """`loss + 0.01 * log(latency(over = {h1, h2}))`."""
    return unparse(_objective(objective))


def number_text(value: float) -> str:
    """The shortest decimal that reads back as the same number: `0.0005`, `3e-8`, `5`."""
    mantissa, _, exponent = repr(float(value)).partition("e")
    return mantissa.removesuffix(".0") + (f"e{int(exponent)}" if exponent else "")


def _of_a_phase(phase: Phase) -> bool:
    """Whether a line holds that only a phase can have."""
    return any(not left_out(each, getattr(phase, each.field)) for each in settings_of(Phase) if each.in_phases)


def _lines(block: Training | Phase) -> tuple[ast.Statement, ...]:
    return tuple(
        ast.Assign(_NOWHERE, ast.Target(_NOWHERE, _atom(each.word)), _expression(each.kind, value))
        for each, value in _written(block)
    )


def _written(value: object) -> Iterator[tuple[Setting, Any]]:
    """The settings of a form or a block that a text has to write, those of `Lines` each for itself."""
    for each in settings_of(type(value)):
        inner = getattr(value, each.field)
        if isinstance(each.kind, Lines) and inner is not None:
            yield from _written(inner)
        elif not left_out(each, inner):
            yield each, inner


# Values as expressions --------------------------------------------------------------------------


def _expression(kind: Kind, value: Any) -> ast.Expr:
    match kind:
        case OneOf() | OfKind():
            return _call(value, kind.plain if isinstance(kind, OneOf) else None)
        case Extended(_, _, base):
            return _called(_call(getattr(value, base), None), _all_arguments(_written(value)))
        case Several(of):
            if not value:
                return _atom("nothing")
            parts = tuple(_expression(of, each) for each in value)
            return parts[0] if len(parts) == 1 else ast.Tuple(_NOWHERE, parts)
        case SetOf(of):
            return ast.Set(_NOWHERE, tuple(_expression(of, each) for each in value))
        case Pair(of):
            return ast.Tuple(_NOWHERE, tuple(_expression(of, each) for each in value))
        case Expression():
            return _objective(value)
        case Size():
            return ast.Shape(_NOWHERE, value)
        case NoneAnswer():
            return _atom("none")
        case _:
            return _single(value)


def _single(value: object) -> ast.Expr:
    match value:
        case bool():
            return _atom("yes" if value else "no")
        case TableFile(written):
            return ast.String(_NOWHERE, written)
        case Fraction():
            over = () if value.denominator == 1 else (("/", _atom(str(value.denominator))),)
            return ast.Multiply(_NOWHERE, (("*", _atom(str(value.numerator))), *over))
        case float():
            return _atom(number_text(value))
        case _:
            return _atom(str(value))


def _call(value: object, plain: type | None) -> ast.Expr:
    written, spelling = list(_written(value)), spelling_of(value)
    if type(value) is plain and len(written) <= 1:
        setting = settings_of(plain)[0]
        return _expression(setting.kind, getattr(value, setting.field))
    assert spelling is not None, value
    if type(value) is plain:
        written = written[1:]
    return _called(_atom(spelling.word), _all_arguments(written))


def _called(target: ast.Expr, arguments: Iterable[ast.Argument]) -> ast.Expr:
    """A call with more arguments; a name alone where there are none."""
    match target:
        case ast.Call(target=path, arguments=known):
            return ast.Call(_NOWHERE, path, (*known, *arguments))
        case ast.Path() if found := tuple(arguments):
            return ast.Call(_NOWHERE, target, found)
        case _:
            return target


def _all_arguments(written: Iterable[tuple[Setting, Any]]) -> list[ast.Argument]:
    return [argument for setting, value in written for argument in _arguments(setting, value)]


def _arguments(setting: Setting, value: Any) -> list[ast.Argument]:
    match setting.kind:
        case Mark():
            return [ast.Argument(_NOWHERE, _atom(setting.word))]
        case Kinds():
            return [ast.Argument(_NOWHERE, _atom(str(kind))) for kind in value]
        case OutputWeights(of):
            return [ast.Argument(_NOWHERE, _expression(of, weight), _name(output)) for output, weight in value]
        case kind:
            name = None if setting.place is Place.BARE else _name(setting.word)
            return [ast.Argument(_NOWHERE, _expression(kind, value), name)]


def _objective(objective: Objective) -> ast.Expr:
    match objective:
        case Value(value):
            return _atom(number_text(value))
        case LossTerm():
            return _atom("loss")
        case Accuracy():
            return _atom("accuracy")
        case CostTerm():
            return _cost_term(objective)
        case Log(of):
            return _called(_atom("log"), _bare(_objective(of)))
        case Target(of, at):
            return _called(_atom("target"), _bare(_objective(of), _atom(number_text(at))))
        case Hinge(of, at):
            return _called(_atom("hinge"), _bare(_objective(of), _atom(number_text(at))))
        case Adaptive(of, least, most, factor):
            given = {"least": least, "most": most} | ({"factor": factor} if factor != DOUBLED else {})
            named = (ast.Argument(_NOWHERE, _atom(number_text(value)), _name(word)) for word, value in given.items())
            return _called(_atom("adaptive"), [*_bare(_cost_term(of)), *named])
        case Sum(((-1, term),)):
            return ast.Negate(_NOWHERE, _objective(term))
        case Sum(terms):
            return ast.Add(_NOWHERE, tuple(("+" if sign > 0 else "-", _objective(term)) for sign, term in terms))
        case Product(factors):
            signed = (("*" if sign > 0 else "/", _objective(factor)) for sign, factor in factors)
            return ast.Multiply(_NOWHERE, tuple(signed))
        case Power(base, exponent):
            size: ast.Expr = _atom(number_text(abs(exponent)))
            return ast.Power(_NOWHERE, _objective(base), ast.Negate(_NOWHERE, size) if exponent < 0 else size)
        case _:
            assert_never(objective)


def _bare(*values: ast.Expr) -> list[ast.Argument]:
    return [ast.Argument(_NOWHERE, each) for each in values]


def _cost_term(term: CostTerm) -> ast.Expr:
    over = ast.Set(_NOWHERE, tuple(_atom(part) for part in term.over))
    part = _called(_atom(term.cost.name), [ast.Argument(_NOWHERE, over, _name("over"))] if term.over else [])
    if not term.weights:
        return part
    weights = (ast.Argument(_NOWHERE, _atom(number_text(by)), _name(str(kind))) for kind, by in term.weights)
    return _called(_atom("weighted"), [ast.Argument(_NOWHERE, part), *weights])


def _name(text: str) -> ast.Name:
    return ast.Name(_NOWHERE, text)


def _atom(text: str) -> ast.Path:
    """A word, a number or a name as it is spelled: it stands in a tree as one path."""
    return ast.Path(_NOWHERE, _name(text))


# Values as data ---------------------------------------------------------------------------------


def as_data(item: Item) -> dict[str, Any]:
    """JSON's own types under the language's words; a call is an object whose `form` is its word."""
    match item:
        case Cost(name):
            return {"item": "cost", "name": name, **_settings(item)}
        case Training():
            return {"item": "train", **_head(item), "settings": _settings(item)}
        case Search():
            phases = [{"phase": phase.name, "settings": _settings(phase)} for phase in item.phases]
            return {"item": "search", **_head(item), "phases": phases}


def _head(item: Training | Search) -> dict[str, Any]:
    return {"name": item.name, "space": item.space, "parameters": dict(item.parameters)}


def _settings(value: object, settings: Sequence[Setting] | None = None) -> dict[str, Any]:
    """Every setting of a value, or those given, also what a text leaves out: null where nothing holds."""
    found: dict[str, Any] = {}
    for each in settings_of(type(value)) if settings is None else settings:
        inner = getattr(value, each.field)
        match each.kind:
            case Lines():
                found |= {} if inner is None else _settings(inner)
            case OutputWeights():
                found |= dict(inner)
            case kind:
                found[each.word] = _data(kind, inner)
    return found


def _data(kind: Kind, value: Any) -> Any:
    match kind:
        case _ if value is None:
            return None
        case OneOf() | OfKind():
            return _call_data(kind, value)
        case Extended(of, _, base):
            return _data(of, getattr(value, base)) | _settings(value)
        case Several(of) | SetOf(of):
            return [_data(of, each) for each in value]
        case Expression():
            return objective_text(value)
        case _:
            return _plain(value)


def _call_data(kind: OneOf | OfKind, value: object) -> Any:
    plain, settings, spelling = _is_plain(kind, value), settings_of(type(value)), spelling_of(value)
    if plain and len(list(_written(value))) <= 1:
        return _data(settings[0].kind, getattr(value, settings[0].field))
    assert spelling is not None, value
    return {"form": spelling.word, **_settings(value, settings[plain:])}


def _is_plain(kind: OneOf | OfKind, value: object) -> bool:
    """Whether a value can stand without a word."""
    return isinstance(kind, OneOf) and kind.plain is not None and isinstance(value, kind.plain)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Fraction():
            return float(value)
        case TableFile(written):
            return written
        case tuple():
            return [_plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
