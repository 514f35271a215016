"""A primitive's bound attributes, read back as what their kind promises.

`bind` has checked the kinds, so a wrong one here is a bug of ours: TypeError.
"""

from __future__ import annotations

from fractions import Fraction

from archdsl.ops.dims import Dim
from archdsl.ops.model import Attributes


def whole(attributes: Attributes, name: str) -> int:
    value = attributes[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"`{name}` is {value!r}, not a whole number")
    return value


def pair(attributes: Attributes, name: str) -> tuple[int, int]:
    """(height, width)."""
    value = attributes[name]
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f"`{name}` is {value!r}, not a pair")
    return value


def both(attributes: Attributes, name: str) -> tuple[int, int]:
    """(of rows, of columns), of a step."""
    value = attributes[name]
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else pair(attributes, name)


def step(attributes: Attributes, name: str) -> tuple[int, int]:
    """As `both`; 1 for a primitive without the parameter."""
    return both(attributes, name) if name in attributes else (1, 1)


def padding(attributes: Attributes, name: str) -> tuple[int, int, int, int] | str | None:
    """Rows above, columns left, rows below, columns right; a word where sizes decide; None where nothing is said."""
    match attributes[name]:
        case None | str() as said:
            return said
        case (int(rows), int(columns)):
            return rows, columns, rows, columns
        case (int(), int(), int(), int()) as sides:
            return sides
        case value:
            raise TypeError(f"`{name}` is {value!r}, not a padding")


def optional_pair(attributes: Attributes, name: str) -> tuple[int, int] | None:
    return None if attributes[name] is None else pair(attributes, name)


def fraction(attributes: Attributes, name: str) -> Fraction:
    value = attributes[name]
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise TypeError(f"`{name}` is {value!r}, not a number")
    return Fraction(value)


def optional_fraction(attributes: Attributes, name: str) -> Fraction | None:
    return None if attributes[name] is None else fraction(attributes, name)


def flag(attributes: Attributes, name: str) -> bool:
    value = attributes[name]
    if not isinstance(value, bool):
        raise TypeError(f"`{name}` is {value!r}, not yes or no")
    return value


def word(attributes: Attributes, name: str) -> str:
    value = attributes[name]
    if not isinstance(value, str):
        raise TypeError(f"`{name}` is {value!r}, not a word")
    return value


def number_or_dim(attributes: Attributes, name: str) -> int | Fraction | Dim:
    value = attributes[name]
    if isinstance(value, bool) or not isinstance(value, int | Fraction | Dim):
        raise TypeError(f"`{name}` is {value!r}, not a channel count")
    return value
