"""The page of a sweep: accuracy against cost, the networks on the front, every member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from archdsl.diff.amounts import short
from archdsl.pipeline import NotLoaded, load
from archdsl.report.charts import Chart, Line
from archdsl.report.kept import Kept, stamps
from archdsl.report.markup import NOTHING, Html, element, joined
from archdsl.report.networks import Network, Prices, network_html, text_html
from archdsl.report.page import Page, Section, Tile, charts_html, facts_html
from archdsl.report.runs import Run, number, read_run, step_of
from archdsl.report.scatter import Point, scatter_svg
from archdsl.runs.record import RECORD as RECORD_OF_RUN
from archdsl.search.sweep.folder import State, SweepFolder
from archdsl.search.sweep.grid import Member
from archdsl.search.sweep.plan import RECORD
from archdsl.search.sweep.results import Result
from archdsl.search.sweep.summary import Cost, Ended, Spread, Summary

_ABOUT_FRONT: Final = "Filled points are on the front, which no other one beats in both; a point leads to its network."
NAMES: Final = {Cost.LATENCY: "latency, ms", Cost.MACS: "MACs", Cost.PARAMS: "params"}


def is_sweep(folder: Path) -> bool:
    return (folder / RECORD).is_file()


def sweep_page(root: Path, cost: Path | None = None, kept: Kept | None = None) -> Page:
    """`cost` is a cost table for the cells of networks, instead of the sweep's own.

    Raises NotSwept, NoRun, ToolMissing without Graphviz, TableUnreadable, OSError.
    """
    folder = SweepFolder.read(root)
    summary = Summary.of(folder)
    table = cost or folder.cost
    prices = Prices.of_table(table) if table is not None else Prices()
    sections = [
        Section("Accuracy against cost", _scatters(summary), _ABOUT_FRONT),
        Section("Points", _points(summary), "Means over seeds, with standard deviations."),
        Section("Members", _members(folder, summary)),
        Section("Scores", charts_html([_scores(folder)]), "The mean IoU of each member that has one, step by step."),
        Section("The front", joined(_on_front(folder, each, prices, kept or Kept()) for each in summary.front)),
        Section("Other networks", _others(folder, summary)),
        Section("Record", _record(folder)),
    ]
    return Page(root.resolve().name, _lead(folder), _tiles(folder, summary), list(_failures(folder, summary)), sections)


# Heading ----------------------------------------------------------------------------------------


def _lead(folder: SweepFolder) -> str:
    plan = folder.plan
    over = "; ".join(f"{axis.name} = {', '.join(axis.values)}" for axis in plan.axes)
    trained = ", then `train`" if plan.training is not None else ""
    return f"sweep of `{plan.command} {plan.source}`{trained}, {over or 'nothing varied'}, {plan.seeds} seeds each"


def _tiles(folder: SweepFolder, summary: Summary) -> list[Tile]:
    done, count = summary.count(State.DONE), len(summary.states)
    states = [f"{summary.count(state)} {state}" for state in State if state is not State.DONE and summary.count(state)]
    found = [Tile("members done", f"{done} of {count}", ", ".join(states), done / max(1, count))]
    if summary.ended:
        best = max(summary.ended, key=lambda each: each.result.accuracy)
        least = min(summary.ended, key=lambda each: summary.against.of(each.result))
        found.append(Tile("best mean IoU", f"{100 * best.result.accuracy:.2f} %", best.member.name))
        value = _spelled(summary.against, summary.against.of(least.result))
        found.append(Tile(f"least {NAMES[summary.against]}", value, least.member.name))
    spent, budget = folder.spent, folder.budget
    about = f"{spent.steps:,} steps" + ("" if budget is None else f", of a budget of {budget}")
    found.append(Tile("taken", f"{spent.seconds / 3600:.2f} h", about))
    return found


def _failures(folder: SweepFolder, summary: Summary) -> Iterator[str]:
    for member, state in summary.states:
        failure = folder.failure(member) if state is State.FAILED else None
        if failure is not None:
            yield f"{member.name}: `{failure.step}` failed: {failure.message}"


# Parts ------------------------------------------------------------------------------------------


def _scatters(summary: Summary) -> Html:
    """Against each cost that is known of all, that of the sweep first."""
    if not summary.ended:
        return NOTHING
    figures: list[Html] = []
    for cost in sorted(Cost, key=lambda each: each is not summary.against):
        if cost is Cost.LATENCY and any(each.result.latency_ms is None for each in summary.ended):
            continue
        points = [
            Point(each.member.name, cost.of(each.result), 100 * each.result.accuracy, _anchor(each.member))
            for each in summary.ended
        ]
        caption = element("figcaption", f"mean IoU against {NAMES[cost]}", element("span", "%", class_="unit"))
        figures.append(element("figure", caption, scatter_svg(points, NAMES[cost], "mean IoU"), class_="card"))
    return element("div", *figures, class_="charts")


def _on_front(folder: SweepFolder, each: Ended, prices: Prices, kept: Kept) -> Html:
    result, member = each.result, each.member
    heading = element("h3", f"{member.name}: {_about(result)}")
    key = (folder.root, member.name, stamps([_text_file(folder, result)]), prices.name)
    return element("div", heading, kept.of(key, lambda: _network(folder, result, prices)), id=_anchor(member))


def _network(folder: SweepFolder, result: Result, prices: Prices) -> Html:
    try:
        return network_html(_loaded(folder, result), prices, unfolded=False)
    except (NotLoaded, OSError, ValueError) as reason:
        return element("p", f"`{result.genotype}` is not shown: {reason}", class_="note")


def _others(folder: SweepFolder, summary: Summary) -> Html:
    """Those that are not on the front, as texts."""
    found: list[Html] = []
    for each in summary.ended:
        if each in summary.front:
            continue
        try:
            text = _text_file(folder, each.result).read_text(encoding="utf-8")
        except (OSError, ValueError) as reason:
            text = f"`{each.result.genotype}` cannot be read: {reason}"
        heading = f"{each.member.name}: {_about(each.result)}"
        found.append(element("div", text_html(heading, text), id=_anchor(each.member)))
    return joined(found)


def _points(summary: Summary) -> Html:
    names = [name for name, _ in summary.points[0]]
    rows: list[Html] = []
    for point in summary.points:
        ended, whole = len(summary.at(point)), sum(member.point == point for member, _ in summary.states)
        accuracy = summary.spread(point, lambda result: 100 * result.accuracy)
        cost = summary.spread(point, summary.against.of)
        cells = [element("td", value, data_value=value) for _, value in point]
        cells += [element("td", f"{ended} of {whole}"), _spread(accuracy, ".2f"), _spread(cost, ",.6g")]
        rows.append(element("tr", *cells))
    return _table([*names, "runs", "mean IoU, %", NAMES[summary.against]], rows)


def _members(folder: SweepFolder, summary: Summary) -> Html:
    results = {each.member: each.result for each in summary.ended}
    front = {each.member for each in summary.front}
    costs = [cost for cost in Cost if cost is not Cost.LATENCY or folder.plan.cost is not None]
    names = [name for name, _ in summary.points[0]]
    rows: list[Html] = []
    for member, state in summary.states:
        result, progress = results.get(member), folder.progress(member)
        link = member.name if result is None else element("a", member.name, href=f"#{_anchor(member)}")
        cells = [element("td", link, data_value=member.name)]
        cells += [element("td", value, data_value=value) for _, value in member.point]
        cells += [element("td", f"{state}, on the front" if member in front else str(state))]
        cells.append(_number(None if result is None else 100 * result.accuracy, ".2f"))
        cells += [_number(None if result is None else cost.of(result), ",.6g") for cost in costs]
        cells += [_number(progress.spent.steps, ","), _number(progress.seconds, ",.0f")]
        rows.append(element("tr", *cells))
    return _table(
        ["member", *names, "state", "mean IoU, %", *(NAMES[cost] for cost in costs), "steps", "seconds"], rows
    )


def _scores(folder: SweepFolder) -> Chart:
    """By member, of its last run that has scores."""
    lines: list[Line] = []
    for member in folder.plan.members:
        for run in reversed(_runs(folder, member)):
            scores = [(step_of(each), number(each.get("miou", each.get("top1")))) for each in run.of("score")]
            points = tuple((float(step), 100 * score) for step, score in scores if score is not None)
            if points:
                lines.append(Line(member.name, points, dots=True))
                break
    return Chart("mean IoU", tuple(lines), "%")


def _runs(folder: SweepFolder, member: Member) -> Sequence[Run]:
    found: list[Run] = []
    for name in dict.fromkeys((folder.plan.command, "train")):
        place = folder.home(member) / name
        if (place / RECORD_OF_RUN).exists():
            found.append(read_run(place))
    return found


def _record(folder: SweepFolder) -> Html:
    plan = folder.plan
    facts = [
        ("folder", str(folder.root)),
        ("command", f"archdsl {plan.command} {plan.source}"),
        ("options", " ".join(plan.options)),
        ("training", "none" if plan.training is None else " ".join(plan.training)),
        ("cost table", plan.cost or "none"),
    ]
    return facts_html([(name, value) for name, value in facts if value])


# Words ------------------------------------------------------------------------------------------


def _loaded(folder: SweepFolder, result: Result) -> Network:
    loaded = load(str(folder.root / result.genotype))
    return Network.of_loaded(loaded.name, loaded)


def _text_file(folder: SweepFolder, result: Result) -> Path:
    """The file of a genotype, without the name of an item in it."""
    path = folder.root / result.genotype
    return path if path.is_file() else folder.root / result.genotype.rpartition(":")[0]


def _anchor(member: Member) -> str:
    return f"member-{member.name}"


def _about(result: Result) -> str:
    latency = "" if result.latency_ms is None else f"{result.latency_ms:,.3f} ms"
    counts = (_spelled(Cost.MACS, result.macs), _spelled(Cost.PARAMS, result.params))
    return ", ".join(
        filter(None, (f"{100 * result.accuracy:.2f} %", latency, f"{counts[0]} MACs", f"{counts[1]} params"))
    )


def _spelled(cost: Cost, value: float) -> str:
    return f"{value:,.3f} ms" if cost is Cost.LATENCY else short(int(value))


def _spread(spread: Spread | None, digits: str) -> Html:
    if spread is None:
        return element("td", data_value="")
    deviation = "" if spread.deviation is None else f" ± {spread.deviation:{digits}}"
    return element("td", f"{spread.mean:{digits}}{deviation}", data_value=f"{spread.mean:.9g}")


def _number(value: float | None, digits: str) -> Html:
    return (
        element("td", data_value="") if value is None else element("td", f"{value:{digits}}", data_value=f"{value:.9g}")
    )


def _table(names: Sequence[str], rows: Sequence[Html]) -> Html:
    heads = element("tr", *(element("th", name) for name in names))
    table = element("table", element("thead", heads), element("tbody", *rows), class_="sortable")
    return element("div", table, class_="scroll")
