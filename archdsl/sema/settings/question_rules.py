"""Which questions each relaxation and each derivation is for: in the end every kind has one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, listed
from archdsl.sema.settings.calls import values_of
from archdsl.sema.settings.subject import Subject
from archdsl.settings.relaxations import (
    RELAXED,
    Argmax,
    Combined,
    Derivation,
    Dirichlet,
    Drop,
    Joint,
    KeepBy,
    KeepStrongest,
    Mixing,
    PartialChannels,
    Perturbation,
    Relaxation,
    WithoutLogits,
    runs_one,
)
from archdsl.space import QuestionKind
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse


@dataclass(frozen=True, slots=True)
class QuestionRules:
    """Assigns kinds of questions to the rules of one phase."""

    subject: Subject
    reporter: Reporter
    fixed: Sequence[QuestionKind]
    guided: bool
    """Whether a guide changes the logits of answers."""

    @property
    def open_kinds(self) -> tuple[QuestionKind, ...]:
        """The kinds that are searched here by mixing their answers."""
        return tuple(kind for kind in self.subject.kinds if kind in RELAXED and kind not in self.fixed)

    def learned_kinds(self, relaxed: Sequence[Mixing | Combined]) -> tuple[QuestionKind, ...]:
        """Those of them that have logits, from which answers can be derived."""
        without = {kind for each in relaxed if isinstance(each, WithoutLogits) for kind in each.kinds}
        return tuple(kind for kind in self.open_kinds if kind not in without)

    def relaxations(self, found: Sequence[Mixing | Combined], expr: ast.Expr) -> tuple[Mixing | Combined, ...] | None:
        """Each with the kinds that it is for here; None where that has been reported to be wrong."""
        parts = list(zip(found, values_of(expr), strict=True))
        mixing = [(each, part) for each, part in parts if isinstance(each, Mixing)]
        if not mixing:
            return self._contradiction(
                "nothing says how answers are mixed",
                expr,
                "combines with a relaxation",
                f"write `softmax, {unparse(expr)}`",
            )
        named = self._assign([(each.kinds, part) for each, part in mixing], "relaxed", self.open_kinds)
        if named is None:
            return None
        assigned = [
            (replace(each, kinds=kinds), part) for (each, part), kinds in zip(mixing, named, strict=True) if kinds
        ]
        beside = [(each, part) for each, part in parts if not isinstance(each, Mixing)]
        fits = [self._can_be_none(each, part) for each, part in assigned]
        fits.append(self._fit_beside(beside, [each for each, _ in assigned]))
        if not all(fits):
            return None
        return (*(each for each, _ in assigned), *(each for each, _ in beside if self._has_use(each)))

    def _can_be_none(self, rule: Mixing, part: ast.Expr) -> bool:
        if isinstance(rule, WithoutLogits) or not rule.also_none or QuestionKind.WIDTH not in rule.kinds:
            return True
        help = f"name the other kinds in `{_word(part)}(…, also = none)`, and relax `width` by itself"
        self._contradiction("a width cannot be `none`", part, "a map has channels", help)
        return False

    def _fit_beside(self, beside: Sequence[tuple[Combined, ast.Expr]], mixing: Sequence[Mixing]) -> bool:
        """Whether what stands beside the relaxations goes with them."""
        seen: dict[type, ast.Expr] = {}
        for each, part in beside:
            if type(each) in seen:
                self._twice(f"`{_word(part)}` stands twice", part, seen[type(each)], "take one of them out")
                return False
            seen[type(each)] = part
        fits = [self._fits_beside(each, part, mixing) for each, part in beside]
        return all(fits)

    def _fits_beside(self, rule: Combined, part: ast.Expr, mixing: Sequence[Mixing]) -> bool:
        kinds = self.subject.kinds_of_all
        name = self.subject.program.name
        match rule:
            case PartialChannels() if QuestionKind.OPERATOR not in kinds:
                message, here = f"`{name}` asks for no `operator`", "no mixed op"
                self.reporter.report(codes.NOT_IN_SPACE, message, part.span, here)
                return False
            case PartialChannels(_, edge_normalisation=True) if QuestionKind.KEEP not in kinds:
                message, here, help = (
                    f"`{name}` keeps every input",
                    "no edges to weigh",
                    "take `edge_normalisation` out",
                )
                self.reporter.report(codes.NOT_IN_SPACE, message, part.span, here, help=help)
                return False
            case PartialChannels():
                one = next((each for each in mixing if QuestionKind.OPERATOR in each.kinds and runs_one(each)), None)
                if one is not None:
                    here, help = f"`{one.method}` runs one op", "write `softmax(operator)`, or take it out"
                    self._contradiction("ops are not mixed", part, here, help)
                return one is None
            case Perturbation():
                if not any(_is_soft(each) for each in mixing):
                    help = "write `softmax`, `gumbel` or `dirichlet` for some kind of question, or take it out"
                    self._contradiction("no answers are mixed by logits", part, "nothing to perturb", help)
                    return False
                return True

    def _has_use(self, rule: Combined) -> bool:
        """Whether a phase has what the rule is about."""
        match rule:
            case PartialChannels():
                return QuestionKind.OPERATOR in self.open_kinds
            case Perturbation():
                return True

    def _contradiction(self, message: str, expr: ast.Expr, here: str, help: str) -> None:
        self.reporter.report(codes.CONTRADICTION, message, expr.span, here, help=help)

    def derivations(
        self,
        found: Sequence[Derivation],
        expr: ast.Expr,
        relaxed: Sequence[Mixing | Combined],
        without_logits: ast.Expr | None,
    ) -> tuple[Derivation, ...] | None:
        """Each with the kinds that it is for here, and one for the inputs that stay; None as above.

        Kinds that are relaxed without logits are derived from nothing: their questions stay open. `without_logits` is
        the relaxation of the same block, in which a rule for such a kind is a mistake.
        """
        parts = list(zip(found, values_of(expr), strict=True))
        if not all(self._fits(each, part) for each, part in parts):
            return None
        learned = self.learned_kinds(relaxed)
        if without_logits and not all(self._has_logits(each, part, learned, without_logits) for each, part in parts):
            return None
        rules = [(each, part) for each, part in parts if isinstance(each, Argmax | Joint)]
        named = self._assign([(each.kinds, part) for each, part in rules], "derived", learned)
        if named is None:
            return None
        assigned = iter(named)
        made = [replace(each, kinds=next(assigned)) if isinstance(each, Argmax | Joint) else each for each in found]
        kept = [each for each in made if self._derives(each, learned)]
        return (*kept, *self._strongest(kept, learned))

    def plain_derivations(self, relaxed: Sequence[Mixing | Combined]) -> tuple[Derivation, ...]:
        """Where a text has no `derive`: the most probable answer, the strongest inputs."""
        none = any(isinstance(each, Relaxation | Dirichlet) and each.also_none for each in relaxed)
        learned = self.learned_kinds(relaxed)
        argmax = [Argmax(learned, self.guided, none)] if learned else []
        return (*argmax, *self._strongest([], learned))

    def _has_logits(
        self, rule: Derivation, part: ast.Expr, learned: Sequence[QuestionKind], relaxation: ast.Expr
    ) -> bool:
        """Whether there is something to derive answers from."""
        match rule:
            case Argmax(kinds) | Joint(kinds):
                open_ = [kind for kind in kinds or self.open_kinds if kind in self.open_kinds]
                missing = [kind for kind in open_ if kind not in learned]
                if not missing or (not kinds and learned):
                    return True
            case KeepStrongest() if not self._ranks_inputs(learned):
                missing = [QuestionKind.OPERATOR]
            case _:
                return True
        kinds = listed([str(kind) for kind in missing])
        self.reporter.report(
            codes.CONTRADICTION,
            f"{kinds} {'has' if len(missing) == 1 else 'have'} no logits",
            part.span,
            "nothing to derive answers from",
            also=(Mark(relaxation.span, "relaxed without logits here"),),
            help=f"relax {kinds} by logits (`softmax`, `gumbel_hard`), or take it out: its questions stay open",
        )
        return False

    def _derives(self, rule: Derivation, learned: Sequence[QuestionKind]) -> bool:
        """Whether a phase has what the rule is about."""
        match rule:
            case Argmax(kinds) | Joint(kinds):
                return bool(kinds)
            case KeepStrongest():
                return self._ranks_inputs(learned)
            case Drop():
                return True

    def _ranks_inputs(self, learned: Sequence[QuestionKind]) -> bool:
        """Whether the ops of inputs have probabilities, or none is searched here."""
        return QuestionKind.OPERATOR in learned or QuestionKind.OPERATOR not in self.open_kinds

    def _strongest(self, given: Sequence[Derivation], learned: Sequence[QuestionKind]) -> list[Derivation]:
        if QuestionKind.KEEP not in self.subject.kinds or any(isinstance(each, KeepStrongest) for each in given):
            return []
        return [KeepStrongest(KeepBy.MAX_PROBABILITY)] if self._ranks_inputs(learned) else []

    def _fits(self, rule: Derivation, expr: ast.Expr) -> bool:
        match rule:
            case KeepStrongest() if QuestionKind.KEEP not in self.subject.kinds_of_all:
                self.reporter.report(
                    codes.NOT_IN_SPACE,
                    f"`{self.subject.program.name}` keeps every input",
                    expr.span,
                    "nothing to choose from",
                    help="take it out, or write `keep = 2` in the sum of a cell",
                )
                return False
            case Argmax(guided=True) if not self.guided:
                given = expr.arguments if isinstance(expr, ast.Call) else ()
                self.reporter.report(
                    codes.CONTRADICTION,
                    "nothing guides the answers",
                    next(each.value.span for each in given if unparse(each.value) == "guided"),
                    "logits as a guide leaves them",
                    help="write `guide = gcn(along = …)`, or `argmax` alone",
                )
                return False
            case _:
                return True

    def _assign(
        self,
        rules: Sequence[tuple[tuple[QuestionKind, ...], ast.Expr]],
        done: str,
        wanted: Sequence[QuestionKind],
    ) -> list[tuple[QuestionKind, ...]] | None:
        """The wanted kinds of each rule; a rule that names none has those that no other names."""
        owners: dict[QuestionKind, ast.Expr] = {}
        for kinds, part in rules:
            for kind in kinds:
                if kind in owners:
                    return self._twice(f"`{kind}` is {done} twice", part, owners[kind], "name it in one of them")
                owners[kind] = part
        rest = tuple(kind for kind in wanted if kind not in owners)
        unnamed = [part for kinds, part in rules if not kinds]
        if len(unnamed) > 1:
            help = "name kinds of questions in one of them"
            return self._twice("two of these are for all other questions", unnamed[1], unnamed[0], help)
        if rest and not unnamed and rules:
            kinds, last = rules[-1]
            words = ", ".join(str(kind) for kind in (*kinds, *rest))
            self.reporter.report(
                codes.RULE_FOR_KIND,
                f"nothing says how {listed([str(kind) for kind in rest])} is {done}",
                last.span,
                "not among these",
                help=f"write `{_word(last)}({words})`",
            )
            return None
        return [tuple(kind for kind in kinds or rest if kind in wanted) for kinds, _ in rules]

    def _twice(self, message: str, again: ast.Expr, first: ast.Expr, help: str) -> None:
        self.reporter.report(
            codes.RULE_FOR_KIND, message, again.span, "again here", also=(Mark(first.span, "first here"),), help=help
        )


def _word(expr: ast.Expr) -> str:
    """What is called."""
    return unparse(expr).split("(")[0]


def _is_soft(rule: Mixing) -> bool:
    """Whether all answers are run, by weights that come from logits."""
    match rule:
        case Relaxation(method):
            return not method.hard
        case Dirichlet():
            return True
        case WithoutLogits():
            return False
