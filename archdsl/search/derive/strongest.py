"""Genotypes by the rules of a search: the most probable answers, paths and inputs (`derive = …`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.relax.phases import joint_ends
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.paths import operators_on_path, path_answers, strongest_path
from archdsl.search.derive.plan import Plan
from archdsl.settings.relaxations import Joint
from archdsl.space import START, Branch, Program, Question, QuestionKind, QuestionPath, Trellis, spell_scope
from archdsl.space.concrete import Answer
from archdsl.space.relax import open_questions
from archdsl.space.trace import Answers, trace

EndLabels = Mapping[Branch, str]
"""Where each branch ends, by its answer."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A genotype; some of its questions may have been left open."""

    answers: Answers
    """To all that is asked and answered."""
    left_open: tuple[QuestionPath, ...] = ()
    """What is asked and was not searched."""


def every_end(plan: Plan) -> tuple[EndLabels, ...]:
    """All ways in which the branches of a space can end together, as far as they are not given.

    Of a branch that no output reads nothing is said: wherever it ends, the network is the same.
    """
    program = plan.program
    if not program.branches:
        return ({},)
    asked = plan.answers.keys() | open_questions(program, plan.answers).keys()
    read = [branch for branch in program.branches if branch.end in asked or branch.end not in program.questions]
    ends = ({branch: each[branch] for branch in read} for each in joint_ends(program, plan.answers))
    return tuple({tuple(each.items()): each for each in ends}.values())


def derive(chances: Chances, ends: EndLabels) -> Derived:
    """The genotype of the rules, with branches that end there. Raises NotDerived."""
    return _Derivation(chances, ends).run()


