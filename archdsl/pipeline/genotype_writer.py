"""Genotypes as texts: canonical, with runs folded (`trunk[5..9][8]`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archdsl.fmt import format
from archdsl.ops.bind import show
from archdsl.space import Place, Program, Question, QuestionKind, Trellis
from archdsl.space.trace import Answers, trace
from archdsl.syntax import parse
from archdsl.text import SourceFile

HASH_DIGITS = 16
"""How many digits of the space's hash a genotype carries."""

_INDEX = re.compile(r"\[(\d+)\]")


def write_genotype(
    program: Program,
    answers: Answers,
    name: str,
    use: str,
    *,
    parameters: Mapping[str, object] | None = None,
    opened: Sequence[str] = (),
) -> str:
    """The text of a genotype. Reading it gives these answers; `use` is the space's file as seen from the new one.

    `parameters` are those that differ from the space's defaults; `opened` the cells that are left open. Answers to
    questions that are not asked are left out.
    """
    asked = trace(program, answers).asked
    kept = {path: answers[path] for path in asked if path in answers}
    given = ", ".join(f"{key} = {show(value)}" for key, value in (parameters or {}).items())
    digest = program.hash[: len("sha256:") + HASH_DIGITS]
    lines = ["archdsl 1", "", f'use "{use}"', "", f"genotype {name} of {program.name}({given}) {{"]
    lines.append(f'hash = "{digest}"')
    if opened:
        lines.append(f"open = {', '.join(opened)}")
    lines += _Writer(program, kept).lines()
    lines.append("}")
    return format(parse(SourceFile(name, "\n".join(lines) + "\n")))


@dataclass(slots=True)
class _Writer:
    program: Program
    answers: Mapping[str, tuple[str, ...]]

    def lines(self) -> Iterable[str]:
        yield from self._ends()
        plain: list[tuple[str, str, str]] = []
        blocks: dict[str, dict[str, list[Question]]] = {}
        for path, question in self.program.questions.items():
            if question.kind is QuestionKind.BRANCH or self._on_path(question):
                continue
            if question.node:
                if path in self.answers:
                    blocks.setdefault(question.scope, {}).setdefault(question.node, []).append(question)
                continue
            if "@" in path:  # a tag is written with a block alone
                scope, _, name = path.rpartition(".")
                if path in self.answers:
                    blocks.setdefault(scope, {}).setdefault(name, []).append(question)
                continue
            plain += self._plain(path, question)
        yield from _folded(sorted(plain, key=_place_order))
        yield from self._blocks(blocks)

    # Branches and their paths -------------------------------------------------------------------

    def _ends(self) -> Iterable[str]:
        """`a = 16`, `a.path = trunk[1..13][8], trunk[14..16][16]`."""
        for branch in self.program.branches:
            if branch in self.answers:
                yield f"{branch} = {self.answers[branch][0]}"
        for branch, ends in self.program.branches.items():
            trellis = self.program.trellises[ends.trellis]
            end = ends.places.get(self.answers.get(branch, ("",))[0]) or next(iter(ends.places.values()))
            places = self._path(branch, trellis, end)
            if places:
                yield f"{branch}.path = {', '.join(_spell_run(trellis, run) for run in _runs(places))}"

    def _path(self, branch: str, trellis: Trellis, end: Place) -> list[Place]:
        """The places from the start to the end; nothing where a source on the way is open."""
        places = [end]
        while sources := {label: place for label, place in trellis.sources[places[-1]].items() if label != "start"}:
            if len(trellis.sources[places[-1]]) > 1:
                answer = self.answers.get(f"{branch}.{trellis.spell(places[-1])}.{trellis.question}")
                if answer is None or answer[0] not in sources:
                    return [] if answer is None else places[::-1]
                places.append(sources[answer[0]])
            else:
                places.append(next(iter(sources.values())))
        return places[::-1]

    def _on_path(self, question: Question) -> bool:
        """Whether the path of a branch says the answer."""
        return (
            question.per_branch
            and question.kind is QuestionKind.SOURCE
            and any(
                question.path.startswith(f"{trellis.name}[") and question.path.endswith(f".{trellis.question}")
                for trellis in self.program.trellises.values()
            )
        )

    # Questions with names -----------------------------------------------------------------------

    def _plain(self, path: str, question: Question) -> Iterable[tuple[str, str, str]]:
        """Branch, path and answer; without a branch where all that ask it agree."""
        if not question.per_branch:
            if path in self.answers:
                yield "", path, self.answers[path][0]
            return
        found = {branch: self.answers.get(f"{branch}.{path}") for branch in self.program.branches}
        given = {branch: answer[0] for branch, answer in found.items() if answer is not None}
        if len(set(given.values())) == 1:
            yield "", path, next(iter(given.values()))
        else:
            for branch, answer in given.items():
                yield branch, path, answer

    # Edges --------------------------------------------------------------------------------------

    def _blocks(self, blocks: Mapping[str, Mapping[str, list[Question]]]) -> Iterable[str]:
        """`answer normal { x1 = prev2 -> identity + prev -> conv3x3 }`; equal neighbours in a chain as one block."""
        written = {
            scope: tuple(self._edges(node, found) for node, found in nodes.items()) for scope, nodes in blocks.items()
        }
        yield from written.pop("", ())  # of the space itself, outside of all cells
        for scopes, lines in _alike(written):
            yield f"answer {scopes} {{"
            yield from lines
            yield "}"

    def _edges(self, node: str, questions: list[Question]) -> str:
        if not questions[0].node:
            return f"{node} = {self.answers[questions[0].path][0]}"
        keep = next((each for each in questions if each.kind is QuestionKind.KEEP), None)
        ops = {each.source: self.answers[each.path][0] for each in questions if each is not keep}
        sources = self.answers[keep.path] if keep is not None else tuple(ops)
        return f"{node} = {' + '.join(f'{source} -> {ops[source]}' if source in ops else source for source in sources)}"


