"""A difference as a page for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from archdsl.diff.amounts import milliseconds, short, signed
from archdsl.diff.model import AnswerChange, CellChange, Change, Cost, Difference, QuestionChange, Side, Totals
from archdsl.diff.routes import route, steps
from archdsl.space import Branch, Image, QuestionKind, QuestionPath, Result

_MARKS = {Change.SAME: "=", Change.REWIRED: "~", Change.CHANGED: "~", Change.ADDED: "+", Change.REMOVED: "-"}
_COUNTED: Final = ("params", "MACs", "activations")
_LATENCY: Final = "latency, ms"
_MOST_VALUE: Final = 64
"""Characters."""


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    mark: str
    what: str
    before: str = ""
    after: str = ""
    cost: Cost | None = None


def as_text(difference: Difference, *, show_all: bool = False) -> str:
    """One line a change in aligned columns, then the totals; `show_all` adds cells that are unchanged."""
    changed = _in_order(difference, [*_scopes(difference), *_others(difference, show_all)])
    rows = [*_parameters(difference), *_questions(difference), *_branches(difference), *changed]
    total = sum(_counts(difference, cell) for cell in difference.cells)
    same = sum(_counts(difference, cell) and cell.change is Change.SAME for cell in difference.cells)
    if not difference:
        return f"{_heading(difference)}\n  = no difference: {total} cells\n" + _listed(rows, timed=False)
    hint = "" if show_all or not same else ", --all lists them"
    unchanged = f"  = {same} of {total} cells unchanged{hint}\n" if difference.comparable else ""
    timed = difference.totals is not None and difference.totals.timed
    said = f"  = {_SAME_AS_COMPILED if _equally_large(difference) else _SAME}\n" if difference.written_otherwise else ""
    blocks = [_heading(difference), said, _listed(rows, timed=timed), unchanged, *_ends(difference)]
    return "\n".join(block for block in blocks if block)


_SAME_AS_COMPILED = "the same network, written otherwise"
_SAME = f"{_SAME_AS_COMPILED}: what zeros cut off, and how sums are grouped, does not count"


def _equally_large(difference: Difference) -> bool:
    return difference.totals is None or difference.totals.before == difference.totals.after


def _listed(rows: Sequence[_Row], *, timed: bool) -> str:
    return "\n".join(_table(rows, timed=timed)) + "\n" if rows else ""


def _heading(difference: Difference) -> str:
    before, after = difference.before, difference.after
    if before.name == after.name:
        spaces = _what(after) if difference.same_space else f"{_what(before)} -> {_what(after)}"
        return f"{after.name}  ({spaces})\n"
    if difference.same_space:
        return f"{before.name} -> {after.name}  ({_what(after)})\n"
    return f"{before.name} ({_what(before)}) -> {after.name} ({_what(after)})\n"


def _what(side: Side) -> str:
    return f"of {side.program.name}" if side.answers else "a space" if side.program.questions else "a network"


def _parameters(difference: Difference) -> Iterable[_Row]:
    for each in difference.parameters:
        mark = "+" if each.before is None else "-" if each.after is None else "~"
        yield _Row(each.name, mark, "parameter", each.before or "", each.after or "")


def _questions(difference: Difference) -> Iterable[_Row]:
    """Questions with other candidates, those that changed alike in one row."""
    groups: dict[tuple[object, ...], list[QuestionChange]] = {}
    for change in difference.questions:
        groups.setdefault((change.kind, change.before, change.after), []).append(change)
    for group in groups.values():
        first = group[0]
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        yield _Row(f"{first.path}{more}", _mark(first), "candidates", _spelled(first.before), _spelled(first.after))


def _branches(difference: Difference) -> Iterable[_Row]:
    for change in difference.answers:
        if change.kind is QuestionKind.BRANCH:
            yield _Row(str(change.path), _mark(change), "end", _spelled(change.before), _spelled(change.after))
    for change in difference.routes:
        was, now = _path(difference.before, change.branch), _path(difference.after, change.branch)
        if was != now:
            yield _Row(str(change.branch), "~" if was and now else "+" if now else "-", "path", was, now)


def _path(side: Side, branch: Branch) -> str:
    """`8 > 16 at 10, 16 > 32 at 14`: the last place of each row before it is left."""
    if branch not in side.program.branches:
        return ""
    places = route(side.program, side.answers, branch)
    turns = [f"{_index(was)} > {_index(now)} at {at}" for at, was, now in steps(places)]
    return ", ".join(turns) or (f"{_index(places[-1][1:])} throughout" if places else "")


def _index(row: tuple[int, ...]) -> str:
    return "x".join(map(str, row))


def _in_order(difference: Difference, rows: Iterable[tuple[str, _Row]]) -> list[_Row]:
    """As the network runs: what stands before a grid, the grid place by place, and what stands behind."""
    places = [
        trellis.spell(place)
        for side in (difference.after, difference.before)
        for trellis in side.program.trellises.values()
        for place in sorted(trellis.sources)
    ]
    scopes = [cell.scope for cell in difference.cells]
    asked = {
        str(question): number for number, cell in reversed([*enumerate(difference.cells)]) for question in cell.picked
    }
    grid = [number for number, scope in enumerate(scopes) if scope in places]

    def position(scope: str) -> tuple[int, int]:
        if scope in places:
            return (1, places.index(scope))
        number = scopes.index(scope) if scope in scopes else asked.get(scope, len(scopes))
        return (0 if grid and number < grid[0] else 2, number)

    return [row for _, row in sorted(rows, key=lambda each: position(each[0]))]


def _scopes(difference: Difference) -> Iterable[tuple[str, _Row]]:
    """What was answered otherwise, by the cell that asks; the first row of a cell has what the cell costs."""
    cells: dict[str, list[CellChange]] = {}
    for cell in difference.cells:
        cells.setdefault(cell.scope, []).append(cell)
    for scope, changes in _by_scope(difference).items():
        cost = difference.cost_of(changes[0].path.question)
        if cost is None:
            cost = sum((cell.rest for cell in cells.get(scope, [])), Cost())
        for name, mark, change in _merged(changes, _visited(difference, scope)):
            what = f"{name}{change.kind}"
            yield scope, _Row(scope, mark, what, _answer(change, 0), _answer(change, 1), cost)
            cost = None


def _by_scope(difference: Difference) -> dict[str, list[AnswerChange]]:
    found: dict[str, list[AnswerChange]] = {}
    for change in difference.answers:
        if change.kind is QuestionKind.BRANCH or (change.kind is QuestionKind.SOURCE and difference.routes):
            continue
        on_edge = change.kind is QuestionKind.OPERATOR and bool(change.path.node)
        found.setdefault(str(change.path.question) if on_edge else _scope(change.path), []).append(change)
    kinds = list(QuestionKind)
    return {scope: sorted(group, key=lambda change: kinds.index(change.kind)) for scope, group in found.items()}


def _scope(path: QuestionPath) -> str:
    """Where a question stands; a question of the space itself stands alone."""
    return path.place or str(path.question)


def _visited(difference: Difference, scope: str) -> str:
    """The mark of a scope that is there on one side only, else `~`."""
    there = [
        any(scope in (_scope(path), str(path.question)) for path in side.answers)
        for side in (difference.before, difference.after)
    ]
    return "~" if all(there) else "+" if there[1] else "-"


def _merged(changes: Sequence[AnswerChange], mark: str) -> Iterable[tuple[str, str, AnswerChange]]:
    """Changes of one cell with the branch that they are of; one line where all branches change alike."""
    by_question: dict[QuestionPath, list[AnswerChange]] = {}
    for change in changes:
        by_question.setdefault(change.path.question, []).append(change)
    for group in by_question.values():
        alike = {(change.before, change.after) for change in group}
        if len(alike) == 1 and len(group) > 1:
            yield "", mark, group[0]
            continue
        for change in group:
            owner = f"{change.path.branch}." if change.path.branch else ""
            yield owner, _mark(change) if mark == "~" else mark, change


def _mark(change: AnswerChange | QuestionChange) -> str:
    return "+" if change.before is None else "-" if change.after is None else "~"


def _answer(change: AnswerChange, index: int) -> str:
    answer = (change.before, change.after)[index]
    channels = change.channels[index]
    return _spelled(answer) + (f" ({channels} channels)" if answer and channels else "")


def _spelled(answer: tuple[str, ...] | None) -> str:
    return ", ".join(answer or ())


def _others(difference: Difference, show_all: bool) -> Iterable[tuple[str, _Row]]:
    """Cells that changed though nothing was asked there, for what stands before them did.

    Those that changed alike at no cost are one row.
    """
    told = _by_scope(difference)
    alike: dict[object, list[CellChange]] = {}
    for cell in difference.cells:
        if cell.scope not in told and _counts(difference, cell) and (show_all or _worth_telling(difference, cell)):
            free = cell.change is Change.CHANGED and not cell.rest
            alike.setdefault((cell.aspect, cell.detail) if free else cell.path, []).append(cell)
    for group in alike.values():
        row = _other(group[0])
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        yield group[0].scope, replace(row, name=row.name + more)


def _worth_telling(difference: Difference, cell: CellChange) -> bool:
    """Where answers differ, maps from elsewhere are what these answers say."""
    if not difference.comparable:
        return False
    if cell.picked and not cell.rest:
        return False
    if cell.change is Change.REWIRED or (cell.change is Change.SAME and cell.renamed):
        return not difference.answers
    return cell.change is not Change.SAME


def _other(cell: CellChange) -> _Row:
    mark = _MARKS[cell.change]
    if cell.change is Change.SAME:
        what = "unchanged" if not cell.renamed else f"renamed from {cell.before}"
        return _Row(cell.path, mark, what)
    what = cell.aspect if mark == "~" else str(cell.change)
    was, arrow, now = cell.detail.partition(" -> ")
    return _Row(cell.path, mark, what, was if arrow else "", now if arrow else cell.detail, cell.rest)


def _counts(difference: Difference, cell: CellChange) -> bool:
    """Whether a reader would call it a cell: images and outputs are not."""
    for side, path in ((difference.after, cell.after), (difference.before, cell.before)):
        if path is not None:
            return path not in side.graph or not isinstance(side.graph.node(path).payload, Image | Result)
    return False


def _table(rows: Sequence[_Row], *, timed: bool) -> Iterable[str]:
    """Columns as wide as their widest cell; what a change costs stands below a long value."""
    name = max(len(row.name) for row in rows)
    what = max(len(row.what) for row in rows)
    before = min(32, max(len(row.before) for row in rows if row.after) if any(row.after for row in rows) else 0)
    values = [_value(row, before) for row in rows]
    figures = [_figures(row.cost, timed=timed) for row in rows]
    width = max((len(value) for value, each in zip(values, figures, strict=True) if each), default=0)
    width = min(width, _MOST_VALUE)
    head = (*_COUNTED, *((_LATENCY,) if timed else ()))
    columns = [max(map(len, column)) for column in zip(head, *filter(None, figures), strict=True)]
    if any(figures):
        yield f"{'':{name + what + width + 8}}  {_right(head, columns)}"
    for row, value, each in zip(rows, values, figures, strict=True):
        start, cost = f"  {row.name:<{name}}  {row.mark} {row.what:<{what}}  ", _right(each, columns) if each else ""
        if cost and len(value) > width:
            yield f"{start}{value}"
            yield f"{'':{len(start) + width}}  {cost}"
        else:
            yield f"{start}{value:<{width}}  {cost}".rstrip()


def _right(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _value(row: _Row, before: int) -> str:
    if row.before and row.after:
        return f"{row.before:<{before}}  ->  {row.after}"
    return row.before or row.after


def _figures(cost: Cost | None, *, timed: bool) -> tuple[str, ...]:
    """Empty where nothing changes."""
    if not cost:
        return ()
    counts = (signed(cost.params), signed(cost.macs), signed(cost.activations))
    return (*counts, milliseconds(cost.seconds) or "0") if timed else counts


def _ends(difference: Difference) -> Iterable[str]:
    if difference.totals is not None:
        yield _totals(difference.totals)
    if (weights := difference.weights) is not None:
        yield (
            f"  weights: {len(weights.kept)} of {weights.total} tensors keep name and shape, "
            f"{len(weights.reshaped)} change shape, {len(weights.new)} are new\n"
        )


def _totals(totals: Totals) -> str:
    was, now = totals.before, totals.after
    counts = zip(_COUNTED, _counted(was), _counted(now), strict=True)
    rows = [("in all", "before", "after", "change")]
    rows += [(name, short(before), short(after), _percent(before, after)) for name, before, after in counts]
    if totals.timed:
        before, after = 1e3 * was.seconds, 1e3 * now.seconds
        rows.append((_LATENCY, f"{before:.3f}", f"{after:.3f}", _percent(before, after)))
    name, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "".join(f"  {row[0]:<{name}}  {_right(row[1:], others)}".rstrip() + "\n" for row in rows)


def _counted(cost: Cost) -> tuple[int, ...]:
    return cost.params, cost.macs, cost.activations


def _percent(before: float, after: float) -> str:
    return f"{100 * (after - before) / before:+.1f} %" if before else "new"
