"""`choose`: a question with a name."""

from __future__ import annotations

from fractions import Fraction

from archdsl.ops import Dim
from archdsl.ops.dims import variable
from archdsl.sema import codes
from archdsl.sema.elaborate import call_expr, edge_choice
from archdsl.sema.elaborate.select import mix
from archdsl.sema.elaborate.values import (
    POISON,
    Callee,
    Candidate,
    Choice,
    Environment,
    Evaluator,
    Map,
    Poison,
    Value,
    describe,
)
from archdsl.space import Asked, Chosen, Label, Question, QuestionKind
from archdsl.syntax import ast


def choose(ev: Evaluator, statement: ast.Choose, env: Environment) -> Value:
    """What the name of a `choose` stands for.

    Ops become a choice between them, numbers a number that the answer decides, maps a mix. A set with one item asks
    nothing.
    """
    return ask(ev, statement, list(ev.candidates(statement.domain, env)), env)


def ask(ev: Evaluator, statement: ast.Choose, candidates: list[Candidate], env: Environment) -> Value:
    name = statement.name.text
    if any(isinstance(candidate.value, Poison) for candidate in candidates):
        return POISON
    if not candidates:
        return ev.poison(codes.EMPTY_SET, f"`{name}` has nothing to choose from", statement.domain.span, "an empty set")
    if len(candidates) == 1:
        return candidates[0].value
    path = env.question(name)
    per_branch = _per_branch(ev, statement)
    labels = edge_choice.spelled_once(ev, candidates, statement.domain.span)
    values = [candidate.value for candidate in candidates]
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        numbers = tuple(value for value in values if isinstance(value, int))
        ev.builder.ask(Question(path, QuestionKind.WIDTH, labels, per_branch, span=statement.span))
        return variable(Chosen(path, numbers))
    if all(isinstance(value, Callee) for value in values):
        ev.builder.ask(Question(path, QuestionKind.OPERATOR, labels, per_branch, span=statement.span))
        return Choice(path, tuple((candidate.spelled, candidate.value) for candidate in candidates))
    if all(isinstance(value, Map) for value in values):
        sources = [Candidate(each.source, each.value) for each in candidates]
        labels = edge_choice.spelled_once(ev, sources, statement.domain.span)
        ev.builder.ask(Question(path, QuestionKind.SOURCE, labels, per_branch, span=statement.span))
        options: list[tuple[Label, Value]] = [(candidate.source, candidate.value) for candidate in candidates]
        return mix(ev, Asked(path), options, env, name, statement.span, f"`{path}`")
    if isinstance(statement.domain, ast.Set) and any(isinstance(value, Callee) for value in values):
        for item in statement.domain.items:
            if (hidden := call_expr.hidden_op(ev, item, env)) is not None:
                return hidden
    kinds = " and ".join(dict.fromkeys(map(_kind, values)))
    return ev.poison(
        codes.WRONG_KIND,
        f"`{name}` chooses between {kinds}",
        statement.domain.span,
        "in this set",
        help="a set to choose from holds ops, or maps, or whole numbers",
    )


def _kind(value: Value) -> str:
    match value:
        case Fraction():
            return "a number that is not whole"
        case Dim():
            return "a number that answers decide"
        case _:
            return describe(value)


def _per_branch(ev: Evaluator, statement: ast.Choose) -> bool:
    if statement.per is None:
        return False
    if statement.per.text != "branch":
        ev.poison(
            codes.OUT_OF_PLACE,
            f"`per {statement.per.text}` is not known",
            statement.per.span,
            "here",
            help="an answer can be given for each branch: `per branch`",
        )
    return True
