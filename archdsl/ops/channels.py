"""Channel counts: whole and positive in every answer, and divided into groups."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.ops.attributes import number_or_dim
from archdsl.ops.dims import Count, Dim, divide, values
from archdsl.ops.model import LARGEST, Attributes, Shape, ShapeError


def channel_count(attributes: Attributes, name: str, what: str) -> Count:
    """The attribute as a count. Raises ShapeError (E0504) where some answer makes it broken, zero or negative."""
    return checked(number_or_dim(attributes, name), what)


def checked(given: int | Fraction | Dim, what: str) -> Count:
    """A number of `what` as a count. Raises ShapeError (E0504) where some answer makes it broken, zero or negative."""
    if not isinstance(given, Dim):
        if given.denominator != 1 or given < 1:
            raise ShapeError("E0504", f"has {given} {what}; that has to be a whole number above 0")
        if given > LARGEST:
            raise ShapeError("E0504", f"has more than {LARGEST:,} {what}, the most that a map can have")
        return given.numerator
    if (wrong := _not_whole(given)) is not None:
        raise ShapeError(
            "E0504",
            f"can have {wrong} {what} (`{given}`); that has to be a whole number above 0",
            "choose widths for which it is whole",
        )
    if max(values(given) or (0,)) > LARGEST:
        raise ShapeError("E0504", f"can have more than {LARGEST:,} {what} (`{given}`), the most that a map can have")
    return given


def share(channels: Count, groups: Count, whose: str, what: str = "groups") -> Count:
    """Channels in one group. Raises ShapeError (E0504) where groups do not divide channels in some answer."""
    if groups == 1:
        return channels
    quotient = _quotient(channels, groups)
    if quotient is None or isinstance(quotient, Fraction) or _not_whole(quotient) is not None:
        raise ShapeError("E0504", f"has {groups} {what}, which do not divide its {channels} {whose} channels")
    return quotient


def same_channels(maps: Sequence[Shape]) -> None:
    """Raises ShapeError (E0501) where maps differ in their channels."""
    first = maps[0].channels
    for other in maps[1:]:
        if other.channels != first:
            raise ShapeError(
                "E0501",
                f"reads maps of different channel counts: {first} and {other.channels}",
                "bring one to the other's channels with a `conv` with `k = 1`",
            )


def _quotient(channels: Count, groups: Count) -> Count | Fraction | None:
    """None where it is no polynomial."""
    if isinstance(groups, int):
        return divide(channels, groups)
    if channels == groups:
        return 1
    if isinstance(channels, int) or len(groups.terms) != 1:
        return None
    ((divisor, coefficient),) = groups.terms
    quotient: Count = 0
    for monomial, numerator in channels.terms:
        rest = list(monomial)
        for leaf in divisor:
            if leaf not in rest:
                return None
            rest.remove(leaf)
        quotient = quotient + Dim(((tuple(rest), Fraction(numerator) / coefficient),))
    return quotient


def _not_whole(count: Count) -> int | Fraction | None:
    """A value that the count can take and a channel count cannot."""
    found = values(count) or frozenset()
    return min((value for value in found if value.denominator != 1 or value < 1), default=None)
