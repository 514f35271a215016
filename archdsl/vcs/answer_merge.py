"""Merges the answers of a genotype by question, before lines are compared.

To git, answers on neighbouring lines, or added at one place, stand in each other's way. To a genotype they are
answers to different questions, and their order says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Final, TypeVar

from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse_path
from archdsl.vcs.canonical import parsed

_RUN = re.compile(r"\[(\d+)\.\.(\d+)\]")
_LONGEST: Final = 4_096

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A statement of a genotype: its lines with the comments above it, of a block those around its `body`."""

    key: str
    head: str
    body: Body | None = None
    foot: str = ""

    def __str__(self) -> str:
        return f"{self.head}{self.body or ''}{self.foot}"


@dataclass(frozen=True, slots=True)
class Body:
    entries: Mapping[str, Entry]
    rest: str
    """The comments below the last statement."""

    def __str__(self) -> str:
        return "".join(map(str, self.entries.values())) + self.rest


def settle(base: str, ours: str, theirs: str) -> tuple[str, str, str]:
    """The three canonical texts, with every resolved answer equal in all of them.

    Settled is what only one side changed, or both alike. What is not keeps its lines on each side, for a comparison
    of lines to show.
    """
    texts = (base, ours, theirs)
    for name in _genotypes(base):
        bodies = [_genotypes(text).get(name) for text in texts]
        if all(body is not None for body in bodies):
            settled = _settled(*(body for body in bodies if body is not None))
            texts = tuple(_put(text, name, body) for text, body in zip(texts, settled, strict=True))
    return texts[0], texts[1], texts[2]


def _settled(base: Body, ours: Body, theirs: Body) -> tuple[Body, Body, Body]:
    if _overlap(_changed(base, ours), _changed(base, theirs)):
        return base, ours, theirs
    found: tuple[dict[str, Entry], ...] = ({}, {}, {})
    for key in _order(ours, theirs):
        sides = _agreed(base.entries.get(key), ours.entries.get(key), theirs.entries.get(key))
        for entries, entry in zip(found, sides, strict=True):
            if entry is not None:
                entries[key] = entry
    rests = _picked(base.rest, ours.rest, theirs.rest) or (base.rest, ours.rest, theirs.rest)
    first, second, third = (Body(entries, rest) for entries, rest in zip(found, rests, strict=True))
    return first, second, third


def _agreed(base: Entry | None, ours: Entry | None, theirs: Entry | None) -> Sequence[Entry | None]:
    """The entries of each side after merging: one for all, or one each where they differ."""
    if picked := _picked(base, ours, theirs):
        return picked
    if ours is None or theirs is None or ours.body is None or theirs.body is None or ours.head != theirs.head:
        return base, ours, theirs
    before = base.body if base is not None and base.body is not None else Body({}, "")
    return [replace(ours, body=body) for body in _settled(before, ours.body, theirs.body)]


def _picked(base: T, ours: T, theirs: T) -> tuple[T, T, T] | None:
    """The merged value, three times; None for a conflict."""
    if ours == theirs or theirs == base:
        return ours, ours, ours
    return (theirs, theirs, theirs) if ours == base else None


def _order(ours: Body, theirs: Body) -> list[str]:
    """Our entries, with each of their additions after the entry that precedes it on their side."""
    order = list(ours.entries)
    at = 0
    for key in theirs.entries:
        if key in ours.entries:
            at = order.index(key) + 1
        else:
            order.insert(at, key)
            at += 1
    return order


def _changed(base: Body, side: Body) -> set[str]:
    return {key for key, entry in side.entries.items() if base.entries.get(key) != entry}


def _overlap(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Whether two sides answer one question by different targets: `trunk[2..5].width` and `trunk[4].width`."""
    return any(one != other and _places(one) & _places(other) for one, other in product(ours, theirs))


@lru_cache
def _places(key: str) -> frozenset[str]:
    """The paths that a run stands for; one that is longer than any network, by its spelling alone."""
    run = _RUN.search(key)
    if run is None or not 0 <= int(run[2]) - int(run[1]) <= _LONGEST:
        return frozenset((key,))
    numbers = range(int(run[1]), int(run[2]) + 1)
    spelled = (f"{key[: run.start()]}[{number}]{key[run.end() :]}" for number in numbers)
    return frozenset(path for each in spelled for path in _places(each))


# The statements of a text -------------------------------------------------------------------------


def _genotypes(text: str) -> dict[str, Body | None]:
    """The genotypes of a canonical text by name; None for one that cannot be taken apart."""
    tree = parsed(text)
    items = () if tree is None else tree.file.items
    return {each.name.text: _body(each, each.of, each.body) for each in items if isinstance(each, ast.Genotype)}


def _put(text: str, name: str, body: Body) -> str:
    tree = parsed(text)
    assert tree is not None
    item = next(each for each in tree.file.items if isinstance(each, ast.Genotype) and each.name.text == name)
    lines = text.splitlines(keepends=True)
    opened, closed = _between(item, item.of)
    return "".join((*lines[:opened], str(body), *lines[closed:]))


def _between(owner: ast.Node, head: ast.Node) -> tuple[int, int]:
    """How many lines there are up to the one with `{`, and before the one with `}`."""
    source = owner.span.source
    opener = source.text.index("{", head.span.stop)
    return source.position(opener).line, source.position(owner.span.stop - 1).line - 1


def _body(owner: ast.Node, head: ast.Node, statements: Sequence[ast.Statement]) -> Body | None:
    """The lines between the braces, by statement; None where one is no answer, or answered twice."""
    lines = owner.span.source.text.splitlines(keepends=True)
    at, end = _between(owner, head)
    entries: dict[str, Entry] = {}
    for statement in statements:
        after = statement.span.source.position(statement.span.stop - 1).line
        entry = _entry(lines[at:after], at, statement)
        if entry is None or entry.key in entries:
            return None
        entries[entry.key] = entry
        at = after
    return Body(entries, "".join(lines[at:end])) if at <= end else None


def _entry(lines: Sequence[str], first: int, statement: ast.Statement) -> Entry | None:
    """The entry of a statement; `lines` begin at the line numbered `first` from 0."""
    match statement:
        case ast.Assign():
            return Entry(_key(statement.target), "".join(lines))
        case ast.Answer():
            body = _body(statement, statement.target, statement.body)
            opened = _between(statement, statement.target)[0] - first
            key = f"answer {_key(statement.target)}"
            return None if body is None else Entry(key, "".join(lines[:opened]), body, lines[-1])
        case _:
            return None


def _key(target: ast.Target) -> str:
    tag = "" if target.tag is None else f"@{target.tag.text}"
    upto = "" if target.upto is None else f"..{target.upto.text}"
    return f"{unparse_path(target.path)}{tag}{upto}"
