"""Candidates that a baseline has tried: accuracy against each cost, and the best ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from archdsl.report.charts import Chart, Line
from archdsl.report.markup import NOTHING, Html, element
from archdsl.report.page import charts_html
from archdsl.report.runs import Event, number, step_of
from archdsl.report.scatter import Point, front, scatter_svg

COSTS: Final = (("latency_ms", "latency, ms"), ("macs", "MACs"), ("params", "params"))
_SHOWN: Final = 50


def candidates_html(events: Sequence[Event]) -> Html:
    """Empty where nothing was tried."""
    tried = [event for event in events if number(event.get("accuracy")) is not None]
    if not tried:
        return NOTHING
    return element("div", charts_html([_best_so_far(tried)]), scatters_html(tried, "candidate"), _table(tried))


def scatters_html(events: Sequence[Event], what: str) -> Html:
    """Accuracy against each cost that is known."""
    figures: list[Html] = []
    for key, name in COSTS:
        points = list(_points(events, key, what))
        if points:
            caption = element("figcaption", f"accuracy against {name}", element("span", "%", class_="unit"))
            figures.append(element("figure", caption, scatter_svg(points, name, "accuracy"), class_="card"))
    return element("div", *figures, class_="charts") if figures else NOTHING


def _points(events: Sequence[Event], key: str, what: str) -> Iterator[Point]:
    for event in events:
        cost, accuracy = number(event.get(key)), number(event.get("accuracy"))
        if cost is not None and accuracy is not None:
            yield Point(f"{what} {step_of(event)}", cost, 100 * accuracy)


def _best_so_far(events: Sequence[Event]) -> Chart:
    accuracies = [(float(step_of(event)), 100 * float(event["accuracy"])) for event in events]
    best: list[tuple[float, float]] = []
    for step, accuracy in accuracies:
        best.append((step, max(accuracy, best[-1][1]) if best else accuracy))
    lines = (Line("best so far", tuple(best)), Line("candidate", tuple(accuracies), dots=True))
    return Chart("accuracy of the candidates", lines, "%", along="candidate")


def _table(events: Sequence[Event]) -> Html:
    ranked = sorted(events, key=lambda event: -float(event["accuracy"]))
    best = {key: {point.name for point in front(list(_points(events, key, "candidate")))} for key, _ in COSTS}
    head = ["candidate", "accuracy", *(name for _, name in COSTS), "on the front of"]
    rows: list[Html] = []
    for event in ranked[:_SHOWN]:
        name = f"candidate {step_of(event)}"
        fronts = ", ".join(title for key, title in COSTS if name in best[key])
        costs = [number(event.get(key)) for key, _ in COSTS]
        cells = [
            element("td", "" if each is None else f"{each:,.6g}", data_value="" if each is None else each)
            for each in costs
        ]
        accuracy = float(event["accuracy"])
        score = element("td", f"{100 * accuracy:.2f} %", data_value=f"{accuracy:.9g}")
        rows.append(element("tr", element("td", name), score, *cells, element("td", fronts, class_="text")))
    heads = element("tr", *(element("th", each) for each in head))
    table = element("table", element("thead", heads), element("tbody", *rows), class_="sortable")
    more = f"the best {_SHOWN} of {len(ranked)} candidates" if len(ranked) > _SHOWN else ""
    return element("div", element("p", more, class_="about") if more else NOTHING, table, class_="scroll")
