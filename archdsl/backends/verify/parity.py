"""How far compiled files are from the torch network, as data; needs neither torch nor a runtime."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from archdsl.backends.options import Precision

DEFAULT_TOLERANCE = MappingProxyType({Precision.FP32: 1e-5, Precision.FP16: 2e-2})
"""Of the largest logit. fp32: the order of sums and a folded batch norm; fp16: 11 bits through 75 convolutions."""


@dataclass(frozen=True, slots=True)
class CellDifference:
    """The last map of a cell: the largest difference, as a share of that map's own largest value."""

    path: str
    difference: float


@dataclass(frozen=True, slots=True)
class Run:
    """One runtime at one size of the image, or why it could not run there."""

    runtime: str
    height: int
    width: int
    difference: float | None = None
    """The largest over all outputs, as a share of the largest logit; None where it did not run. nan is within none."""
    cells: tuple[CellDifference, ...] = ()
    """In the order in which they are computed."""
    not_run: str = ""
    """Why nothing was measured; empty where it was."""
    checked: tuple[str, ...] = ()
    """What was checked besides: `sha256`, `header`."""

    def within(self, tolerance: float) -> bool:
        return self.difference is not None and self.difference <= tolerance

    def first_parting(self, tolerance: float) -> CellDifference | None:
        """The first cell that is beyond the tolerance: where to look for the reason."""
        return next((cell for cell in self.cells if not cell.difference <= tolerance), None)


@dataclass(frozen=True, slots=True)
class Parity:
    tolerance: float
    runs: tuple[Run, ...]

    def within(self) -> bool:
        """Whether each run that took place is within the tolerance. One that did not is no pass: see `not_run`."""
        return all(run.within(self.tolerance) for run in self.runs if not run.not_run)

    @property
    def not_run(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.not_run)
