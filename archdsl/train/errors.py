"""Invalid training requests, divergence, full disks."""

from __future__ import annotations

import errno
import math
from collections.abc import Mapping
from typing import Final


class Refused(Exception):
    """An invalid training request; the message says why, and what to change."""


class Diverged(Exception):
    """Training has diverged; the message says in which step, what is not finite, and what may help."""


class NotFinite(Exception):
    """A network gives NaN or infinite values; the message says which network, and where to look."""


class DiskFull(Exception):
    """What a run writes does not fit on the disk; the message names the file, and from where the run can go on."""

    def __init__(self, error: OSError, last: str) -> None:
        what = f"`{error.filename}` cannot be written: {(error.strerror or str(error)).lower()}"
        super().__init__(f"{what}; {last}: make room, and go on with `--resume`")


FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors by which a system says that no more can be written."""


def check_losses(step: int, losses: Mapping[str, float]) -> None:
    """Checks the losses of step `step`, before the optimizer steps. Raises Diverged for NaN or infinity."""
    if all(map(math.isfinite, losses.values())):
        return
    shown = ", ".join(f"`{name}` is {value:.4g}" for name, value in losses.items())
    raise Diverged(
        f"the training has diverged: in step {step} {shown}. That step was not taken, and resuming would end here "
        "again: start a new run with a lower learning rate, a warm-up, or `clip = 5` among the recipe's `weights`"
    )


def check_weights(step: int, finite: Mapping[str, bool]) -> None:
    """Checks `finite`: for each tensor by name, whether all its values are finite. Raises Diverged."""
    broken = [name for name, is_finite in finite.items() if not is_finite]
    if not broken:
        return
    more = f" and {len(broken) - 1} more have" if len(broken) > 1 else " has"
    raise Diverged(
        f"the training has diverged: after step {step} `{broken[0]}`{more} NaN or infinite values. They are "
        "not saved: start a new run with a lower learning rate, a warm-up, or `clip = 5` among the recipe's `weights`"
    )
