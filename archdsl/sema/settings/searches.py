"""`search NAME of SPACE { … }`: typed and checked, phase by phase.

What a phase leaves out is what the search says around it, read once more with the phase's own space in mind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.modules.load import Unit
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.calls import Block
from archdsl.sema.settings.objectives import check_uniform
from archdsl.sema.settings.question_rules import QuestionRules
from archdsl.sema.settings.settings_reader import Reader
from archdsl.sema.settings.space_names import SpaceNames
from archdsl.sema.settings.subject import Subject
from archdsl.settings.losses import Heads
from archdsl.settings.objectives import LossTerm, costs_in
from archdsl.settings.relaxations import Argmax, Dirichlet, Mixing, Relaxation, WithoutLogits, runs_one
from archdsl.settings.schema import settings_of
from archdsl.settings.searches import Phase, Search, TwoLevels
from archdsl.settings.trainings import Epochs
from archdsl.space import Program
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

PHASE_ONLY = tuple(each.word for each in settings_of(Phase) if each.in_phases)
FindSpace = Callable[[ast.Path], "Program | None"]
"""The program of another space that a phase names; None where that has been reported to be wrong."""


def read_search(
    item: ast.Search,
    subject: Subject,
    parameters: tuple[tuple[str, str], ...],
    file: Unit,
    find: FindSpace,
    reporter: Reporter,
) -> Search | None:
    """The search that an item describes; None where something in it has been reported to be wrong."""
    return _SearchReader(item, subject, parameters, file, find, reporter).read()


@dataclass(slots=True)
class _SearchReader:
    item: ast.Search
    subject: Subject
    parameters: tuple[tuple[str, str], ...]
    file: Unit
    find: FindSpace
    reporter: Reporter

    def read(self) -> Search | None:
        errors = self.reporter.errors
        outer = Block.of(self.item.name, "search", self.item.body, self.reporter)
        written = [each for each in self.item.body if isinstance(each, ast.Phase)]
        blocks = self._blocks(written, outer)
        programs = {id(block): self._program(block) for block in blocks} if written else {}
        spaces = {id(each): each for each in (self.subject.program, *programs.values()) if each}
        names = [block.owner for block in blocks]
        phases: list[Phase] = []
        for block in blocks:
            program = programs.get(id(block)) or self.subject.program
            others = (each for each in spaces.values() if each is not program)
            subject = Subject(program, self.subject.answered, (program, *others))
            phases.append(_PhaseReader(block, subject, self.file, names).read(alone=not written))
            block.finish()
        if written:
            self._settings_of_all(outer, blocks)
        self._check_beside(phases, blocks)
        wrong = any(block.wrong for block in (outer, *blocks)) or self.reporter.errors > errors
        if wrong:
            return None
        return Search(
            name=self.item.name.text,
            space=self.subject.program.name,
            parameters=self.parameters,
            of=unparse(self.item.of),
            own=tuple(parameter.name.text for parameter in self.item.parameters),
            phases=tuple(phases),
        )

    def _blocks(self, written: list[ast.Phase], outer: Block) -> list[Block]:
        if not written:
            return [outer]
        seen: dict[str, ast.Name] = {}
        for phase in written:
            if first := seen.get(phase.name.text):
                self.reporter.report(
                    codes.SETTING_TWICE,
                    f"the phase `{phase.name.text}` stands twice in `{self.item.name.text}`",
                    phase.name.span,
                    "again here",
                    also=(Mark(first.span, "first here"),),
                    help="rename one of them",
                )
            seen.setdefault(phase.name.text, phase.name)
        return [Block.of(phase.name, "phase", phase.body, self.reporter, outer) for phase in written]

    def _program(self, block: Block) -> Program | None:
        match block.expression("network", own=True):
            case None:
                return self.subject.program
            case ast.Path() as path:
                program = self.find(path)
                block.wrong = block.wrong or program is None
                return program
            case other:
                block.wrong = True
                message = f"`{unparse(other)}` is no space"
                self.reporter.report(codes.NOT_A_VALUE, message, other.span, "a name is needed")
                return None

    def _settings_of_all(self, outer: Block, blocks: Iterable[Block]) -> None:
        """Lines around the phases: each phase has looked them up in `outer`, unless all of them have their own."""
        for block in blocks:
            outer.known += [name for name in block.known if name not in PHASE_ONLY]
        outer.finish(elsewhere=PHASE_ONLY)

    def _check_beside(self, phases: list[Phase], blocks: list[Block]) -> None:
        """A phase that steps beside another one has no length of its own, and runs beside one at most."""
        owner: dict[str, str] = {}
        for phase, block in zip(phases, blocks, strict=True):
            for name in phase.beside:
                expr = block.expression("with", own=True)
                assert expr is not None
                if name == phase.name or owner.get(phase.name) == name:
                    self._circle(name, phase.name, expr)
                owner.setdefault(name, phase.name)
        for phase, block in zip(phases, blocks, strict=True):
            if phase.duration is None and phase.name not in owner and phase.pretrain is None and not block.wrong:
                length = "`epochs = 30` or `iterations = 15_000`"
                block.missing("epochs", length if block.outer is None else f"{length}, or run it `with` another phase")

    def _circle(self, name: str, other: str, expr: ast.Expr) -> None:
        self.reporter.report(
            codes.CONTRADICTION,
            f"`{name}` and `{other}` run beside each other" if name != other else f"`{name}` runs beside itself",
            expr.span,
            "closes the circle",
            help="write `with` in one of them",
        )


@dataclass(slots=True)
class _PhaseReader:
    block: Block
    subject: Subject
    file: Unit
    phases: list[str]
    """The names of all phases."""

    def read(self, *, alone: bool) -> Phase:
        """The phase, also where something in it is wrong; `alone` it is a whole search."""
        block = self.block
        names = SpaceNames(self.subject, block.reporter, self.file, block.owner, self.phases)
        settings = Reader(block.reporter, names).block(Phase, block, of_phases=not alone)
        phase = Phase(name=block.owner, **settings)
        guided = block.expression("guide") is not None
        rules = QuestionRules(self.subject, block.reporter, [each.kind for each in phase.fixed], guided)
        phase = self._with_rules(phase, rules)
        if phase.answer_for == () or block.expression("pretrain", own=True) is not None:
            return _without_answers(phase)
        self._check(phase, rules)
        return phase

    def _with_rules(self, phase: Phase, rules: QuestionRules) -> Phase:
        """With the kinds of questions that each relaxation and each derivation is for."""
        relax, derive = self.block.expression("relax"), self.block.expression("derive")
        relaxed = rules.relaxations(phase.relax, relax) if relax and phase.relax else ()
        together = ("relax" in self.block.lines) == ("derive" in self.block.lines)
        derived = (
            rules.derivations(phase.derive, derive, relaxed or (), relax if together else None)
            if derive and phase.derive
            else ()
        )
        self.block.wrong = self.block.wrong or relaxed is None or derived is None
        return replace(phase, relax=relaxed or (), derive=derived or rules.plain_derivations(relaxed or ()))

    def _check(self, phase: Phase, rules: QuestionRules) -> None:
        """What settings say of each other."""
        block = self.block
        if rules.open_kinds and block.expression("relax") is None:
            block.missing("relax", f"`relax = softmax({', '.join(rules.open_kinds)})`")
        mixing = [each for each in phase.relax if isinstance(each, Mixing)]
        learned = bool(rules.open_kinds) and not (mixing and all(isinstance(each, WithoutLogits) for each in mixing))
        needed = (("arch", learned), ("split", isinstance(phase.levels, TwoLevels)))
        for each in settings_of(Phase):
            if (each.field, True) in needed and block.expression(each.word) is None:
                block.missing(each.word, each.example)
        self._check_none(phase)
        self._check_heads(phase)
        self._check_freeze(phase)
        self._check_stop(phase, mixing)
        for objective, name in ((phase.objective, "objective"), (phase.pick, "pick")):
            expr = block.expression(name)
            for term in costs_in(objective) if objective is not None and expr is not None else ():
                assert expr is not None
                check_uniform(term.cost, self.subject, block.reporter, expr)

    def _check_none(self, phase: Phase) -> None:
        """What takes part as `none` may not be what is derived: no answer of the space says it."""
        relax, derive = self.block.expression("relax"), self.block.expression("derive")
        rules = [each for each in phase.relax if isinstance(each, Relaxation | Dirichlet)]
        kinds = {kind for each in rules if each.also_none for kind in each.kinds}
        for each in phase.derive:
            if isinstance(each, Argmax) and kinds & set(each.kinds) and not each.except_none and derive and relax:
                self.block.contradiction(
                    "`none` could be derived, and the space has no such answer",
                    derive.span,
                    "it may win here",
                    also=(Mark(relax.span, "it takes part here"),),
                    help="write `argmax(except = none)`",
                )

    def _check_heads(self, phase: Phase) -> None:
        expr = self.block.expression("loss")
        if Heads.OUTPUT not in phase.loss.over and not self.subject.program.branches and expr is not None:
            self.block.contradiction(
                f"`{self.subject.program.name}` has no branches",
                expr.span,
                "heads of branches are asked for",
                help="take `over` out",
            )

    def _check_freeze(self, phase: Phase) -> None:
        epochs = phase.duration.epochs if isinstance(phase.duration, Epochs) else None
        expr = self.block.expression("freeze")
        for each in phase.freeze:
            if expr is not None and epochs is not None and each.until >= epochs:
                self.block.contradiction(
                    f"`{each.kind}` is frozen until epoch {each.until} of {epochs}",
                    expr.span,
                    "it would never be searched",
                    help="thaw it earlier, or write `fixed = …` in a phase",
                )

    def _check_stop(self, phase: Phase, mixing: Sequence[Mixing]) -> None:
        """A sign that cannot be seen."""
        stop, expr = phase.stop, self.block.expression("stop")
        if stop is None or expr is None:
            return
        epochs = phase.duration.epochs if isinstance(phase.duration, Epochs) else None
        learned = [each for each in mixing if not isinstance(each, WithoutLogits)]
        if mixing and not learned:
            self.block.contradiction(
                f"`{self.block.owner}` learns no answers",
                expr.span,
                "none can collapse",
                help="take `stop` out, or relax some kind of question with logits",
            )
        elif stop.eigenvalue is not None and learned and all(runs_one(each) for each in learned):
            self.block.contradiction(
                "the loss has no eigenvalue by the logits of answers that are sampled",
                expr.span,
                "measured here",
                help="write `collapse(parameter_free = 0.8)`, or mix some kind of question",
            )
        elif epochs is not None and stop.first_stop > epochs:
            self.block.contradiction(
                f"`stop` cannot act before epoch {stop.first_stop:,}, of {epochs:,}",
                expr.span,
                "it would never stop",
                help="write a smaller `earliest`"
                + (", `window` or `every`" if stop.first_stop > stop.earliest else ""),
            )


def _without_answers(phase: Phase) -> Phase:
    """A phase that searches nothing has no use for what steps answers."""
    return replace(
        phase, relax=(), derive=(), arch=None, freeze=(), stop=None, guide=None, pick=None, objective=LossTerm()
    )
