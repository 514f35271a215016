"""Random weights for measuring, testing and comparing targets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from archdsl.ir import ClosedGraph
from archdsl.ops import Role, Weight
from archdsl.space import Apply
from archdsl.weights.activation_variance import mean_squares
from archdsl.weights.specification import node_weights, specification

_LEAST_MOMENT = 1e-6
"""Below this (products of gates, softmax over many channels) scaling up would blow up what is nearly constant."""


MOST_WEIGHTS = 10**12
"""Four terabytes: more are refused before the first is drawn."""


class TooManyWeights(Exception):
    """A network that no memory holds."""


def random_weights(graph: ClosedGraph, seed: int = 0, *, initial: bool = False) -> dict[str, NDArray[np.float32]]:
    """A tensor for each name in `specification(graph)`.

    Each is drawn from a generator of its own, seeded by (seed, name), so that a change elsewhere in the network leaves
    the draw alone. Its scale is He's (2015, section 2.2) made exact for what the layer reads: the variance is
    1 / (fan-in * mean square of the input), where the mean square follows from the relus, sums and gates since the
    last layers with weights. So every layer writes numbers of size 1 at any depth, through residual sums too.
    Running statistics are near those that such maps have and not equal to them, as after training. So are learned
    maps, which would hide what they scale: with `initial` they are those that a text has training begin with.
    Raises TooManyWeights.
    """
    specs = specification(graph)
    count = sum(prod(spec.shape) for spec in specs.values())
    if count > MOST_WEIGHTS:
        raise TooManyWeights(f"`{graph.name}` has {count:,} weights, more than any memory holds")
    moments = mean_squares(graph)
    tensors: dict[str, NDArray[np.float32]] = {}
    for path, _ in graph.with_payload(Apply):
        for name, weight in node_weights(graph, path).items():
            if name in tensors:
                continue  # where weights are shared, the first of the places says how large they are
            moment = max(moments[graph.inputs(path)[0]], _LEAST_MOMENT)
            start = (float(weight.init), float(weight.std)) if initial else (0.0, 1.0)
            drawn = _drawn(_generator(seed, name), weight, specs[name].shape, moment, start)
            tensors[name] = drawn.astype(np.float32)
    return tensors


def fan_in(weight: Weight, shape: Sequence[int]) -> float:
    """How many products a number of the result is a sum of, on average, for a filter of this shape."""
    return max(float(prod(shape) // shape[weight.axis] * weight.share), 1.0)


def _drawn(
    draw: np.random.Generator, weight: Weight, shape: tuple[int, ...], moment: float, start: tuple[float, float]
) -> NDArray[np.float64]:
    """`start` is mean and deviation of learned maps."""
    match weight.role:
        case Role.FILTER:
            return draw.normal(0, 1 / sqrt(fan_in(weight, shape) * moment), shape)
        case Role.BIAS:
            return draw.normal(0, 0.1, shape)
        case Role.SCALE:
            return draw.uniform(0.8, 1.2, shape)
        case Role.LEARNED:
            return draw.normal(*start, shape)
        case Role.SLOPE:
            return draw.uniform(0.15, 0.35, shape)
        case Role.VARIANCE:
            return draw.uniform(0.75, 1.3, shape) * moment
        case Role.MEAN:
            return draw.normal(0, 0.1 * sqrt(moment), shape)


def _generator(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
