"""When a phase of a search ends early: signs that its answers collapse to ops without weights."""

from __future__ import annotations

from typing import Final

from archdsl.settings.schema import Number, OneOf, Whole, form, setting

_SHARE: Final = Number(above=0, below=1)
WINDOW: Final = 5
EVERY: Final = 1


@form("collapse", source="RobustDARTS: Zela et al., ICLR 2020")
class Collapse:
    """The phase ends after the first epoch with one of these signs: its answers collapse to ops without weights."""

    eigenvalue: float | None = setting(
        _SHARE,
        "the dominant eigenvalue of the validation loss by the logits grows: its mean over `window` measures, divided "
        "by its mean over the next `window` ones, is below this; the answers are then those at the middle of the first",
        default=None,
        source="section 4.3: 0.75",
    )
    window: int = setting(
        Whole(1, 1_000),
        "so many measures of the eigenvalue make a mean",
        default=WINDOW,
        unit="measures",
        source="section 4.3: 5",
        optional_use=True,
    )
    every: int = setting(
        Whole(1, 10_000),
        "the eigenvalue is measured after each so many epochs",
        default=EVERY,
        unit="epochs",
        source="the published code: 2",
        optional_use=True,
    )
    parameter_free: float | None = setting(
        _SHARE, "the share of ops without weights, by the probabilities of operators, is above this", default=None
    )
    skips: int | None = setting(
        Whole(1, 10_000),
        "some cell of the most probable answers has so many skip connections, or more",
        default=None,
        source="DARTS+: Liang et al., 2019, criterion 1: 2",
    )
    earliest: int = setting(
        Whole(1, 1_000_000),
        "the first epoch whose answers the phase may end with",
        default=10,
        unit="epochs",
        source="RobustDARTS' published code: 10",
    )

    @property
    def any_sign(self) -> bool:
        return self.eigenvalue is not None or self.parameter_free is not None or self.skips is not None

    def measured_after(self, epoch: int) -> bool:
        """Whether the eigenvalue is measured after an epoch, counted from 1."""
        return self.eigenvalue is not None and epoch % self.every == 0

    @property
    def first_stop(self) -> int:
        """The first epoch, counted from 1, after which the phase can end."""
        if self.parameter_free is not None or self.skips is not None:
            return self.earliest
        middle = max(self.window - self.window // 2, -(-self.earliest // self.every))  # of the first of two windows
        return (middle + self.window // 2 + self.window) * self.every


STOP: Final = OneOf("reason to stop", lambda: (Collapse,))
