"""The page of a difference: what changed and what that costs, beside the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.diff import Change, Difference, Side, as_text
from archdsl.diff.amounts import short
from archdsl.diff.model import AnswerChange, CellChange, Cost, QuestionChange, Totals
from archdsl.render import difference_picture
from archdsl.report.markup import NOTHING, Html, element, joined
from archdsl.report.networks import picture_html, text_html
from archdsl.report.page import Page, Section, Tile

_NOTHING: Final = "-"
"""Where a question, a parameter or a cell is not there."""


@dataclass(frozen=True, slots=True)
class _Amount:
    name: str
    of: Callable[[Cost], float]
    spelled: Callable[[float], str]


_COUNTS: Final = (
    _Amount("params", lambda cost: cost.params, lambda value: short(round(value))),
    _Amount("MACs", lambda cost: cost.macs, lambda value: short(round(value))),
    _Amount("activations", lambda cost: cost.activations, lambda value: short(round(value))),
)
_LATENCY: Final = _Amount("latency, ms", lambda cost: 1e3 * cost.seconds, lambda value: f"{value:.3f}")


def diff_page(difference: Difference, *, show_all: bool = False, about_table: str = "") -> Page:
    """`about_table` is what a reader has to know of the cost table. Raises ToolMissing without Graphviz."""
    before, after = difference.before.name, difference.after.name
    title = after if before == after else f"{before} → {after}"
    sections = [
        Section("Picture", picture_html(difference_picture(difference), paper=True)),
        Section("Parameters", _parameters(difference)),
        Section("Candidates", _answers(difference.questions), "Questions of the space that have other candidates."),
        Section("Answers", _answers(difference.answers)),
        Section("Cells", _cells(difference, show_all=show_all), _unchanged(difference, show_all=show_all)),
        Section("Weights", _weights(difference)),
        Section("As text", text_html("what `archdsl diff` prints", as_text(difference, show_all=show_all))),
    ]
    notes = ["the same network, written otherwise"] if difference.written_otherwise else []
    notes += ["nothing differs"] if not difference else []
    return Page(title, _lead(difference), _tiles(difference.totals), [*notes, *about_table.splitlines()], sections)


def _lead(difference: Difference) -> str:
    def what(side: Side) -> str:
        return f"of {side.program.name}" if side.answers else "a space" if side.program.questions else "a network"

    one, other = what(difference.before), what(difference.after)
    return one if one == other else f"{one} → {other}"


def _amounts(totals: Totals | None) -> Sequence[_Amount]:
    return (*_COUNTS, _LATENCY) if totals is not None and totals.timed else _COUNTS


def _tiles(totals: Totals | None) -> list[Tile]:
    """Each total of the second side, and what it was."""
    if totals is None:
        return []
    found: list[Tile] = []
    for amount in _amounts(totals):
        was, now = amount.of(totals.before), amount.of(totals.after)
        change = f", {100 * (now / was - 1):+.1f} %" if was and now != was else ""
        about = "unchanged" if now == was else f"was {amount.spelled(was)}{change}"
        found.append(Tile(amount.name, amount.spelled(now), about))
    return found


# Tables -----------------------------------------------------------------------------------------


def _table(texts: Sequence[str], rows: Iterable[Html], numbers: Sequence[str] = ()) -> Html:
    """Columns of texts, and of numbers behind them."""
    found = list(rows)
    if not found:
        return NOTHING
    names = [*(element("th", name, class_="text") for name in texts), *(element("th", name) for name in numbers)]
    head = element("thead", element("tr", *names))
    return element("div", element("table", head, element("tbody", *found), class_="sortable"), class_="scroll")


def _parameters(difference: Difference) -> Html:
    rows = (_row(each.name, each.before or _NOTHING, each.after or _NOTHING) for each in difference.parameters)
    return _table(["parameter", "before", "after"], rows)


def _answers(changes: Sequence[AnswerChange | QuestionChange]) -> Html:
    rows = (_row(str(each.path), _spelled(each.before), _spelled(each.after)) for each in changes)
    return _table(["question", "before", "after"], rows)


def _row(*texts: str) -> Html:
    return element("tr", *(element("td", text, class_="text") for text in texts))


def _spelled(answer: tuple[str, ...] | None) -> str:
    return _NOTHING if answer is None else ", ".join(answer) or "nothing"


def _cells(difference: Difference, *, show_all: bool) -> Html:
    """Each cell that changed, with what that costs and bars beside it, one scale for a column."""
    shown = [cell for cell in difference.cells if show_all or cell.change is not Change.SAME]
    amounts = _amounts(difference.totals) if difference.totals is not None else ()
    most = {amount.name: max((abs(amount.of(cell.cost)) for cell in shown), default=0.0) for amount in amounts}
    rows = (
        element(
            "tr",
            element("td", _name(cell), class_="text"),
            element("td", str(cell.change), class_=f"text {cell.change.name.lower()}"),
            element("td", f"{cell.aspect}: {cell.detail}" if cell.aspect else cell.detail, class_="text"),
            *(_change(amount, amount.of(cell.cost), most[amount.name]) for amount in amounts),
        )
        for cell in shown
    )
    return _table(["cell", "change", "what"], rows, [amount.name for amount in amounts])


def _name(cell: CellChange) -> str:
    return f"{cell.path} (was {cell.before})" if cell.renamed else cell.path


def _change(amount: _Amount, value: float, most: float) -> Html:
    """A bar to the right for more and to the left for less."""
    if not value:
        return element("td", "", data_value="0")
    length = 44 * abs(value) / most
    start, kind = (45.0, "more") if value > 0 else (45 - length, "less")
    rect = element("rect", x=start, width=length, height=9, class_=kind)
    middle = element("rect", x=44.5, width=1, height=9, class_="middle")
    bar = element("svg", rect, middle, class_="bar", viewBox="0 0 90 9")
    sign = "+" if value > 0 else ""
    return element("td", bar, f" {sign}{amount.spelled(value)}", data_value=f"{value:.9g}")


def _unchanged(difference: Difference, *, show_all: bool) -> str:
    same = sum(cell.change is Change.SAME for cell in difference.cells)
    if not difference.comparable or show_all or not same:
        return ""
    return f"{same} of {len(difference.cells)} are unchanged and not listed."


def _weights(difference: Difference) -> Html:
    """Which tensors of the first side's checkpoint fit the second."""
    if difference.weights is None:
        return NOTHING
    weights = difference.weights
    counts = f"{len(weights.kept)} of {weights.total} tensors of the second are tensors of the first"
    named = (("of another shape", weights.reshaped), ("new", weights.new), ("left out", weights.dropped))
    lists = (text_html(f"{len(names)} {what}", "\n".join(names)) for what, names in named if names)
    return element("div", element("p", f"{counts}."), joined(lists))
