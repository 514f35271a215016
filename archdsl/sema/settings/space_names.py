"""What names in the settings of a phase or a training refer to: parts, ops and questions of its space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archdsl.sema import codes
from archdsl.sema.modules.load import Unit
from archdsl.sema.reporter import Reporter, listed, suggestion
from archdsl.sema.settings.objectives import Objectives
from archdsl.sema.settings.settings_reader import NameKind, Reader
from archdsl.sema.settings.subject import Subject
from archdsl.settings.schema import Expression, Name, Reference, Rule
from archdsl.space import QuestionKind, Result
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse


@dataclass(frozen=True, slots=True)
class SpaceNames:
    """Names as they are known to one phase or training."""

    subject: Subject
    reporter: Reporter
    file: Unit
    owner: str
    """The name of the phase."""
    phases: Sequence[str] = ()

    def resolve(self, reader: Reader, kind: NameKind, expr: ast.Expr) -> Any:
        match kind:
            case Name(Reference.CANDIDATE):
                return self.subject.operator(self.reporter, expr)
            case Name(Reference.PART):
                return self.subject.part(self.reporter, expr)
            case Name(Reference.SCOPE):
                return self.subject.scope(self.reporter, expr)
            case Name(Reference.CHAIN):
                return self._chain(expr)
            case Name(Reference.PHASE):
                return self._phase(expr)
            case Name(Reference.SPACE):
                return unparse(expr)
            case Expression(about):
                return Objectives(self.file, self.subject, self.reporter, about).read(expr)
            case _:
                raise ValueError(f"a phase has no {kind}")

    def question_kind(self, expr: ast.Expr) -> QuestionKind | None:
        return self.subject.kind(self.reporter, expr)

    def answer(self, kind: QuestionKind, expr: ast.Expr) -> str | None:
        """One that every question of the kind has."""
        answer = unparse(expr)
        questions = [each for each in self.subject.program.questions.values() if each.kind is kind]
        without = [each for each in questions if answer not in each.answers]
        if without:
            self.reporter.report(
                codes.NOT_IN_SPACE,
                f"`{answer}` is no answer to `{without[0].path}`",
                expr.span,
                "not among its candidates",
                help=f"it has {listed(list(without[0].answers))}",
            )
            return None
        return answer

    def outputs(self) -> Sequence[str]:
        results = (node.payload for node in self.subject.program.nodes)
        return [each.name for each in results if isinstance(each, Result) and each.auxiliary]

    def permits(self, rule: Rule, expr: ast.Expr) -> bool:
        name = self.subject.program.name
        match rule:
            case Rule.ASKS_WIDTHS if QuestionKind.WIDTH not in self.subject.kinds_of_all:
                message, here, help = f"`{name}` asks for no width", "nothing to sample", None
            case Rule.AUXILIARY_OUTPUTS if not self.outputs():
                message, here = f"`{name}` has no auxiliary output", "nothing to weigh"
                help = "write `out aux name = …` in the space, or take this line out"
            case _:
                return True
        self.reporter.report(codes.NOT_IN_SPACE, message, expr.span, here, help=help)
        return False

    def _phase(self, expr: ast.Expr) -> str | None:
        name = unparse(expr)
        if name in self.phases:
            return name
        self.reporter.report(
            codes.UNKNOWN_WORD,
            f"there is no phase `{name}`",
            expr.span,
            "not known here",
            help=suggestion(name, [each for each in self.phases if each != self.owner]),
        )
        return None

    def _chain(self, expr: ast.Expr) -> str | None:
        """A chain whose cells ask alike, each for itself."""
        name = unparse(expr)
        cells = self.subject.chain(name)
        if len(cells) < 2:
            if self.subject.part(self.reporter, expr) is not None:
                self.reporter.report(
                    codes.CONTRADICTION,
                    f"the cells of `{name}` have no questions of their own",
                    expr.span,
                    "nothing to carry along",
                    help="write `each` before the cells of the chain",
                )
            return None
        first, *rest = cells.items()
        for place, candidates in rest:
            if candidates != first[1]:
                self.reporter.report(
                    codes.CONTRADICTION,
                    f"`{place}` asks otherwise than `{first[0]}`",
                    expr.span,
                    "answers are carried between equal questions",
                    help="give the cells of the chain the same edges and ops",
                )
                return None
        return name
