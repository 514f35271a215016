"""Ops, sets and cells that use themselves without end, though no space of their file uses them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from archdsl.diagnostics import Diagnostic, Label
from archdsl.sema import codes
from archdsl.sema.modules.load import Unit
from archdsl.sema.resolve import Definition, Kind, Resolution, Use
from archdsl.syntax import ast
from archdsl.syntax.tree import walk

_KINDS: Final = frozenset({Kind.OP, Kind.OPS, Kind.CELL})


def circles(unit: Unit, resolution: Resolution) -> Iterator[Diagnostic]:
    """Circles of definitions of a file. One that a case or a count can end is judged where it is used."""
    reads = _reads(unit, resolution)
    done: set[Definition] = set()
    for start in reads:
        way: dict[Definition, Use | None] = {start: None}
        """The definitions that are open, each with the use that led to it."""
        waiting = [iter(reads[start])] if start not in done else []
        while waiting:
            use = next(waiting[-1], None)
            if use is None:
                waiting.pop()
                done.add(way.popitem()[0])
            elif use.definition in way:
                yield _circle([*way.items()][list(way).index(use.definition) :], use)
            elif use.definition not in done:
                way[use.definition] = use
                waiting.append(iter(reads[use.definition]))


def _reads(unit: Unit, resolution: Resolution) -> Mapping[Definition, Sequence[Use]]:
    """What each op, set and cell of the file uses of them; those that may end use nothing."""
    own = sorted(
        (each for each in resolution.definitions if each.unit is unit and each.kind in _KINDS),
        key=lambda each: each.node.span.start,
    )
    starts = [each.node.span.start for each in own]
    found: dict[Definition, list[Use]] = {each: [] for each in own}
    endless = {each for each in own if not _may_end(each.node)}
    for use in resolution.uses:
        if use.definition not in endless or use.span.source is not unit.source:
            continue
        user = own[bisect_right(starts, use.span.start) - 1] if use.span.start >= starts[0] else None
        if user in endless and use.span.start < user.node.span.stop:
            found[user].append(use)
    return found


def _may_end(item: ast.Node) -> bool:
    """Whether what an item uses depends on what it is given."""
    return any(
        isinstance(each, ast.Case) or (isinstance(each, ast.Place) and not isinstance(each.repeat, ast.Number | None))
        for each in walk(item)
    )


def _circle(way: Sequence[tuple[Definition, Use | None]], last: Use) -> Diagnostic:
    names = [*(each.name for each, _ in way), last.definition.name]
    between = way[1:]
    through = ": " + " uses ".join(f"`{name}`" for name in names) if between else ""
    return Diagnostic(
        codes.CYCLE,
        f"`{last.definition.name}` uses itself{through}",
        Label(last.span, "closes the circle"),
        tuple(Label(use.span, f"through `{each.name}`") for each, use in between if use is not None),
        help="a network has no loops: let one of them use something else",
    )
