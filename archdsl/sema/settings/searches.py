"""`search NAME of SPACE { … }`: typed and checked, phase by phase.

What a phase leaves out is what the search says around it, read once more with the phase's own space in mind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.modules.load import Unit
from archdsl.sema.reporter import Reporter, suggestion
from archdsl.sema.settings.forms import Block, several, values_of
from archdsl.sema.settings.losses import searched_loss
from archdsl.sema.settings.objectives import Objectives, check_uniform
from archdsl.sema.settings.optimizers import optimizer, weight_step
from archdsl.sema.settings.relaxations import Derivations, Relaxations
from archdsl.sema.settings.settings import Settings, levels, split
from archdsl.sema.settings.subject import Subject
from archdsl.sema.settings.trainings import NO_STEP, Parts, augmentations, read_duration
from archdsl.settings.losses import CrossEntropy, Heads
from archdsl.settings.objectives import LossTerm, costs_in
from archdsl.settings.relaxations import RELAXED, Argmax, Derivation, KeepBy, KeepStrongest, Relaxation
from archdsl.settings.searches import OneLevel, Phase, Search, TwoLevels
from archdsl.settings.trainings import Epochs
from archdsl.space import Program, QuestionKind
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell

PHASE_ONLY = ("network", "answer_for", "fixed", "without", "with", "pretrain")
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
    return _Searches(item, subject, parameters, file, find, reporter).read()


@dataclass(slots=True)
class _Searches:
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
            phases.append(_Phases(block, subject, self.file, names).read(alone=not written))
            block.finish()
        if written:
            self._settings_of_all(outer, blocks)
        self._check_beside(phases, blocks)
        wrong = any(block.wrong for block in (outer, *blocks)) or self.reporter.errors > errors
        return None if wrong else Search(self.item.name.text, self.subject.program.name, self.parameters, tuple(phases))

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
                self.reporter.report(codes.NOT_A_VALUE, f"`{spell(other)}` is no space", other.span, "a name is needed")
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
                block.missing("epochs", "write `epochs = 30` or `iterations = 15_000`, or run it `with` another phase")

    def _circle(self, name: str, other: str, expr: ast.Expr) -> None:
        self.reporter.report(
            codes.CONTRADICTION,
            f"`{name}` and `{other}` run beside each other" if name != other else f"`{name}` runs beside itself",
            expr.span,
            "closes the circle",
            help="write `with` in one of them",
        )


@dataclass(slots=True)
class _Phases:
    block: Block
    subject: Subject
    file: Unit
    names: list[str]

    def read(self, *, alone: bool) -> Phase:
        block, subject = self.block, self.subject
        settings, parts = Settings(subject), Parts(subject)
        answers_for = None if alone else self._answers_for()
        searching = answers_for != ()
        fixed = () if alone else block.take("fixed", several(settings.fixed), (), own=True)
        fixed_kinds = [each.kind for each in fixed]
        derivations = Derivations(subject, block.expression("guide") is not None, fixed_kinds)
        loss, heads = block.take("loss", searched_loss, (CrossEntropy(), (Heads.OUTPUT,)))
        phase = Phase(
            name=block.owner,
            network=subject.program.name,
            answers_for=answers_for,
            fixed=fixed,
            without=() if alone else block.take("without", several(subject.operator), (), own=True),
            beside=() if alone else block.take("with", self._beside, (), own=True),
            pretrain=None if alone else block.take("pretrain", parts.initial, None, own=True),
            duration=read_duration(block, optional=not alone),
            levels=block.take("levels", levels, OneLevel()),
            split=block.take("split", split, None),
            relax=block.take("relax", Relaxations(subject, fixed_kinds).read, ()),
            derive=block.take("derive", derivations.read, None) or self._plain_derivation(fixed_kinds),
            objective=block.take("objective", Objectives(self.file, subject).read, LossTerm()),
            loss=loss,
            heads=heads,
            widths=block.take("widths", settings.widths, None),
            guide=block.take("guide", settings.guide, None),
            freeze=block.take("freeze", several(settings.freeze), ()),
            pick=block.take("pick", Objectives(self.file, subject, "accuracy").read, None),
            arch=block.take("arch", optimizer, None),
            weights=block.need("weights", weight_step, NO_STEP, help="write `weights = sgd(lr = 0.01, batch = 16)`"),
            augment=block.take("augment", augmentations, ()),
        )
        if searching and phase.pretrain is None:
            self._check(phase)
        return phase if searching and phase.pretrain is None else _without_answers(phase)

    def _answers_for(self) -> tuple[str, ...] | None:
        """`answer_for = normal, reduction`; `nothing` gives none, and a line left out all that is open."""
        expr = self.block.expression("answer_for", own=True)
        if expr is not None and spell(expr) == "nothing":
            return ()
        return self.block.take("answer_for", several(self.subject.scope), None, own=True)

    def _beside(self, reporter: Reporter, expr: ast.Expr) -> tuple[str, ...] | None:
        found: list[str] = []
        for each in values_of(expr):
            if spell(each) not in self.names:
                reporter.report(
                    codes.UNKNOWN_WORD,
                    f"there is no phase `{spell(each)}`",
                    each.span,
                    "not known here",
                    help=suggestion(spell(each), [name for name in self.names if name != self.block.owner]),
                )
                return None
            found.append(spell(each))
        return tuple(found)

    def _plain_derivation(self, fixed: list[QuestionKind]) -> tuple[Derivation, ...]:
        """Where a text has no `derive`: the most probable answer, the strongest inputs."""
        kinds = tuple(kind for kind in self.subject.kinds if kind in RELAXED and kind not in fixed)
        none = any(each.also_none for each in self._relaxed(fixed))
        keep: tuple[Derivation, ...] = ()
        if QuestionKind.KEEP in self.subject.kinds:
            keep = (KeepStrongest(KeepBy.MAX_PROBABILITY),)
        return ((Argmax(kinds, self.block.expression("guide") is not None, none), *keep)) if kinds else keep

    def _relaxed(self, fixed: list[QuestionKind]) -> tuple[Relaxation, ...]:
        return self.block.take("relax", Relaxations(self.subject, fixed).read, ())

    def _check(self, phase: Phase) -> None:
        """What settings say of each other."""
        block = self.block
        mixed = [kind for kind in self.subject.kinds if kind in RELAXED and kind not in {f.kind for f in phase.fixed}]
        if mixed and block.expression("relax") is None:
            block.missing("relax", f"write `relax = softmax({', '.join(mixed)})`")
        if mixed and block.expression("arch") is None:
            block.missing(
                "arch", "write `arch = adam(lr = 3e-4, betas = (0.5, 0.999))`: it steps the logits of answers"
            )
        if isinstance(phase.levels, TwoLevels) and block.expression("split") is None:
            block.missing(
                "split", "write `split = random(weights = 1 / 2, answers = 1 / 2)`: two levels have data each"
            )
        self._check_none(phase)
        self._check_heads(phase)
        self._check_freeze(phase)
        for objective, name in ((phase.objective, "objective"), (phase.pick, "pick")):
            expr = block.expression(name)
            for term in costs_in(objective) if objective is not None and expr is not None else ():
                assert expr is not None
                check_uniform(term.cost, self.subject, block.reporter, expr)

    def _check_none(self, phase: Phase) -> None:
        """What takes part as `none` may not be what is derived: no answer of the space says it."""
        relax, derive = self.block.expression("relax"), self.block.expression("derive")
        kinds = {kind for each in phase.relax if each.also_none for kind in each.kinds}
        for each in phase.derive:
            if isinstance(each, Argmax) and kinds & set(each.kinds) and not each.except_none and derive and relax:
                self._contradiction(
                    "`none` could be derived, and the space has no such answer",
                    derive,
                    "it may win here",
                    also=(Mark(relax.span, "it takes part here"),),
                    help="write `argmax(except = none)`",
                )

    def _check_heads(self, phase: Phase) -> None:
        expr = self.block.expression("loss")
        if Heads.OUTPUT not in phase.heads and not self.subject.program.branches and expr is not None:
            self._contradiction(
                f"`{self.subject.program.name}` has no branches",
                expr,
                "heads of branches are asked for",
                help="take `over` out",
            )

    def _check_freeze(self, phase: Phase) -> None:
        epochs = phase.duration.epochs if isinstance(phase.duration, Epochs) else None
        expr = self.block.expression("freeze")
        for each in phase.freeze:
            if expr is not None and epochs is not None and each.until >= epochs:
                self._contradiction(
                    f"`{each.kind}` is frozen until epoch {each.until} of {epochs}",
                    expr,
                    "it would never be searched",
                    help="thaw it earlier, or write `fixed = …` in a phase",
                )

    def _contradiction(
        self, message: str, expr: ast.Expr, here: str, *, help: str, also: tuple[Mark, ...] = ()
    ) -> None:
        self.block.wrong = True
        self.block.reporter.report(codes.CONTRADICTION, message, expr.span, here, also=also, help=help)


def _without_answers(phase: Phase) -> Phase:
    """A phase that searches nothing has no use for what steps answers."""
    return replace(phase, relax=(), derive=(), arch=None, freeze=(), guide=None, pick=None, objective=LossTerm())
