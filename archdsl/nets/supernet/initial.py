"""The weights with which a supernet begins."""

from __future__ import annotations

import hashlib
from math import sqrt
from pathlib import Path
from typing import Final

import numpy as np
import torch

from archdsl.nets.supernet.supernet import Supernet
from archdsl.ops import Role
from archdsl.ops.primitives import PRIMITIVES
from archdsl.relax.relaxed import Mix, Relaxed, RelaxedGraph
from archdsl.space import Apply
from archdsl.weights.files import open_weights
from archdsl.weights.mismatch import compare
from archdsl.weights.random import fan_in
from archdsl.weights.specification import Spec

_LEAST_MOMENT: Final = 1e-6
"""As for networks (`archdsl.weights.random`): below this, scaling up would blow up what is nearly constant."""


def initialise(supernet: Supernet, seed: int = 0) -> None:
    """Draws every kernel anew; batch norms and biases begin at the identity, learned maps as the text says.

    Each kernel is drawn from a generator of its own, seeded by (seed, name), so that a change elsewhere in the space
    leaves the draw alone. Its scale is He's (2015, section 2.2) at the full fan-in: the variance is 1 / (fan-in * mean
    square of the map read). A narrower slice has the same numbers and so writes less, which its batch norm evens out.
    A mix counts as one of its candidates drawn at random.
    """
    read = _mean_squares_read(supernet.relaxer.everything)
    with torch.no_grad():
        for name, owner, kernel in supernet.kernels():
            moment = max(read.get(owner, 1.0), _LEAST_MOMENT)
            weights = {weight.name: weight for weight in kernel.full.weights()}
            for own, tensor in kernel.named_parameters(recurse=False):
                weight = weights.get(own)
                if weight is None or weight.role not in (Role.FILTER, Role.LEARNED):
                    continue
                shape = tuple(tensor.shape)
                drawn = torch.as_tensor(_generator(seed, f"{name}.{own}").standard_normal(shape, dtype=np.float32))
                if weight.role is Role.LEARNED:
                    tensor.copy_(drawn).mul_(float(weight.std)).add_(float(weight.init))
                else:
                    tensor.copy_(drawn).mul_(1 / sqrt(fan_in(weight, shape) * moment))


def load_weights(supernet: Supernet, file: Path) -> None:
    """Takes the tensors of a safetensors file with the supernet's state.

    Raises WeightsMismatch, UnreadableWeights, BrokenWeights, OSError.
    """
    own = supernet.state_dict()
    found = open_weights(file).unwrapped(own)
    wanted = {name: Spec(tuple(tensor.shape), variance=_is_variance(name)) for name, tensor in own.items()}
    compare(wanted, found.shapes)
    with torch.no_grad():
        for name, tensor in found.matching(wanted).items():
            own[name].copy_(torch.as_tensor(tensor))


def _is_variance(name: str) -> bool:
    """Whether a tensor of a state dict holds the variances of a batch norm."""
    return name.endswith(".running_var")


def _mean_squares_read(graph: RelaxedGraph) -> dict[int, float]:
    """The expected mean square of the map that each layer with tensors reads, by its node of the program."""
    moments: list[float] = []
    found: dict[int, float] = {}
    for node in graph.nodes:
        read = [moments[source] for source in node.inputs]
        if node.owner is not None and read:
            found.setdefault(node.owner, read[0])
        moments.append(_mean_square(graph, node, read))
    return found


def _mean_square(graph: RelaxedGraph, node: Relaxed, read: list[float]) -> float:
    match node.payload:
        case Apply(primitive) as payload:
            sources = [graph.nodes[source] for source in node.inputs]
            maps = [each.shape._replace(channels=each.layout.size) for each in sources]
            return PRIMITIVES[primitive].mean_square(read, maps, payload.attribute)
        case Mix(weights):
            return sum(read) / len(read) if weights else 0.0
        case _:
            return read[0] if read else 1.0


def _generator(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
