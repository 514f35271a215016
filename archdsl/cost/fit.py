"""Cost tables fitted to few networks that were measured as a whole.

The time of a row is linear in what is known of it: how many primitives it runs, its multiply-adds and its activations
(the numbers that it writes), each with a weight for all rows and one for rows of its kind. Times of networks are sums
of rows, so these weights are found by least squares with a ridge, none of them negative. What every measured network
has is a part of its own, for no difference between networks tells it apart.

A runtime may leave out what only the zeros of `none` edges read. Whether it does, and how strong the ridge is, is
decided by leaving out one network at a time.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archdsl.cost.graph_passes import AS_WRITTEN, GraphPasses
from archdsl.cost.kernel import Kernel, activations, macs
from archdsl.cost.nonnegative import nonnegative_least_squares
from archdsl.cost.row_counts import RowCounts
from archdsl.cost.rows import Row
from archdsl.ops import COUNTS
from archdsl.ops.primitives import PRIMITIVES

Array = NDArray[np.float64]

LEAST: Final = 5
"""Fewer networks are not fitted."""
_RIDGES: Final = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""For weights in shares of the mean time: a weight may well be the whole time, seldom many times that."""
_FREE: Final = 1e-9
"""Nothing takes less than this share of a network: times in a table are above 0."""


CANDIDATES: Final = (AS_WRITTEN, GraphPasses(dead_code_removed=True))
"""What a runtime is taken to leave out. Of the devices of NAS-Bench-201 none folds constants."""


@dataclass(frozen=True)
class FittedRows:
    """Times of rows, in seconds."""

    passes: GraphPasses
    weights: Mapping[Hashable, Array]
    """For each kind of row its weights, those of all rows included."""
    general: Array
    """For kinds of which no measured network has any: weights that were fitted without kinds."""
    shared: Mapping[Row, float]
    """For rows that every measured network has, what is added: each has its share of what these have in common."""
    least: float

    def seconds(self, row: Row, kernel: Kernel) -> float:
        weights = self.weights.get(kind_of(kernel), self.general)
        return max(float(_figures(kernel) @ weights) + self.shared.get(row, 0.0), self.least)

    def predict(self, networks: RowCounts) -> Array:
        """Sums of rows, for networks whose rows were counted for these passes."""
        return networks.counts @ np.array([self.seconds(*each) for each in networks.kernels.items()])


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Each network as the others predict it."""

    error: float
    """The mean of what is wrong, as a share of what the network takes."""
    rank_correlation: float
    """Spearman's, between what was predicted and what was measured; 0 where either is always the same."""


def kind_of(kernel: Kernel) -> Hashable:
    """Equal for kernels that differ in channels and sizes alone."""
    return len(kernel.inputs), tuple(
        (step.payload.primitive, _without_channels(step.payload.primitive, step.payload.attribute), step.reads)
        for step in kernel.steps
    )


def fit(networks: Mapping[GraphPasses, RowCounts], seconds: Array) -> FittedRows:
    """The times of rows. Raises ValueError for fewer than `LEAST` networks."""
    if len(seconds) < LEAST:
        raise ValueError(f"{len(seconds)} networks are too few: at least {LEAST} are needed")
    designs = {passes: _Design.of(counted) for passes, counted in networks.items()}
    _, passes, ridge = min(
        (
            (_left_out_error(design.scaled, seconds, ridge), passes, ridge)
            for passes, design in designs.items()
            for ridge in _RIDGES
        ),
        key=lambda tried: tried[0],
    )
    return designs[passes].fitted(passes, seconds, ridge)


def cross_validation(networks: Mapping[GraphPasses, RowCounts], seconds: Array) -> CrossValidation:
    """Everything is fitted again without each network. Raises ValueError as `fit` does."""
    predicted = np.zeros(len(seconds))
    for left_out in range(len(seconds)):
        others = np.delete(np.arange(len(seconds)), left_out)
        fitted = fit({passes: counted.only(others) for passes, counted in networks.items()}, seconds[others])
        predicted[left_out] = fitted.predict(networks[fitted.passes].only([left_out]))[0]
    error = float(np.mean(np.abs(predicted - seconds) / seconds))
    return CrossValidation(error, rank_correlation(predicted, seconds))


