"""Counts as people read them."""

from __future__ import annotations


def short(number: int) -> str:
    """`2.10 M`, `28.2 G`: three digits and a unit; a power of ten where no unit is large enough."""
    if abs(number) >= 10**15:
        digits = str(abs(number))
        return f"{'-' if number < 0 else ''}{digits[0]}.{digits[1]}e{len(digits) - 1}"
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if abs(number) >= size:
            value = number / size
            digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
            return f"{value:.{digits}f} {unit}"
    return str(number)


def signed(number: int) -> str:
    return "0" if number == 0 else f"{'+' if number > 0 else ''}{short(number)}"


def milliseconds(seconds: float) -> str:
    """`+0.110`; nothing for what a table does not tell apart."""
    text = f"{1e3 * seconds:+.3f}"
    return "" if text in ("+0.000", "-0.000") else text
