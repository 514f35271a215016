"""Paths of questions: how a genotype, a checkpoint and a message name what is asked (`rule-paths`).

A path is data. It is spelled here, and a spelled path is looked up in the program that asks (`Program.find`): the text
alone does not tell the branch `a` from a cell `a`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

# Named tuples and not dataclasses: paths are keys, and a tuple of tuples is hashed four times as fast.


class Step(NamedTuple):
    """One step of a scope: a cell (`normal`), a tagged cell (`normal@h1`) or a place (`trunk[5][8]`)."""

    name: str
    tag: str = ""
    indices: tuple[int, ...] = ()

    def __str__(self) -> str:
        tag = f"@{self.tag}" if self.tag else ""
        return f"{self.name}{tag}{spell_indices(self.indices)}"

    @property
    def structure(self) -> Step:
        """The step without its indices: the grid or chain of a place."""
        return self.at(())

    def at(self, indices: tuple[int, ...]) -> Step:
        """Another place of the same structure."""
        return Step(self.name, self.tag, indices)

    def covers(self, other: Step) -> bool:
        """Whether `other` is this step, one of its places, or a tagged instance of it."""
        return (
            self.name == other.name
            and self.tag in ("", other.tag)
            and self.indices == other.indices[: len(self.indices)]
        )


QuestionScope: TypeAlias = "tuple[Step, ...]"
"""Who asks, from the outside in; empty for the space itself."""


def spell_scope(scope: QuestionScope) -> str:
    """`outer.trunk[5][8]`; empty for the space itself."""
    return ".".join(map(str, scope))


def spell_indices(indices: tuple[int, ...]) -> str:
    """`[5][8]`."""
    return "".join(f"[{index}]" for index in indices)


def spell_run(scope: QuestionScope, step: int, index: int, last: int) -> str:
    """`outer.trunk[5..9][8]`: a scope and those after it, by one index of one step, up to `last`."""
    name, tag, indices = scope[step]
    first = indices[index]
    run = f"[{first}]" if first == last else f"[{first}..{last}]"
    bare = Step(name, tag, indices[:index])
    here = f"{bare}{run}{spell_indices(indices[index + 1 :])}"
    return ".".join([*map(str, scope[:step]), here, *map(str, scope[step + 1 :])])


def shape_of(scope: QuestionScope) -> QuestionScope:
    """A scope without its first index: equal for places that a run can join."""
    step = _first_place(scope)
    if step is None:
        return scope
    return (*scope[:step], scope[step].at((_ANY, *scope[step].indices[1:])), *scope[step + 1 :])


def spell_runs(scopes: Iterable[QuestionScope]) -> list[str]:
    """Scopes that differ in their first index alone joined where they follow each other: `trunk[1..16][8]`."""
    found: dict[QuestionScope, list[QuestionScope]] = {}
    for scope in scopes:
        found.setdefault(shape_of(scope), []).append(scope)
    spelled: list[str] = []
    for alike in found.values():
        step = _first_place(alike[0])
        if step is None:
            spelled.append(spell_scope(alike[0]))
            continue
        by_index = {scope[step].indices[0]: scope for scope in alike}
        for first, last in _ranges(sorted(by_index)):
            spelled.append(spell_run(by_index[first], step, 0, last))
    return spelled


def spell_targets(scopes: Sequence[QuestionScope]) -> list[str]:
    """As `spell_runs`, as left of `=`, where a tag stands behind the whole: `normal.operator@h1`."""
    return [f"{spelled}{_tags(scopes[0])}" for spelled in spell_runs(map(_bare, scopes))]


def spell_target(scope: QuestionScope, last: int = 0) -> str:
    """A path as left of `=`, or where it ends in a place those up to `last`: `outer.t[2..4]@h1`."""
    indices = scope[-1].indices
    spelled = spell_run(_bare(scope), len(scope) - 1, len(indices) - 1, last) if indices else spell_scope(_bare(scope))
    return f"{spelled}{_tags(scope)}"


def _bare(scope: QuestionScope) -> QuestionScope:
    return tuple(Step(step.name, "", step.indices) for step in scope)


def _tags(scope: QuestionScope) -> str:
    return "".join(f"@{step.tag}" for step in scope if step.tag)


def spell_relative(scope: QuestionScope, here: QuestionScope) -> str:
    """A path as seen from a place of the same structure: `trunk[n - 1][8].stay` in `trunk[5][16]`."""
    step = _first_place(scope)
    there = next((each for each in here if step is not None and each.name == scope[step].name), None)
    if step is None or there is None or not there.indices:
        return spell_scope(scope)
    distance = scope[step].indices[0] - there.indices[0]
    index = "n" if not distance else f"n {'+' if distance > 0 else '-'} {abs(distance)}"
    spelled = f"{scope[step].name}[{index}]{spell_indices(scope[step].indices[1:])}"
    return ".".join([*map(str, scope[:step]), spelled, *map(str, scope[step + 1 :])])


_ANY = -1
"""Stands for the index by which a run of places differs."""


def _first_place(scope: QuestionScope) -> int | None:
    return next((position for position, step in enumerate(scope) if step.indices), None)


def _ranges(indices: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Rising numbers as the first and last of each run."""
    first = last = indices[0]
    for index in indices[1:]:
        if index != last + 1:
            yield first, last
            first = index
        last = index
    yield first, last


