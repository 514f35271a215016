"""Arguments of a call checked against a primitive's parameters, and bound to its attributes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import cast

from archdsl.ops.dims import Dim
from archdsl.ops.model import COUNTS, LARGEST, LARGEST_FLOAT, Kind, Parameter, Primitive, Value, kinds


class ParameterError(Exception):
    """A primitive has no such parameter (E0305), lacks one (E0306), or cannot take the value (E0307, E0505).

    `name` is the parameter; `reason` finishes the sentence "`conv` …"; `help` says what to write instead.
    """

    def __init__(self, code: str, name: str, reason: str, help: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.name = name
        self.reason = reason
        self.help = help


class _WrongKind(Exception):
    pass


def bind(primitive: Primitive, given: Mapping[str, object]) -> tuple[tuple[str, Value], ...]:
    """Attributes in the primitive's order, defaults filled in: what `Apply` holds.

    A whole number given for a window means a square one; a fraction that is whole becomes an int; a float is read as
    its shortest decimal. None stands for "not given". Raises ParameterError for the first thing that is wrong.
    """
    if not given:
        return _defaults(primitive)
    known = kinds(primitive)
    for name in given:
        if name not in known:
            raise _unknown(name, primitive)
    return tuple((each.name, _value(each, given.get(each.name))) for each in primitive.parameters)


@cache
def _defaults(primitive: Primitive) -> tuple[tuple[str, Value], ...]:
    """Most nodes of a network are given nothing."""
    return tuple((parameter.name, _value(parameter, None)) for parameter in primitive.parameters)


def _value(parameter: Parameter, given: object) -> Value:
    if given is None:
        if parameter.required or parameter.of_map:
            raise ParameterError(
                "E0306", parameter.name, f"needs `{parameter.name}`, {parameter.kind}", f"write `{parameter.name} = …`"
            )
        return parameter.default
    try:
        value = _of_kind(parameter.kind, given)
    except _WrongKind:
        reason = f"takes {parameter.kind} as `{parameter.name}`, not {show(given)}"
        raise ParameterError("E0307", parameter.name, reason) from None
    _check_range(parameter, value)
    return value


def _of_kind(kind: Kind, given: object) -> Value:
    match kind:
        case Kind.FLAG:
            if isinstance(given, bool):
                return given
        case Kind.WORD:
            if isinstance(given, str):
                return given
        case Kind.WINDOW | Kind.MARGIN:
            if (window := _window(given)) is not None:
                return window
        case Kind.STEP:
            if (window := _window(given)) is not None:
                return window[0] if window[0] == window[1] else window
        case Kind.PADDING:
            if isinstance(given, str):
                return given
            if (sides := _sides(given)) is not None:
                return sides
        case Kind.CHANNELS | Kind.GROUPS:
            if isinstance(given, Dim):
                return given
            if (number := _number(given)) is not None:
                return number
        case Kind.COUNT | Kind.INDEX:
            if isinstance(number := _number(given), int):
                return number
        case Kind.FACTOR | Kind.NUMBER:
            if (number := _number(given)) is not None:
                return Fraction(number)
    raise _WrongKind


def _number(given: object) -> int | Fraction | None:
    match given:
        case bool():
            return None
        case int():
            return given
        case Fraction():
            return given.numerator if given.denominator == 1 else given
        case float() if given - given == 0:
            return _number(Fraction(str(given)))
        case _:
            return None


def _window(given: object) -> tuple[int, int] | None:
    if not isinstance(given, tuple):
        length = _number(given)
        return (length, length) if isinstance(length, int) else None
    match [_number(length) for length in cast("tuple[object, ...]", given)]:
        case [int(height), int(width)]:
            return height, width
        case _:
            return None


def _sides(given: object) -> tuple[int, int] | tuple[int, int, int, int] | None:
    """Rows and columns; of each both sides, where they differ."""
    if (window := _window(given)) is not None:
        return window
    if not isinstance(given, tuple):
        return None
    match [_number(length) for length in cast("tuple[object, ...]", given)]:
        case [int(top), int(left), int(bottom), int(right)]:
            return (top, left) if (top, left) == (bottom, right) else (top, left, bottom, right)
        case _:
            return None


def _check_range(parameter: Parameter, value: Value) -> None:
    wanted = _wanted(parameter, value)
    if wanted is not None:
        reason = f"has `{parameter.name} = {show(value)}`; that has to be {wanted}"
        raise ParameterError("E0505", parameter.name, reason)


def _wanted(parameter: Parameter, value: Value) -> str | None:
    """The range of a parameter, where a value lies outside of it."""
    match value:
        case int(number):
            return _outside(parameter.kind, number)
        case tuple(lengths):
            least = 0 if parameter.kind in (Kind.MARGIN, Kind.PADDING) else 1
            if min(lengths) < least:
                return f"at least {least} in each direction"
            return f"at most {LARGEST:,} in each direction" if max(lengths) > LARGEST else None
        case Fraction() as number if parameter.kind not in COUNTS:
            return _outside_real(parameter, number)
        case str(word) if word not in parameter.words and parameter.kind is Kind.PADDING:
            return 'numbers, of which 0 is no padding ("valid"), or `"same"`'
        case str(word) if word not in parameter.words:
            return " or ".join(f"`{show(candidate)}`" for candidate in parameter.words)
        case _:
            return None


def _outside(kind: Kind, number: int) -> str | None:
    if kind not in (Kind.COUNT, Kind.INDEX, Kind.STEP):
        return None
    least = 0 if kind is Kind.INDEX else 1
    if number < least:
        return f"at least {least}"
    return f"at most {LARGEST:,}" if number > LARGEST else None


def _outside_real(parameter: Parameter, number: Fraction) -> str | None:
    if parameter.kind is Kind.FACTOR and number <= 0:
        return "above 0"
    if parameter.low is not None and number < parameter.low:
        return f"at least {parameter.low}"
    if parameter.high is not None and number > parameter.high:
        return f"at most {parameter.high}"
    return "at most 1e38, as a 32-bit float is" if abs(number) > LARGEST_FLOAT else None


def _unknown(name: str, primitive: Primitive) -> ParameterError:
    from difflib import get_close_matches

    names = [parameter.name for parameter in primitive.parameters]
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        help = f"did you mean `{near[0]}`?"
    elif names:
        help = f"it has {', '.join(f'`{each}`' for each in names)}"
    else:
        help = "it has no parameters"
    return ParameterError("E0305", name, f"has no parameter `{name}`", help)


def show(value: object) -> str:
    """A value as a text spells it: `yes`, `15x1`, `1 / 2`, `"nearest"`."""
    match value:
        case str():
            return f'"{value}"'
        case bool():
            return "yes" if value else "no"
        case tuple():
            return "x".join(map(str, cast("tuple[object, ...]", value)))
        case Fraction() if value.denominator != 1:
            return f"{value.numerator} / {value.denominator}"
        case _:
            return str(value)
