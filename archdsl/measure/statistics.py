"""From samples to times, to the scale of a table, and to whether the machine was busy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import median
from typing import Final, Literal, TypeAlias, assert_never

from archdsl.cost.rows import Row
from archdsl.cost.tables import Scale
from archdsl.measure.runtime import Sample
from archdsl.measure.subjects import Whole

Statistic: TypeAlias = Literal["minimum", "median"]

_BUSY_SHARE: Final = 0.95
_BUSY_SPREAD: Final = 0.15


def seconds_of(samples: Sequence[Sample], statistic: Statistic) -> float:
    seconds = [sample.seconds for sample in samples]
    match statistic:
        case "minimum":
            return min(seconds)
        case "median":
            return median(seconds)
        case _:
            assert_never(statistic)


def fit_scale(networks: Mapping[Whole, float], rows: Mapping[Row, float]) -> Scale | None:
    """The factor with the least squared relative error, and the mean error on each network without it in the fit.

    None where no network has all its rows.
    """
    ratios = [sum_s / seconds for whole, seconds in networks.items() if (sum_s := whole.seconds(rows)) is not None]
    if not ratios:
        return None
    errors = [abs(factor_of(ratios[:at] + ratios[at + 1 :]) * ratio - 1) for at, ratio in enumerate(ratios)]
    return Scale(factor=factor_of(ratios), error=fsum(errors) / len(errors), networks=len(ratios))


def factor_of(ratios: Sequence[float]) -> float:
    """The f that minimises the sum of (f * ratio - 1)^2; 1 without any."""
    return fsum(ratios) / fsum(ratio**2 for ratio in ratios) if ratios else 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much of the machine was ours while samples were taken."""

    cpu_share: float
    """CPU time over wall time of all calls."""
    spread: float
    """How far the median of a subject lies above its minimum, as a share; of the subject in the middle."""

    @property
    def busy(self) -> bool:
        return self.cpu_share < _BUSY_SHARE or self.spread > _BUSY_SPREAD

    @classmethod
    def of(cls, samples: Iterable[Sequence[Sample]]) -> Load:
        """Of the samples of each subject; quiet without any."""
        taken = [each for each in samples if each]
        if not taken:
            return cls(1.0, 0.0)
        used = fsum(sample.seconds for each in taken for sample in each)
        wall = fsum(sample.wall_s for each in taken for sample in each)
        spreads = [median(sample.seconds for sample in each) / min(sample.seconds for sample in each) for each in taken]
        return cls(used / wall, median(spreads) - 1)

    def __str__(self) -> str:
        share, spread = 100 * self.cpu_share, 100 * self.spread
        return f"{share:.0f} % of the wall time was CPU time, and medians lie {spread:.0f} % above minima"
