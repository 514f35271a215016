"""Which questions of a space have logits, and by which rules of a search they are answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.relax.phases import questions_in, questions_of
from archdsl.relax.relaxed import NONE
from archdsl.search.derive.errors import NotDerived
from archdsl.settings.objectives import Objective
from archdsl.settings.relaxations import (
    RELAXED,
    Argmax,
    Derivation,
    Dirichlet,
    Drop,
    Joint,
    Method,
    Mixing,
    Relaxation,
    WithoutLogits,
)
from archdsl.settings.searches import Phase, Search
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.space.trace import Answers

PLAIN = Relaxation(Method.SOFTMAX, RELAXED)
"""What holds of logits where no search says how they were learned."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A question with logits."""

    answers: tuple[str, ...]
    """Those that it may have, in the order of the space."""
    mixing: Mixing
    derive: tuple[Derivation, ...] = ()
    """The rules of the phase that learned it."""

    @property
    def candidates(self) -> tuple[str, ...]:
        """In the order of its logits."""
        return (*self.answers, NONE) if self.may_be_none else self.answers

    @property
    def may_be_none(self) -> bool:
        return isinstance(self.mixing, Relaxation | Dirichlet) and self.mixing.also_none

    @property
    def joint(self) -> Joint | None:
        """The rule for paths, where one of them is for sources."""
        return next((rule for rule in self.derive if isinstance(rule, Joint)), None)

    def argmax(self, kind: QuestionKind) -> Argmax | None:
        return next((rule for rule in self.derive if isinstance(rule, Argmax) and kind in rule.kinds), None)

    def dropped(self) -> Drop | None:
        """The rule for an op that is left out."""
        return next((rule for rule in self.derive if isinstance(rule, Drop)), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the questions of a program are answered from logits."""

    program: Program
    learned: Mapping[QuestionPath, Learned]
    """Those that have logits, in the order of the program; that of a sum where its inputs were weighed."""
    answers: Answers = field(default_factory=dict[QuestionPath, tuple[str, ...]])
    """Those that are given: by a genotype, or as `fixed`."""
    left_open: frozenset[QuestionPath] = frozenset()
    """Questions of kinds that are mixed, and were not learned: their answers stay open."""
    pick: Objective | None = None
    source: str = ""
    """The search and its phase, where a search says the rules."""

    @property
    def guided(self) -> bool:
        """Whether some answers are those of logits as a guide leaves them."""
        return any(self.is_guided(path) for path in self.learned)

    def is_guided(self, path: QuestionPath) -> bool:
        rule = self.learned[path].argmax(self.program.questions[path].kind)
        return rule is not None and rule.guided

    @property
    def rules(self) -> tuple[Derivation, ...]:
        """Every rule, each once."""
        return tuple(dict.fromkeys(rule for each in self.learned.values() for rule in each.derive))

    @classmethod
    def plain(cls, program: Program, given: Answers) -> Plan:
        """Without a search: the most probable answers, and of a sum that keeps some the strongest inputs."""
        found = questions_of(program, (PLAIN,))
        learned = {path: Learned(program.questions[path].answers, rule) for path, rule in found.rules.items()}
        return cls(program, learned, given)

    @classmethod
    def of(cls, program: Program, search: Search, given: Answers, *, phase: str | None = None) -> Plan:
        """As a phase of a search has it, the last one unless it is named, with what earlier phases learned.

        Raises NotDerived for a phase that there is not.
        """
        named = phase_of(search, phase)
        learned: dict[QuestionPath, Learned] = {}
        open_: dict[QuestionPath, None] = {}
        answers = dict(given)
        for each in _before(search, named):
            found = questions_in(each, program, given)
            for path, rule in found.rules.items():
                if not isinstance(rule, WithoutLogits):
                    allowed = found.allowed.get(path, program.questions[path].answers)
                    learned[path] = Learned(allowed, rule, each.derive)
                open_[path] = None
            if each is named:
                answers = {**found.answers}
        ordered = {path: learned[path] for path in program.questions if path in learned and path not in answers}
        left = frozenset(path for path in open_ if path not in learned and path not in answers)
        source = f"`{search.name}`" + (f", phase `{named.name}`" if named.name != search.name else "")
        return cls(program, ordered, answers, left, named.pick, source)


def phase_of(search: Search, name: str | None) -> Phase:
    """The phase of that name, or else the last one that searches and steps beside no other. Raises NotDerived."""
    if name is not None:
        found = next((each for each in search.phases if each.name == name), None)
        if found is None:
            known = ", ".join(f"`{each.name}`" for each in search.phases)
            raise NotDerived(f"`{search.name}` has no phase `{name}`: name one of {known}")
        return found
    beside = _beside(search.phases)
    own = [each for each in search.phases if each.name not in beside]
    searching = [each for each in own if each.answer_for != () and each.pretrain is None]
    return (searching or own)[-1]


def _before(search: Search, named: Phase) -> Iterator[Phase]:
    """The phases up to this one, without those that step in turn with others."""
    beside = _beside(search.phases)
    for each in search.phases:
        if each is named:
            yield each
            return
        if each.name not in beside and named.name not in each.beside and each.answer_for != ():
            yield each


def _beside(phases: Sequence[Phase]) -> frozenset[str]:
    return frozenset(name for each in phases for name in each.beside)
