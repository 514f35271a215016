"""Least squares with weights that are not negative: times, and shares of times."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SLACK: Final = 1e-10


def nonnegative_least_squares(gram: Array, moments: Array) -> Array:
    """The weights w >= 0 that minimize w'Gw / 2 - h'w, by active sets (Lawson, Hanson, 1974, chapter 23).

    `gram` G is A'A and positive definite, `moments` h is A'b.
    """
    count = len(moments)
    weights, active = np.zeros(count), np.zeros(count, dtype=bool)
    for _ in range(3 * count):
        slope = np.where(active, -np.inf, moments - gram @ weights)
        if slope.max() <= _SLACK:
            break
        active[slope.argmax()] = True
        while True:
            wanted = np.zeros(count)
            wanted[active] = np.linalg.solve(gram[np.ix_(active, active)], moments[active])
            if (wanted[active] > 0).all():
                break
            # As far as the first weight that would become negative, which then leaves.
            falling = active & (wanted <= 0)
            step = (weights[falling] / (weights[falling] - wanted[falling])).min()
            weights = weights + step * (wanted - weights)
            active &= weights > _SLACK
            weights[~active] = 0.0
        weights = wanted
    return weights
