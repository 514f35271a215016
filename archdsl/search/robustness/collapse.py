"""When the answers of a phase have collapsed: the rule of `stop = collapse(…)` on what a journal says, epoch by epoch.

RobustDARTS (Zela et al., ICLR 2020, section 4.3, DARTS-ES): let l(i) be the dominant eigenvalue averaged over k = 5
epochs around epoch i. The search stops where l(i - k) / l(i) < 0.75, and its answers are those of epoch i - k.
DARTS+ (Liang et al., 2019, criterion 1): it stops where a cell has two skip connections, with the answers of
that epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum
from typing import Any, TypedDict

from archdsl.settings.robustness import Collapse


@dataclass(frozen=True, slots=True)
class Stop:
    """A phase ends."""

    epoch: int
    """The epoch whose answers are the phase's, counted from 1: the last one, or an earlier one."""
    why: str
    """For a journal and for people."""


class WatchState(TypedDict):
    """What a checkpoint holds, as JSON has it."""

    eigenvalues: list[tuple[int, float]]
    stopped: tuple[int, str] | None


class Watch:
    """Looks at the figures of each epoch of a phase. The same figures give the same answer."""

    def __init__(self, rule: Collapse | None) -> None:
        """Without a rule it never stops."""
        self.rule = rule
        self.stopped: Stop | None = None
        """What `after` said once it said something."""
        self._eigenvalues: list[tuple[int, float]] = []

    def wants_eigenvalue(self, epoch: int) -> bool:
        """Whether the figures of an epoch, counted from 1, have to have the eigenvalue."""
        return self.rule is not None and self.rule.measured_after(epoch)

    def after(self, epoch: int, figures: Mapping[str, Any]) -> Stop | None:
        """To be called once after each epoch, counted from 1, with what the journal says of its answers.

        That is `figures_of(…)`, and where `wants_eigenvalue(epoch)` the number `eigenvalue`. None goes on.
        """
        if self.rule is None:
            return None
        if self.wants_eigenvalue(epoch):
            self._eigenvalues.append((epoch, float(figures["eigenvalue"])))
        self.stopped = self._by_eigenvalue(self.rule) or self._by_answers(self.rule, epoch, figures)
        return self.stopped

    def _by_eigenvalue(self, rule: Collapse) -> Stop | None:
        known, window = self._eigenvalues, rule.window
        if rule.eigenvalue is None or len(known) < 2 * window:
            return None
        first, second = known[-2 * window : -window], known[-window:]
        before, now = (fsum(value for _, value in part) / window for part in (first, second))
        epoch = first[(window - 1) // 2][0]
        # Of an eigenvalue that is not above zero the quotient would say nothing: the loss has a maximum there.
        if epoch < rule.earliest or now <= 0 or before >= rule.eigenvalue * now:
            return None
        return Stop(
            epoch,
            f"the dominant eigenvalue grew from {before:.3g} (epochs {first[0][0]} to {first[-1][0]}) to {now:.3g} "
            f"(epochs {second[0][0]} to {second[-1][0]}): {before / now:.2f} is below {rule.eigenvalue:g}",
        )

    def _by_answers(self, rule: Collapse, epoch: int, figures: Mapping[str, Any]) -> Stop | None:
        if epoch < rule.earliest:
            return None
        share, skips = figures.get("parameter_free", 0.0), figures.get("skips", 0)
        if rule.parameter_free is not None and share > rule.parameter_free:
            return Stop(epoch, f"ops without weights have a share of {share:.2f}, above {rule.parameter_free:g}")
        if rule.skips is not None and skips >= rule.skips:
            return Stop(epoch, f"a cell has {skips} skip connections, of {rule.skips} that end the phase")
        return None

    # Checkpoints --------------------------------------------------------------------------------

    @property
    def state(self) -> WatchState:
        stopped = None if self.stopped is None else (self.stopped.epoch, self.stopped.why)
        return {"eigenvalues": list(self._eigenvalues), "stopped": stopped}

    def restore(self, state: WatchState) -> None:
        """Go on from there, as if nothing had been between."""
        self._eigenvalues = [(epoch, value) for epoch, value in state["eigenvalues"]]
        self.stopped = None if state["stopped"] is None else Stop(*state["stopped"])
