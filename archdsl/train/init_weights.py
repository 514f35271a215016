"""Weights to begin with: what of another network's tensors fits, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from torch import Tensor

from archdsl.ir import ClosedGraph
from archdsl.train.errors import Refused
from archdsl.train.record import BEST, RECORD
from archdsl.train.typed_torch import load_file
from archdsl.weights import specification
from archdsl.weights.files import COUNTER


@dataclass(frozen=True, slots=True)
class InitWeights:
    """By name; a tensor that has the name and another shape is left at random."""

    tensors: Mapping[str, Tensor]
    of_other_shape: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    """Name, its shape there, its shape here."""
    new: tuple[str, ...]
    """Here alone."""
    unused: tuple[str, ...]
    """There alone."""


def weights_file(place: Path) -> Path:
    """The weights that a path stands for: a file, or the best ones of a run's folder."""
    return place / BEST if (place / RECORD).exists() else place


def match_weights(place: Path, graph: ClosedGraph) -> InitWeights:
    """What of the weights at a place fits a network. Raises Refused where nothing does or the file cannot be read."""
    path = weights_file(place)
    try:
        found = {name: each for name, each in load_file(path).items() if not name.endswith(COUNTER)}
    except (OSError, SafetensorError) as error:
        raise Refused(f"`{path}` cannot be read as weights: {error}") from None
    wanted = {name: tuple(each.shape) for name, each in specification(graph).items()}
    both = [name for name in wanted if name in found]
    fits = {name: found[name] for name in both if tuple(found[name].shape) == wanted[name]}
    if not fits:
        raise Refused(f"no tensor of `{path}` fits: `archdsl diff` shows how two networks differ")
    return InitWeights(
        fits,
        tuple((name, tuple(found[name].shape), wanted[name]) for name in both if name not in fits),
        tuple(name for name in wanted if name not in found),
        tuple(name for name in found if name not in wanted),
    )
