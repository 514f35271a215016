"""Genotypes as texts: canonical, with runs folded (`trunk[5..9][8]`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archdsl.fmt import format
from archdsl.ops.bind import show
from archdsl.space import (
    Branch,
    Place,
    Program,
    Question,
    QuestionKind,
    QuestionPath,
    QuestionScope,
    Step,
    Trellis,
    shape_of,
    spell_run,
    spell_target,
    spell_targets,
)
from archdsl.space.trace import Answers, trace
from archdsl.syntax import parse
from archdsl.text import SourceFile, visible_line

HASH_DIGITS = 16
"""How many digits of the space's hash a genotype carries."""


class NotNamed(Exception):
    """A file that no text can name in a `use`."""


def use_of(file: Path, folder: Path) -> str:
    """A file as a text in `folder` uses it. Raises NotNamed, for a string has no form for every name of a file."""
    path = Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    if '"' in path or visible_line(path) != path:
        raise NotNamed(
            f"no text can name `{visible_line(path)}`: strings hold neither quotes nor what cannot be seen; "
            "call the file or its folder otherwise"
        )
    return f'"{path}"'


def write_genotype(
    program: Program,
    answers: Answers,
    name: str,
    use: str,
    *,
    parameters: Mapping[str, object] | None = None,
    opened: Sequence[str] = (),
    found: str = "",
    comments: Sequence[str] = (),
) -> str:
    """The text of a genotype. Reading it gives these answers.

    `use` is where its space is, `"net.arch"` or `darts` of the library; `parameters` are those that differ from the
    space's defaults; `opened` the cells that are left open; `found` says where it is from, as an expression of the
    language, and `comments` are lines above it. Answers to questions that are not asked are left out.
    """
    asked = trace(program, answers).asked
    kept = {path: answers[path] for path in asked if path in answers}
    given = ", ".join(f"{key} = {show(value)}" for key, value in (parameters or {}).items())
    digest = program.hash[: len("sha256:") + HASH_DIGITS]
    lines = ["archdsl 1", "", f"use {use}", "", *(f"# {visible_line(each)}" for each in comments)]
    lines += [f"genotype {name} of {program.name}({given}) {{", f'hash = "{digest}"']
    if found:
        lines.append(f"found = {found}")
    if opened:
        lines.append(f"open = {', '.join(opened)}")
    lines += _Writer(program, kept).lines()
    lines.append("}")
    return format(parse(SourceFile(name, "\n".join(lines) + "\n")))


