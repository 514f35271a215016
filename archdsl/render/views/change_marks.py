"""How pictures of differences mark what was added, removed and changed: by colour, by sign and by stroke."""

from __future__ import annotations

from typing import Final

from archdsl.diff import Change
from archdsl.diff.amounts import short
from archdsl.diff.model import Totals
from archdsl.render.model.picture import MUTED, Dash, Stroke

STROKES: Final = {
    Change.SAME: Stroke(MUTED, Dash.SOLID, 0.8),
    Change.REWIRED: Stroke(MUTED, Dash.SOLID, 0.8),
    Change.CHANGED: Stroke("#A66A00", Dash.SOLID, 2.0),
    Change.ADDED: Stroke("#1B7F3B", Dash.SOLID, 2.6),
    Change.REMOVED: Stroke("#B3261E", Dash.DASHED, 1.8),
}
FILLS: Final = {Change.CHANGED: "#FFF4DC", Change.ADDED: "#E3F4E7", Change.REMOVED: "#FBE6E4"}
MARKS: Final = {Change.CHANGED: "~", Change.ADDED: "+", Change.REMOVED: "-"}


def explained() -> tuple[tuple[Change, str], ...]:
    """What each mark says, for a legend."""
    return (
        (Change.ADDED, "+ added, thick line"),
        (Change.REMOVED, "- removed, dashed line"),
        (Change.CHANGED, "~ changed"),
    )


def amounts(totals: Totals) -> str:
    """Params and MACs of both networks, in a line."""
    was, now = totals.before, totals.after
    return f"params {short(was.params)} → {short(now.params)}     MACs {short(was.macs)} → {short(now.macs)}"
