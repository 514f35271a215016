"""Settings of a search that stand in one line: levels, split, widths, guide, freeze, fixed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, listed
from archdsl.sema.settings.forms import Form, Read, form_of, one_of
from archdsl.sema.settings.subject import Subject
from archdsl.sema.settings.values import fraction, number, whole, word
from archdsl.settings.searches import (
    Fixed,
    Freeze,
    GcnGuide,
    GroupSplit,
    Levels,
    OneLevel,
    Order,
    RandomSplit,
    ReasoningGraph,
    Sandwich,
    Split,
    TwoLevels,
)
from archdsl.space import QuestionKind
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell

levels: Read[Levels] = one_of(
    "number of levels",
    {
        "one": lambda form: OneLevel(),
        "two": lambda form: TwoLevels(form.take("order", word(Order, "order"), Order.FIRST)),
    },
)


def _random(form: Form) -> RandomSplit:
    first = form.need("weights", fraction(), Fraction(1, 2))
    second = form.need("answers", fraction(), Fraction(1, 2))
    if not form.wrong and not (first > 0 and second > 0 and first + second <= 1):
        form.wrong = True
        form.reporter.report(
            codes.OUT_OF_RANGE,
            f"shares of {first} and {second} do not part the images",
            form.expr.span,
            "both above 0, together at most 1",
        )
    return RandomSplit(first, second)


split: Read[Split] = one_of(
    "split",
    {
        "random": _random,
        "groups": lambda form: GroupSplit(form.need("weights", whole(), 1), form.need("answers", whole(), 1)),
    },
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Reads what names parts of one subject."""

    subject: Subject

    def widths(self, reporter: Reporter, expr: ast.Expr) -> Sandwich | None:
        if QuestionKind.WIDTH not in self.subject.kinds_of_all:
            reporter.report(
                codes.NOT_IN_SPACE, f"`{self.subject.program.name}` asks for no width", expr.span, "nothing to sample"
            )
            return None
        return one_of("way to train widths", {"sandwich": _sandwich})(reporter, expr)

    def guide(self, reporter: Reporter, expr: ast.Expr) -> GcnGuide | None:
        return one_of("guide", {"gcn": self._gcn})(reporter, expr)

    def _gcn(self, form: Form) -> GcnGuide:
        along = form.need("along", self._chain, "")
        layers, dim = form.take("layers", whole(1, 100), 1), form.take("dim", whole(1, 100_000), 64)
        gamma = form.take("gamma", number(0), 0.5)
        graph = form.take("graph", word(ReasoningGraph, "reasoning graph"), ReasoningGraph.EDGE_SIMILARITY)
        return GcnGuide(along, layers, dim, gamma, graph)

    def _chain(self, reporter: Reporter, expr: ast.Expr) -> str | None:
        """A chain whose cells ask alike, each for itself."""
        name = spell(expr)
        cells = self.subject.chain(name)
        if len(cells) < 2:
            if self.subject.part(reporter, expr) is not None:
                reporter.report(
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
                reporter.report(
                    codes.CONTRADICTION,
                    f"`{place}` asks otherwise than `{first[0]}`",
                    expr.span,
                    "answers are carried between equal questions",
                    help="give the cells of the chain the same edges and ops",
                )
                return None
        return name

    def freeze(self, reporter: Reporter, expr: ast.Expr) -> Freeze | None:
        """`exit(until = 50)`."""
        form = form_of(reporter, expr)
        kind = self._kind_of(reporter, form, expr)
        if form is None or kind is None:
            return None
        until = form.need("until", whole(), 1)
        form.finish()
        return None if form.wrong else Freeze(kind, until)

    def fixed(self, reporter: Reporter, expr: ast.Expr) -> Fixed | None:
        """`width(12)`."""
        form = form_of(reporter, expr)
        kind = self._kind_of(reporter, form, expr)
        if form is None or kind is None:
            return None
        given = form.rest()
        form.finish()
        if form.wrong or len(given) != 1:
            if not form.wrong:
                reporter.report(
                    codes.NOT_A_VALUE,
                    f"`{spell(expr)}` names no answer",
                    expr.span,
                    "one answer is needed",
                    help=f"write `{kind}(…)`",
                )
            return None
        answer = spell(given[0])
        questions = [each for each in self.subject.program.questions.values() if each.kind is kind]
        without = [each for each in questions if answer not in each.answers]
        if without:
            reporter.report(
                codes.NOT_IN_SPACE,
                f"`{answer}` is no answer to `{without[0].path}`",
                given[0].span,
                "not among its candidates",
                help=f"it has {listed(list(without[0].answers))}",
            )
            return None
        return Fixed(kind, answer)

    def _kind_of(self, reporter: Reporter, form: Form | None, expr: ast.Expr) -> QuestionKind | None:
        if form is None or not isinstance(expr, ast.Call):
            reporter.report(
                codes.NOT_A_VALUE,
                f"`{spell(expr)}` says too little",
                expr.span,
                "a kind of question and a value",
                help="write it as `width(12)` or `exit(until = 50)`",
            )
            return None
        return self.subject.kind(reporter, ast.Path(expr.target.span, expr.target.head))


def _sandwich(form: Form) -> Sandwich:
    given = {spell(expr): expr for expr in form.positional}
    taken = {word: bool(given.pop(word, None)) for word in ("smallest", "largest", "sampled")}
    form.positional = list(given.values())
    form.known += list(taken)
    random = form.take("random", whole(0, 1000), 0)
    if not any(taken.values()) and not random and not form.positional and not form.named:
        form.wrong = True
        form.reporter.report(
            codes.NOT_A_VALUE,
            "`sandwich` names no width",
            form.expr.span,
            "nothing to train",
            help="write `sandwich(smallest, largest, sampled)`",
        )
    return Sandwich(taken["smallest"], taken["largest"], taken["sampled"], random)