@dataclass(slots=True)
class _Writer:
    program: Program
    answers: Answers
    on_paths: set[QuestionPath] = field(default_factory=set[QuestionPath])
    """The questions that the paths of branches answer."""

    def lines(self) -> Iterable[str]:
        yield from self._ends()
        plain: list[tuple[QuestionPath, str]] = []
        blocks: dict[QuestionScope, dict[str, list[Question]]] = {}
        for path, question in self.program.questions.items():
            if question.kind is QuestionKind.BRANCH:
                continue
            if question.on_line:
                if path in self.answers:
                    blocks.setdefault(path.scope, {}).setdefault(path.node, []).append(question)
                continue
            for each, answer in self._plain(question):
                if each.branch is None and self._needs_block(each):
                    blocks.setdefault(path.scope, {})[path.name] = [question]
                else:
                    plain.append((each, answer))
        yield from _folded(sorted(plain, key=self._place_order))
        yield from self._blocks(blocks)

    def _needs_block(self, path: QuestionPath) -> bool:
        """A tag is written with a block alone, and so is the answer of a cell that has the name of a branch."""
        return any(step.tag for step in path.scope) or self.program.find(str(path))[0] != path

    # Branches and their paths -------------------------------------------------------------------

    def _ends(self) -> Iterable[str]:
        """`a = 16`, `a.path = trunk[1..13][8], trunk[14..16][16]`."""
        for branch in self.program.branches:
            if branch.end in self.answers:
                yield f"{spell_target(branch.end.steps)} = {self.answers[branch.end][0]}"
        for branch, ends in self.program.branches.items():
            trellis = self.program.trellises[ends.trellis]
            answer = self.answers.get(branch.end, ("",))[0]
            places = self._path(branch, trellis, ends.places.get(answer) or next(iter(ends.places.values())))
            if places:
                self.on_paths.update(trellis.source(place).of(branch) for place in places)
                target = spell_target((*branch.end.steps, Step("path")))
                yield f"{target} = {', '.join(_spell_places(trellis, run) for run in _runs(places))}"

    def _path(self, branch: Branch, trellis: Trellis, end: Place) -> list[Place]:
        """The places from the start to the end; nothing where a source on the way is open."""
        places = [end]
        while sources := trellis.sources[places[-1]]:
            if trellis.asks_at(places[-1]):
                answer = self.answers.get(trellis.source(places[-1]).of(branch))
                if answer is None or answer[0] not in sources:
                    return [] if answer is None else places[::-1]
                places.append(sources[answer[0]])
            else:
                places.append(next(iter(sources.values())))
        return places[::-1]

    # Questions with names -----------------------------------------------------------------------

    def _plain(self, question: Question) -> Iterable[tuple[QuestionPath, str]]:
        """Paths with answers; without a branch where all that ask it agree."""
        path = question.path
        if not question.per_branch:
            return [(path, self.answers[path][0])] if path in self.answers else []
        own = [path.of(branch) for branch in self.program.branches]
        given = [(each, self.answers[each][0]) for each in own if each in self.answers and each not in self.on_paths]
        if path in self.answers:  # read outside of all branches, too: what holds there holds for all that are not named
            general = self.answers[path][0]
            return [(path, general), *((each, answer) for each, answer in given if answer != general)]
        if len({answer for _, answer in given}) == 1:
            return [(path, given[0][1])]
        return given

    def _place_order(self, line: tuple[QuestionPath, str]) -> tuple[str, list[int], list[int], int]:
        """By what is asked, then along each row of a grid."""
        path, _ = line
        indices = [index for step in path.scope for index in step.indices]
        return path.name, indices[1:], indices[:1], self.program.order(path.branch)

    # Edges --------------------------------------------------------------------------------------

    def _blocks(self, blocks: Mapping[QuestionScope, Mapping[str, list[Question]]]) -> Iterable[str]:
        """`answer normal { x1 = prev2 -> identity + prev -> conv3x3 }`; equal neighbours in a chain as one block."""
        written = {
            scope: tuple(self._line(line, found) for line, found in lines.items()) for scope, lines in blocks.items()
        }
        yield from written.pop((), ())  # of the space itself, outside of all cells
        for scopes, lines in _alike(written):
            yield f"answer {scopes} {{"
            yield from lines
            yield "}"

    def _line(self, line: str, questions: list[Question]) -> str:
        if not questions[0].on_line:
            ((_, answer),) = self._plain(questions[0])
            return f"{line} = {answer}"
        keep = next((each for each in questions if each.kind is QuestionKind.KEEP), None)
        ops = {each.path.name: self.answers[each.path][0] for each in questions if each is not keep}
        if keep is None:
            return f"{line} = {' + '.join(f'{source} -> {op}' for source, op in ops.items())}"
        edges = dict(zip(keep.answers, keep.edges, strict=True))
        kept = [(candidate, edges[candidate]) for candidate in self.answers[keep.path]]
        return f"{line} = {' + '.join(f'{edge} -> {ops[edge]}' if edge in ops else each for each, edge in kept)}"


def _alike(written: Mapping[QuestionScope, tuple[str, ...]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Scopes with their lines, runs of `trunk[2]`, `trunk[3]` with the same lines as `trunk[2..3]`."""
    waiting = list(written.items())
    while waiting:
        scope, lines = waiting.pop(0)
        *outside, place = scope
        last = place.indices[-1] if place.indices else 0
        while place.indices and waiting:
            following = (*outside, place.at((*place.indices[:-1], last + 1)))
            if waiting[0] != (following, lines):
                break
            waiting.pop(0)
            last += 1
        yield spell_target(scope, last), lines


def _folded(plain: Sequence[tuple[QuestionPath, str]]) -> Iterable[str]:
    """Lines of equal answers at consecutive places as one: `trunk[5..9][8].operator = skip`."""
    groups: dict[tuple[QuestionScope, str], list[QuestionScope]] = {}
    for path, answer in plain:
        groups.setdefault((shape_of(path.spelled), answer), []).append(path.spelled)
    for (_, answer), paths in groups.items():
        yield from (f"{spelled} = {answer}" for spelled in spell_targets(paths))


def _runs(places: Sequence[Place]) -> list[list[Place]]:
    """Places that differ in the first index alone, by one each."""
    runs: list[list[Place]] = []
    for place in places:
        if runs and runs[-1][-1][1:] == place[1:] and runs[-1][-1][0] + 1 == place[0]:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _spell_places(trellis: Trellis, run: Sequence[Place]) -> str:
    return spell_run((trellis.scope[-1].at(run[0]),), 0, 0, run[-1][0])
