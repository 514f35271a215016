"""Weight initialisation from another network: the tensors that match, and those that do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from torch import Tensor

from archdsl.ir import ClosedGraph
from archdsl.train.errors import Refused
from archdsl.train.run import BEST, RECORD
from archdsl.train.typed_torch import load_file
from archdsl.weights import specification
from archdsl.weights.files import COUNTER


@dataclass(frozen=True, slots=True)
class InitWeights:
    """Matching tensors by name; a tensor of the same name but another shape keeps its random initialisation."""

    tensors: Mapping[str, Tensor]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    """Name, shape in the file, shape in the network."""
    new: tuple[str, ...]
    """In the network only."""
    unused: tuple[str, ...]
    """In the file only."""


def weights_file(place: Path) -> Path:
    """The file of weights at a path: the path itself, or the best weights of a run's folder."""
    return place / BEST if (place / RECORD).exists() else place


def match_weights(place: Path, graph: ClosedGraph) -> InitWeights:
    """Matches a file's weights with a network. Raises Refused for an unreadable file or without any match."""
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
