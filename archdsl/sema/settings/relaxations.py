"""Relaxations and derivations: `relax = softmax(operator), gumbel_hard(width)`, `derive = argmax, keep(by = …)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, listed
from archdsl.sema.settings.forms import Form, Make, one_of, values_of
from archdsl.sema.settings.schedules import temperature
from archdsl.sema.settings.subject import Subject
from archdsl.sema.settings.values import word
from archdsl.settings.relaxations import (
    RELAXED,
    Argmax,
    Derivation,
    Drop,
    Joint,
    KeepBy,
    KeepStrongest,
    Method,
    Relaxation,
)
from archdsl.settings.schedules import Constant
from archdsl.space import QuestionKind
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell

_DERIVED = (QuestionKind.OPERATOR, QuestionKind.SOURCE, QuestionKind.EXIT, QuestionKind.WIDTH)


@dataclass(frozen=True, slots=True)
class Relaxations:
    """Reads `relax` for one subject: in the end every kind of question that is mixed has one relaxation."""

    subject: Subject
    fixed: Sequence[QuestionKind] = ()

    def read(self, reporter: Reporter, expr: ast.Expr) -> tuple[Relaxation, ...] | None:
        read = one_of("relaxation", {str(method): self._of(method) for method in Method})
        parts = [(read(reporter, part), part) for part in values_of(expr)]
        known = [(each, part) for each, part in parts if each is not None]
        if len(known) < len(parts):
            return None
        open_kinds = [kind for kind in self.subject.kinds if kind in RELAXED and kind not in self.fixed]
        named = _shared(reporter, [(each.kinds, part) for each, part in known], open_kinds, "relaxed")
        if named is None:
            return None
        return tuple(
            Relaxation(each.method, here, each.temperature, each.also_none)
            for (each, _), kinds in zip(known, named, strict=True)
            if (here := tuple(kind for kind in kinds if kind in open_kinds))
        )

    def _of(self, method: Method) -> Make[Relaxation]:
        def make(form: Form) -> Relaxation:
            kinds = _kinds(form, self.subject, RELAXED, "it is decided when answers are derived")
            also = form.take("also", _none, False)
            return Relaxation(method, kinds, form.take("temperature", temperature, Constant(1.0)), also)

        return make


@dataclass(frozen=True, slots=True)
class Derivations:
    """Reads `derive` for one subject."""

    subject: Subject
    guided: bool
    fixed: Sequence[QuestionKind] = ()

    def read(self, reporter: Reporter, expr: ast.Expr) -> tuple[Derivation, ...] | None:
        makers: dict[str, Make[Derivation]] = {
            "argmax": self._argmax,
            "joint": self._joint,
            "keep": lambda form: KeepStrongest(form.need("by", word(KeepBy, "strength"), KeepBy.MAX_PROBABILITY)),
            "drop": self._drop,
        }
        read = one_of("way to derive answers", makers)
        parts = [(read(reporter, part), part) for part in values_of(expr)]
        known = [(each, part) for each, part in parts if each is not None]
        if len(known) < len(parts):
            return None
        if not self._keeps(reporter, known):
            return None
        return self._complete(reporter, known)

    def _complete(self, reporter: Reporter, known: list[tuple[Derivation, ast.Expr]]) -> tuple[Derivation, ...] | None:
        """With every kind of answer taken by one rule."""
        open_kinds = [kind for kind in self.subject.kinds if kind in _DERIVED and kind not in self.fixed]
        rules = [(each, part) for each, part in known if isinstance(each, Argmax | Joint)]
        named = _shared(reporter, [(each.kinds, part) for each, part in rules], open_kinds, "derived")
        if named is None:
            return None
        kinds_of = {id(each): kinds for (each, _), kinds in zip(rules, named, strict=True)}
        found: list[Derivation] = []
        for each, _ in known:
            here = tuple(kind for kind in kinds_of.get(id(each), ()) if kind in open_kinds)
            match each:
                case Argmax(_, guided, except_none):
                    found += [Argmax(here, guided, except_none)] if here else []
                case Joint():
                    found += [Joint(here)] if here else []
                case _:
                    found.append(each)
        if QuestionKind.KEEP in self.subject.kinds and not any(isinstance(each, KeepStrongest) for each in found):
            found.append(KeepStrongest(KeepBy.MAX_PROBABILITY))
        return tuple(found)

    def _keeps(self, reporter: Reporter, known: list[tuple[Derivation, ast.Expr]]) -> bool:
        """Whether `keep` stands only where a space leaves inputs out."""
        for each, part in known:
            if isinstance(each, KeepStrongest) and QuestionKind.KEEP not in self.subject.kinds_of_all:
                reporter.report(
                    codes.NOT_IN_SPACE,
                    f"`{self.subject.program.name}` keeps every input",
                    part.span,
                    "nothing to choose from",
                    help="take it out, or write `keep = 2` in the sum of a cell",
                )
                return False
        return True

    def _argmax(self, form: Form) -> Argmax:
        guided = self._takes_guided(form)
        kinds = _kinds(form, self.subject, _DERIVED, "write `keep(by = max_probability)` or `pick = …`")
        return Argmax(kinds, guided, form.take("except", _none, False))

    def _takes_guided(self, form: Form) -> bool:
        for expr in form.positional:
            if spell(expr) == "guided":
                form.positional.remove(expr)
                if not self.guided:
                    form.wrong = True
                    form.reporter.report(
                        codes.CONTRADICTION,
                        "nothing guides the answers",
                        expr.span,
                        "logits as a guide leaves them",
                        help="write `guide = gcn(along = …)`, or `argmax` alone",
                    )
                return True
        return False

    def _joint(self, form: Form) -> Joint:
        return Joint(_kinds(form, self.subject, (QuestionKind.SOURCE,), "a path is made of sources"))

    def _drop(self, form: Form) -> Drop:
        return Drop(form.need("op", self.subject.operator, "", first=True))


def _none(reporter: Reporter, expr: ast.Expr) -> bool | None:
    if spell(expr) == "none":
        return True
    reporter.report(codes.UNKNOWN_WORD, f"`{spell(expr)}` cannot stand here", expr.span, "`none` is the only answer")
    return None


def _kinds(form: Form, subject: Subject, allowed: Sequence[QuestionKind], why: str) -> tuple[QuestionKind, ...]:
    """The kinds that a call names without names of parameters."""
    found: list[QuestionKind] = []
    for expr in form.rest():
        kind = subject.kind(form.reporter, expr)
        if kind is None:
            form.wrong = True
        elif kind not in allowed:
            form.wrong = True
            form.reporter.report(codes.CONTRADICTION, f"`{kind}` cannot stand in `{form.name}`", expr.span, why)
        else:
            found.append(kind)
    return tuple(found)


def _shared(
    reporter: Reporter,
    rules: Sequence[tuple[tuple[QuestionKind, ...], ast.Expr]],
    open_kinds: Sequence[QuestionKind],
    done: str,
) -> list[tuple[QuestionKind, ...]] | None:
    """The kinds of each rule; one that names none has those that no other names. None where one is left or twice."""
    owners: dict[QuestionKind, ast.Expr] = {}
    for kinds, part in rules:
        for kind in kinds:
            if kind in owners:
                reporter.report(
                    codes.RULE_FOR_KIND,
                    f"`{kind}` is {done} twice",
                    part.span,
                    "again here",
                    also=(Mark(owners[kind].span, "first here"),),
                    help="name it in one of them",
                )
                return None
            owners[kind] = part
    rest = tuple(kind for kind in open_kinds if kind not in owners)
    without = [part for kinds, part in rules if not kinds]
    if len(without) > 1:
        reporter.report(
            codes.RULE_FOR_KIND,
            "two of these are for all other questions",
            without[1].span,
            "again here",
            also=(Mark(without[0].span, "first here"),),
            help="name kinds of questions in one of them",
        )
        return None
    if rest and not without and rules:
        reporter.report(
            codes.RULE_FOR_KIND,
            f"nothing says how {listed([str(kind) for kind in rest])} is {done}",
            rules[-1][1].span,
            "not among these",
            help=f"write `{spell(rules[-1][1]).split('(')[0]}({', '.join([str(k) for k in (*rules[-1][0], *rest)])})`",
        )
        return None
    return [kinds or rest for kinds, _ in rules]
