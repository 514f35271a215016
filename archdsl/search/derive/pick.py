"""Which of several derived networks are compared: those whose branches end where an accuracy is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.strongest import EndLabels, labels_of

_SHOWN = 6


def read_ends(text: str) -> Mapping[str, str]:
    """`a = 16, b = 32`. Raises NotDerived."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, label = (each.strip() for each in part.partition("="))
        if not (name and equals and label):
            raise NotDerived(f"`{text}` does not say where branches end: write `a = 16, b = 32`")
        found[name] = label
    return found


def compared(every: Sequence[EndLabels], accuracy: Mapping[str, float]) -> Mapping[int, float]:
    """The accuracy of each of some networks that has one, by its position. Raises NotDerived."""
    found: dict[int, float] = {}
    for text, number in accuracy.items():
        given = read_ends(text)
        position = next(
            (at for at, ends in enumerate(every) if {str(branch): label for branch, label in ends.items()} == given),
            None,
        )
        if position is None:
            raise NotDerived(f"no network has branches that end at `{text}`: {known_ends(every)}")
        found[position] = number
    return found


def known_ends(every: Sequence[EndLabels]) -> str:
    """Where branches can end, in words."""
    listed = "; ".join(f"`{labels_of(each)}`" for each in every[:_SHOWN])
    return f"they end at {listed}" + (f" or {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")
