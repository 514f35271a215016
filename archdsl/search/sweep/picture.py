"""A sweep as a picture."""

from __future__ import annotations

from archdsl.render import Picture, Plotted, front_picture
from archdsl.search.sweep.folder import State
from archdsl.search.sweep.grid import point_text
from archdsl.search.sweep.summary import Cost, Ended, Summary

AXES = {Cost.LATENCY: "latency, ms", Cost.MACS: "MACs, millions", Cost.PARAMS: "parameters, millions"}
"""What the axis of a cost is called."""
_MILLION = 1e6


def axis_value(cost: Cost, value: float) -> float:
    """A cost in the unit of its axis."""
    return value if cost is Cost.LATENCY else value / _MILLION


def sweep_picture(title: str, summary: Summary) -> Picture | None:
    """Accuracy against cost (CAS, figure 5); None where no member has ended yet."""
    if not summary.ended:
        return None
    groups = summary.points
    networks = {each.member: _plotted(each, summary) for each in summary.ended}
    names = [point_text(point) or "all" for point in groups]
    about = [f"{summary.count(State.DONE)} of {len(summary.states)} members are done"]
    front = [networks[each.member] for each in summary.front]
    return front_picture(title, about, AXES[summary.against], names, list(networks.values()), front)


def _plotted(each: Ended, summary: Summary) -> Plotted:
    cost = axis_value(summary.against, summary.against.of(each.result))
    return Plotted(each.member.name, cost, 100 * each.result.accuracy, summary.points.index(each.member.point))