class Branch(NamedTuple):
    """One of the branches that a space or a cell declares."""

    scope: QuestionScope
    """The scope that declares it, which is also that of its grid."""
    name: str

    def __str__(self) -> str:
        return ".".join([*map(str, self.scope), self.name])

    @property
    def end(self) -> QuestionPath:
        """The question where it ends."""
        return QuestionPath(self.scope, self.name)


class QuestionPath(NamedTuple):
    """The path of a question, or with `branch` of the answer that one branch gives to it."""

    scope: QuestionScope
    """The cell, tagged cell or place that asks."""
    name: str
    """The last step: the name of a `choose` or a branch, `exit`, `keep`, or the source of an edge."""
    node: str = ""
    """The line whose edge or sum asks, or the chain whose exit is asked; empty where a `choose` asks."""
    branch: Branch | None = None

    def __str__(self) -> str:
        """`b.trunk[5][8].operator`; inside of a cell the branch stands behind the cell: `outer.b.trunk[5][8].width`."""
        return spell_scope(self.spelled)

    def of(self, branch: Branch | None) -> QuestionPath:
        """The answer of a branch to this question."""
        return QuestionPath(self.scope, self.name, self.node, branch)

    @property
    def question(self) -> QuestionPath:
        """The path of the question itself, whoever answers it."""
        return self if self.branch is None else QuestionPath(self.scope, self.name, self.node)

    @property
    def steps(self) -> QuestionScope:
        """The path of the question step by step: its scope, its line, its name."""
        node = (Step(self.node),) if self.node else ()
        return (*self.scope, *node, Step(self.name))

    @property
    def place(self) -> str:
        """Where it is asked: the path without its last step."""
        return spell_scope(self.steps[:-1])

    def within(self, scope: QuestionScope) -> bool:
        """Whether what is asked lies in a scope: `trunk[5][8].operator` in `trunk`, `trunk[5]` and `trunk[5][8]`.

        A scope may also name the question itself, the line that asks, a chain with its exit, or a branch.
        """
        return _covers(scope, self.steps) or _covers(scope, self.spelled)

    @property
    def spelled(self) -> QuestionScope:
        """Step by step as it is spelled, with the branch in its place."""
        if self.branch is None:
            return self.steps
        base, steps = self.branch.scope, self.steps
        return (*self.branch.end.steps, *(steps[len(base) :] if steps[: len(base)] == base else steps))


def _covers(scope: QuestionScope, steps: QuestionScope) -> bool:
    return len(scope) <= len(steps) and all(map(Step.covers, scope, steps))


_STEP = re.compile(r"(?P<name>\w+)(?:@(?P<tag>\w+))?(?P<indices>(?:\[\d+\])*)")


def parse_scope(text: str) -> QuestionScope | None:
    """The scope that a text spells, or None where it spells none: `outer.trunk[5]`, `normal@h1`."""
    matches = [_STEP.fullmatch(part) for part in text.split(".")] if text else []
    found = [match for match in matches if match is not None]
    if len(found) < len(matches):
        return None
    return tuple(
        Step(match["name"], match["tag"] or "", tuple(map(int, re.findall(r"\d+", match["indices"]))))
        for match in found
    )