def _alike(written: Mapping[str, tuple[str, ...]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Scopes with their lines, runs of `trunk[2]`, `trunk[3]` with the same lines as `trunk[2..3]`."""
    waiting = list(written.items())
    while waiting:
        scope, lines = waiting.pop(0)
        match = re.fullmatch(r"(.*)\[(\d+)\]", scope)
        if match is None:
            yield scope, lines
            continue
        first = last = int(match[2])
        while waiting and waiting[0] == (f"{match[1]}[{last + 1}]", lines):
            waiting.pop(0)
            last += 1
        yield (scope if first == last else f"{match[1]}[{first}..{last}]"), lines


def _place_order(line: tuple[str, str, str]) -> tuple[str, list[int], list[int], str]:
    """By what is asked, then along each row of a grid."""
    branch, path, _ = line
    indices = [int(index) for index in _INDEX.findall(path)]
    return path.rsplit(".", 1)[-1], indices[1:], indices[:1], branch


def _folded(plain: Sequence[tuple[str, str, str]]) -> Iterable[str]:
    """Lines of equal answers at consecutive places as one: `trunk[5..9][8].operator = skip`."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for branch, path, answer in plain:
        index = _INDEX.search(path)
        shape = path if index is None else f"{path[: index.start()]}[…]{path[index.end() :]}"
        groups.setdefault((branch, shape, answer), []).append(-1 if index is None else int(index[1]))
    for (branch, shape, answer), indices in groups.items():
        prefix = f"{branch}." if branch else ""
        for first, last in _ranges(indices):
            place = f"[{first}]" if first == last else f"[{first}..{last}]"
            yield f"{prefix}{shape.replace('[…]', place)} = {answer}"


def _ranges(indices: Sequence[int]) -> Iterable[tuple[int, int]]:
    first = last = indices[0]
    for index in indices[1:]:
        if index != last + 1:
            yield first, last
            first = index
        last = index
    yield first, last


def _runs(places: Sequence[Place]) -> list[list[Place]]:
    """Places that differ in the first index alone, by one each."""
    runs: list[list[Place]] = []
    for place in places:
        if runs and runs[-1][-1][1:] == place[1:] and runs[-1][-1][0] + 1 == place[0]:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _spell_run(trellis: Trellis, run: Sequence[Place]) -> str:
    first, last = run[0], run[-1]
    if first == last:
        return trellis.spell(first)
    rest = "".join(f"[{index}]" for index in first[1:])
    return f"{trellis.name}[{first[0]}..{last[0]}]{rest}"