class _Derivation:
    def __init__(self, chances: Chances, ends: EndLabels) -> None:
        self.chances = chances
        self.plan = chances.plan
        self.program: Program = chances.plan.program
        self.answers: dict[QuestionPath, Answer] = dict(self.plan.answers)
        for branch, label in ends.items():
            if branch.end in self.program.questions:
                self.answers.setdefault(branch.end, (label,))
        for branch, label in ends.items():
            self._follow(branch, label)

    def run(self) -> Derived:
        """What is asked hangs on earlier answers, so questions are answered in rounds."""
        while True:
            found = trace(self.program, self.answers)
            unknown: list[QuestionPath] = []
            answered = dict(self.answers)
            for path in found.missing:
                answer = self._answer(path, found.asked[path])
                if answer is not None:
                    answered[path] = answer
                elif path.question not in self.plan.left_open and found.asked[path].kind is not QuestionKind.KEEP:
                    unknown.append(path)
            if unknown:
                raise self.chances.missing(unknown)
            if len(answered) == len(self.answers):
                break
            self.answers = answered
        if found.misfits:
            node = self.program.nodes[found.misfits[0].node]
            raise NotDerived(f"under these answers `{node.local}` at `{node.path}` {found.misfits[0].error.reason}")
        answers = {path: self.answers[path] for path in found.asked if path in self.answers}
        return Derived({**answers, **self._behind_open()} if found.missing else answers, found.missing)

    def _behind_open(self) -> Answers:
        """What is learned and stands behind a question that stays open: each is asked whatever that answers.

        One after the other, as an answer can take the next question away; sums first, as they drop inputs.
        """
        answered: dict[QuestionPath, Answer] = {}
        while True:
            asked = open_questions(self.program, self.answers)
            ordered = sorted(asked.items(), key=lambda each: each[1].kind is not QuestionKind.KEEP)
            for path, question in ordered:
                answer = self._answer(path, question)
                if answer is not None:
                    answered[path] = answer
                    self.answers[path] = answer
                    break
            else:
                return answered

    # Branches -----------------------------------------------------------------------------------

    def _follow(self, branch: Branch, label: str) -> None:
        """The path of a branch to its end, and the ops that stay on it."""
        ends = self.program.branches[branch]
        trellis = self.program.trellises[ends.trellis]
        asking = [trellis.source(place) for place in trellis.sources if trellis.source(place) in self.program.questions]
        if any(path in self.plan.left_open for path in asking):
            return
        rule = next((joint for path in asking if (joint := self._joint(path)) is not None), None)
        end = ends.places[label]
        places = (
            self._one_by_one(trellis, end, branch)
            if rule is None
            else strongest_path(trellis, end, self.chances, branch, rule)
        )
        for path, answer in path_answers(trellis, places, self.chances, branch).items():
            self.answers.setdefault(path, answer)
        for path, answer in operators_on_path(trellis, places, self.chances, branch).items():
            self.answers.setdefault(path, answer)

    def _joint(self, path: QuestionPath) -> Joint | None:
        learned = self.plan.learned.get(path)
        return None if learned is None else learned.joint

    def _one_by_one(self, trellis: Trellis, end: tuple[int, ...], branch: Branch) -> tuple[tuple[int, ...], ...]:
        """The path that the most probable source of each place gives, back from the end."""
        places = [end]
        while sources := trellis.sources[places[-1]]:
            path = trellis.source(places[-1]).of(branch)
            given = self.answers.get(path)
            label = (
                next(iter(sources))
                if not trellis.asks_at(places[-1])
                else given[0]
                if given is not None
                else self.chances.strongest(path)
            )
            if label == START:
                break
            places.append(sources[label])
        return tuple(reversed(places))

    # Questions ----------------------------------------------------------------------------------

    def _answer(self, path: QuestionPath, question: Question) -> Answer | None:
        """None where nothing says it."""
        given = self.answers.get(path.question)
        if given is not None:
            return given
        if question.kind is QuestionKind.KEEP:
            return self._kept(path, question)
        if not self.chances.has(path):
            return None
        if question.kind is QuestionKind.SOURCE and (rule := self._joint(path.question)) is not None:
            trellis = next((each for each in self.program.trellises.values() if each.asks(path.question)), None)
            if trellis is not None:
                places = strongest_path(trellis, path.scope[-1].indices, self.chances, path.branch, rule)
                return path_answers(trellis, places, self.chances, path.branch)[path]
        return (self.chances.strongest(path),)

    def _kept(self, path: QuestionPath, question: Question) -> Answer | None:
        """The inputs whose strongest op is the most probable, weighed as the sum weighs them; of equal ones the first.

        An input without a question is certain.
        """
        edges = [QuestionPath(path.scope, edge, path.node) for edge in question.edges]
        if any(edge in self.plan.left_open for edge in edges) and not self.chances.has(path):
            return None
        weights = self.chances.allowed(path) if self.chances.has(path) else dict.fromkeys(question.answers, 0.0)
        strength = {
            candidate: weights[candidate] + self._strength(edge)
            for candidate, edge in zip(question.answers, edges, strict=True)
        }
        ranked = sorted(question.answers, key=lambda candidate: -strength[candidate])
        return tuple(candidate for candidate in question.answers if candidate in ranked[: question.keep])

    def _strength(self, edge: QuestionPath) -> float:
        asked = self.program.questions.get(edge)
        if asked is None or edge in self.plan.answers or asked.kind is not QuestionKind.OPERATOR:
            return 0.0
        return max(self.chances.allowed(edge).values())


def open_scopes(left_open: Sequence[QuestionPath]) -> tuple[str, ...]:
    """How a genotype says what it leaves open: the cells that ask it, or the questions of the space itself."""
    return tuple(dict.fromkeys(map(_open, left_open)))


def _open(path: QuestionPath) -> str:
    return spell_scope(path.scope) if path.scope else str(path.question)


def labels_of(ends: EndLabels) -> str:
    """`a = 16, b = 32`."""
    return ", ".join(f"{branch} = {label}" for branch, label in ends.items())


def matching(every: Sequence[EndLabels], given: Mapping[str, str]) -> Iterator[EndLabels]:
    """Those of some ends that say of each named branch what was given."""
    for ends in every:
        if all(label == given.get(str(branch), label) for branch, label in ends.items()):
            yield ends