def rank_correlation(one: Array, other: Array) -> float:
    """Spearman's, equal numbers at the mean of their ranks; 0 where one has no two numbers that differ."""
    first, second = _ranks(one), _ranks(other)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


@dataclass(frozen=True)
class _Design:
    """What is known of networks, in columns: what all have in common, then figures of all rows, then those by kind."""

    networks: RowCounts
    kinds: Mapping[Hashable, int]
    columns: Array
    """Networks x columns."""
    means: Array
    """Of the columns; 1 where a column is empty."""

    @classmethod
    def of(cls, networks: RowCounts) -> _Design:
        kinds: dict[Hashable, int] = {}
        numbers = [kinds.setdefault(kind_of(kernel), len(kinds)) for kernel in networks.kernels.values()]
        figures = np.array([_figures(kernel) for kernel in networks.kernels.values()])
        by_kind = np.zeros((len(figures), len(kinds), _FIGURES))
        by_kind[np.arange(len(figures)), numbers] = figures
        of_rows = np.concatenate([figures, by_kind.reshape(len(figures), -1)], axis=1)
        common = np.full((len(networks.counts), 1), float(_in_all(networks).any()))
        columns = np.concatenate([common, networks.counts @ of_rows], axis=1)
        means = columns.mean(axis=0)
        return cls(networks, kinds, columns, np.where(means > 0, means, 1.0))

    @property
    def scaled(self) -> Array:
        return self.columns / self.means

    def fitted(self, passes: GraphPasses, seconds: Array, ridge: float) -> FittedRows:
        weights = self._weights(seconds, ridge, self.columns.shape[1])
        general = self._weights(seconds, ridge, 1 + _FIGURES)
        of_all, by_kind = weights[1 : 1 + _FIGURES], weights[1 + _FIGURES :].reshape(-1, _FIGURES)
        return FittedRows(
            passes,
            {kind: of_all + by_kind[number] for kind, number in self.kinds.items()},
            general[1:],
            self._shared(weights[0]),
            _FREE * float(seconds.mean()),
        )

    def _weights(self, seconds: Array, ridge: float, count: int) -> Array:
        """Of the first `count` columns."""
        scaled = self.scaled[:, :count]
        gram = scaled.T @ scaled + ridge * np.eye(count)
        shares = nonnegative_least_squares(gram, scaled.T @ (seconds / seconds.mean()))
        return shares * seconds.mean() / self.means[:count]

    def _shared(self, common: float) -> Mapping[Row, float]:
        """What networks have in common, laid on the rows that all have by primitives, multiply-adds and activations."""
        everywhere = _in_all(self.networks)
        rows = [row for row, there in zip(self.networks.kernels, everywhere, strict=True) if there]
        counts = self.networks.counts.min(axis=0)[everywhere]
        if not rows:
            return {}
        figures = np.array([_figures(self.networks.kernels[row]) for row in rows])
        whole = counts @ figures
        parts = (figures / np.where(whole > 0, whole, 1.0)).sum(axis=1)
        return dict(zip(rows, (common * parts / (counts @ parts)).tolist(), strict=True))


def _in_all(networks: RowCounts) -> NDArray[np.bool_]:
    """The rows that each network has, as often as the others."""
    return (networks.counts.min(axis=0) == networks.counts.max(axis=0)) & (networks.counts.min(axis=0) > 0)


_FIGURES: Final = 3


def _figures(kernel: Kernel) -> Array:
    """Primitives, multiply-adds, activations."""
    return np.array([len(kernel.steps), macs(kernel), activations(kernel)], dtype=np.float64)


def _without_channels(primitive: str, attributes: Mapping[str, object]) -> Sequence[tuple[str, object]]:
    kinds = {parameter.name: parameter.kind for parameter in PRIMITIVES[primitive].parameters}
    return tuple((name, value) for name, value in attributes.items() if kinds[name] not in COUNTS)


def _left_out_error(scaled: Array, seconds: Array, ridge: float) -> float:
    """The mean squared error of each network by the others, in closed form, where weights may be negative."""
    shares = seconds / seconds.mean()
    count = len(shares)
    gram = scaled @ scaled.T + ridge * np.eye(count)
    inverse = np.asarray(np.linalg.inv(gram), dtype=np.float64)
    wrong: Array = inverse @ shares / np.diag(inverse)
    return float(np.mean(wrong**2))


def _ranks(numbers: Array) -> Array:
    _, position, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[position]
