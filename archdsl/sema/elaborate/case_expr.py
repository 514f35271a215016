"""`case`: one of several graphs or numbers, by a fact."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from archdsl.ops import Count, Dim, bind
from archdsl.ops.dims import add, multiply, values, variable
from archdsl.sema import codes
from archdsl.sema.elaborate.values import (
    Choice,
    Environment,
    Evaluator,
    Holds,
    Many,
    Map,
    Nothing,
    Poison,
    Size,
    Value,
    WhileSearching,
    describe,
)
from archdsl.space import FrameKind, Label, Measured, Otherwise, Piecewise, QuestionPath, Searching, Within, holds
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

Pattern: TypeAlias = "Within | Otherwise | Value"


def evaluate(ev: Evaluator, case: ast.Case, env: Environment) -> Value:
    return _by(ev, case, ev.value(case.subject, env), env)


def _by(ev: Evaluator, case: ast.Case, subject: Value, env: Environment) -> Value:
    """The value of the arm that takes the subject."""
    match subject:
        case Poison() | Nothing():
            return subject
        case WhileSearching():
            return _searching(ev, case, env)
        case Choice(question, options):
            return _each(ev, case, question, options, env)
        case Dim():
            return _measured(ev, case, subject, env)
        case Holds(count):
            return _held(ev, case, count, env)
        case bool() | int() | Fraction() | str() | Size():
            arm = _arm(ev, case, subject, env)
            return ev.value(arm.value, env) if arm else _no_arm(ev, case, subject)
        case _:
            return ev.poison(
                codes.WRONG_KIND,
                "a case looks at a number, a size, a flag or a word, and "
                f"`{unparse(case.subject)}` is {describe(subject)}",
                case.subject.span,
                "no fact",
            )


def open_arms(ev: Evaluator, case: ast.Case, env: Environment) -> Sequence[ast.When]:
    """The arms that can be taken: one where the subject is known from the text, else all."""
    subject = ev.value(case.subject, env)
    if not isinstance(subject, bool | int | Fraction | str):
        return case.arms
    arm = _arm(ev, case, subject, env)
    return () if arm is None else (arm,)


def _arm(ev: Evaluator, case: ast.Case, fact: Value, env: Environment) -> ast.When | None:
    return next((arm for arm in case.arms if _takes(ev, arm, fact, env)), None)


def _takes(ev: Evaluator, arm: ast.When, fact: Value, env: Environment) -> bool:
    if arm.pattern is None:
        return True
    if isinstance(arm.pattern, ast.Range):
        bounds = _within(ev, arm.pattern, env)
        return bounds is not None and isinstance(fact, int) and holds(bounds, fact)
    pattern = ev.value(arm.pattern, env)
    if isinstance(pattern, Many):
        return any(item.value == fact for item in pattern.items)
    return pattern == fact and isinstance(pattern, bool) == isinstance(fact, bool)


def _within(ev: Evaluator, pattern: ast.Range, env: Environment) -> Within | None:
    low, high = ev.value(pattern.low, env), ev.value(pattern.high, env)
    if isinstance(low, int) and isinstance(high, int):
        return Within(low, high)
    if not isinstance(low, Poison) and not isinstance(high, Poison):
        ev.poison(codes.WRONG_KIND, "a range in a case ends at whole numbers", pattern.span, "here")
    return None


def _no_arm(ev: Evaluator, case: ast.Case, fact: Value) -> Value:
    shown = bind.show(fact.dims if isinstance(fact, Size) else fact)
    return ev.poison(
        codes.NO_ARM,
        f"no arm takes `{unparse(case.subject)}`, which is {shown} here",
        case.subject.span,
        f"{shown}",
        help=f"add `when {shown}: …` or `else: …`",
    )


def _searching(ev: Evaluator, case: ast.Case, env: Environment) -> Value:
    """Both graphs stay: the supernet computes one, the network the other."""
    found: list[tuple[Label, Value]] = []
    for answer in (True, False):
        arm = _arm(ev, case, answer, env)
        if arm is None:
            return _no_arm(ev, case, answer)
        label = "yes" if answer else "no"
        found.append((label, ev.value(arm.value, _arm_environment(env, "searching" if answer else "found"))))
    if found[0][1] == found[1][1] or any(isinstance(value, Poison) for _, value in found):
        return found[0][1]
    maps = [value for _, value in found if isinstance(value, Map)]
    if len(maps) < len(found):
        return ev.poison(codes.WRONG_KIND, "a case on `searching` picks between maps", case.span, "not a map")
    shapes = [ev.builder.shape(each.node) for each in maps]
    if shapes[0][1:] != shapes[1][1:]:
        return ev.poison(
            codes.RESOLUTIONS_DIFFER,
            f"the map is {shapes[0].height}x{shapes[0].width} while searching "
            f"and {shapes[1].height}x{shapes[1].width} in the network",
            case.span,
            "one resolution is needed",
        )
    labels: tuple[Label, ...] = tuple(label for label, _ in found)
    return Map(ev.builder.select(env.scope, "searching", Searching(), labels, tuple(m.node for m in maps), case.span))


def _each(
    ev: Evaluator, case: ast.Case, question: QuestionPath, options: tuple[tuple[str, Value], ...], env: Environment
) -> Value:
    """The fact depends on an answer: each arm is laid out under the answers that take it."""
    found: list[tuple[str, Value]] = []
    for label, fact in options:
        under = _arm_environment(env, f"when_{label}")
        value = ev.assuming(question, label, _by, ev, case, fact, under)
        if isinstance(value, Poison):
            return value
        found.append((label, value))
    return ev.join(question, found, env, "case", case.span)


def _arm_environment(env: Environment, name: str) -> Environment:
    return env.under(env.scope.child(FrameKind.LINE, name))


def _measured(ev: Evaluator, case: ast.Case, subject: Dim, env: Environment) -> Value:
    """The fact is a channel count that answers decide: the arms that it can reach stay, as ranges of it."""
    numbers = values(subject)
    reached: list[tuple[Label, ast.When]] = []
    left = set(numbers) if numbers is not None else None
    base: Count = subject
    for arm in case.arms:
        label = _label(ev, arm, env, base)
        if isinstance(label, _Same):
            if label.always:
                reached.append((Otherwise(), arm))
                break
            if reached:
                return _second(ev, arm)
            base, left = label.difference, None
            reached.append((Within(0, 0), arm))
            continue
        if label is None:
            continue
        if base is not subject and not isinstance(label, Otherwise):
            return _second(ev, arm)
        if left is not None:
            taken = {number for number in left if isinstance(number, int) and holds(label, number)}
            left -= taken
            if taken:
                reached.append((label, arm))
            if not left:
                reached[-1] = (Otherwise(), reached[-1][1])
                break
        else:
            reached.append((label, arm))
        if isinstance(label, Otherwise):
            break
    if not reached or not isinstance(reached[-1][0], Otherwise):
        return _no_arm(ev, case, min((n for n in left or () if isinstance(n, int)), default=unparse(case.subject)))
    if len(reached) == 1:
        return ev.value(reached[0][1].value, env)
    return _pick(ev, case, base, reached, env)


def _held(ev: Evaluator, case: ast.Case, count: Dim, env: Environment) -> Value:
    """The fact is a comparison that answers decide."""
    reached: list[tuple[Label, ast.When]] = []
    for label, fact in ((Within(1, 1), True), (Otherwise(), False)):
        arm = _arm(ev, case, fact, env)
        if arm is None:
            return _no_arm(ev, case, fact)
        reached.append((label, arm))
    return _pick(ev, case, count, reached, env)


def _second(ev: Evaluator, arm: ast.When) -> Value:
    return ev.poison(
        codes.WRONG_KIND,
        "beside an arm that compares with a number that answers decide there can only be `else`",
        arm.span,
        "one arm too many",
    )


class _Same:
    """An arm that takes the case where two counts are equal."""

    def __init__(self, difference: Count) -> None:
        self.difference = difference
        self.always = difference == 0


def _label(ev: Evaluator, arm: ast.When, env: Environment, subject: Count) -> Label | _Same | None:
    if arm.pattern is None:
        return Otherwise()
    if isinstance(arm.pattern, ast.Range):
        return _within(ev, arm.pattern, env)
    pattern = ev.value(arm.pattern, env)
    match pattern:
        case bool():
            return None
        case int():
            return Within(pattern, pattern)
        case Dim():
            return _Same(add(subject, multiply(pattern, -1)))
        case _:
            return None


def _pick(
    ev: Evaluator, case: ast.Case, subject: Count, reached: list[tuple[Label, ast.When]], env: Environment
) -> Value:
    found: list[tuple[Label, Value]] = []
    for index, (label, arm) in enumerate(reached, start=1):
        value = ev.value(arm.value, _arm_environment(env, f"arm_{index}"))
        if isinstance(value, Poison):
            return value
        found.append((label, value))
    counts = [(label, value) for label, value in found if isinstance(value, int | Dim) and not isinstance(value, bool)]
    if len(counts) == len(found):
        return variable(Piecewise(subject, tuple(counts)))
    maps = [value for _, value in found if isinstance(value, Map)]
    if len(maps) == len(found) and len({ev.builder.shape(each.node)[1:] for each in maps}) == 1:
        labels = tuple(label for label, _ in found)
        nodes = tuple(each.node for each in maps)
        return Map(ev.builder.select(env.scope, "case", Measured(subject), labels, nodes, case.span))
    kinds = " and ".join(dict.fromkeys(describe(value) for _, value in found))
    return ev.poison(
        codes.WRONG_KIND, f"the arms give {kinds}; all must give numbers, or maps of one resolution", case.span, "here"
    )
