"""Whether tensors are those that a graph wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archdsl.weights.specification import Spec

Tensors = Mapping[str, NDArray[np.floating]]
"""Tensors by their names in a state dict."""

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Difference:
    """A tensor whose shape is not the one that the network wants."""

    name: str
    wanted: tuple[int, ...]
    found: tuple[int, ...]


class WeightsMismatch(Exception):
    """These are the weights of another network."""

    def __init__(
        self, missing: Mapping[str, Spec], unexpected: Mapping[str, tuple[int, ...]], different: tuple[Difference, ...]
    ) -> None:
        self.missing = dict(missing)
        """What the network wants and the file lacks."""
        self.unexpected = dict(unexpected)
        """What the file has and the network does not want, with shapes."""
        self.different = different
        lines = [
            *_part("missing", [f"{name} {_shape(spec.shape)}" for name, spec in missing.items()]),
            *_part("not part of the network", [f"{name} {_shape(shape)}" for name, shape in unexpected.items()]),
            *_part(
                "of another shape",
                [f"{each.name} is {_shape(each.found)}, wanted {_shape(each.wanted)}" for each in different],
            ),
        ]
        super().__init__("\n".join(["the weights are those of another network", *lines]))


def compare(wanted: Mapping[str, Spec], found: Mapping[str, tuple[int, ...]]) -> None:
    """Raises WeightsMismatch where names or shapes are not the wanted ones."""
    missing = {name: spec for name, spec in wanted.items() if name not in found}
    unexpected = {name: shape for name, shape in found.items() if name not in wanted}
    different = tuple(
        Difference(name, spec.shape, found[name])
        for name, spec in wanted.items()
        if name in found and found[name] != spec.shape
    )
    if missing or unexpected or different:
        raise WeightsMismatch(missing, unexpected, different)


def _part(title: str, entries: list[str]) -> list[str]:
    more = [f"    and {len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else []
    return [f"  {title}:", *(f"    {entry}" for entry in entries[:_SHOWN]), *more] if entries else []


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
