"""Calls as a text writes them: at the head of an expression, and as the steps of a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.diagnostics import Label as Mark
from archdsl.ops import Dim, Primitive
from archdsl.sema import codes
from archdsl.sema.elaborate import built_in, calls, edge_choice
from archdsl.sema.elaborate.arguments import port_values
from archdsl.sema.elaborate.values import (
    Callee,
    Candidate,
    Choice,
    Environment,
    Evaluator,
    Many,
    Method,
    Nothing,
    Poison,
    Size,
    Value,
    describe,
)
from archdsl.sema.modules.load import Definition, Unit
from archdsl.syntax import ast
from archdsl.syntax.tree import walk
from archdsl.text import Span


def pipe(ev: Evaluator, head: ast.Expr, steps: Sequence[ast.Expr], env: Environment) -> Value:
    """`head -> step -> step`; a set on the left distributes."""
    value = _carried(ev, ev.value(head, env), head)
    if isinstance(value, Many) and steps:
        parts = [Candidate(item.source, _steps(ev, item.value, item.source, steps, env)) for item in value.items]
        return Many(tuple(part for part in parts if not isinstance(part.value, Nothing)))
    return _steps(ev, value, ev.spelled(head, env), steps, env)


def _carried(ev: Evaluator, value: Value, head: ast.Expr) -> Value:
    """What a pipe begins with, where that is no number and the like."""
    for each in (item.value for item in value.items) if isinstance(value, Many) else (value,):
        if isinstance(each, int | Fraction | Dim | str | Size):
            return ev.poison(
                codes.WRONG_KIND, f"a pipe begins with a map, not with {describe(each)}", head.span, "a map is needed"
            )
    return value


def _steps(ev: Evaluator, value: Value, source: str, steps: Sequence[ast.Expr], env: Environment) -> Value:
    """The steps of one edge; the stride of a cell goes to the first where the edge leaves a port (`rule-ports`)."""
    stride = env.stride if source in env.ports else 1
    for step in steps:
        value = step_on(ev, value, step, env, source=source, stride=stride)
        stride = 1
    return value


def step_on(
    ev: Evaluator, value: Value, step: ast.Expr, env: Environment, *, source: str = "", stride: int = 1
) -> Value:
    """A map carried through one op: `x -> conv3x3(c)`, `x -> {conv3x3, identity}`."""
    value = ev.settle(value)
    if isinstance(value, Poison | Nothing):
        return value
    callee, arguments = _callee(ev, step, env)
    for called in step.items if isinstance(step, ast.Set) else (step,):
        if (hidden := hidden_op(ev, called, env)) is not None:
            return hidden
    if isinstance(callee, Many):
        return edge_choice.choose(ev, value, callee, step, arguments, env, source, stride)
    return calls.call(ev, callee, [value], arguments, env, step.span, stride=stride)


def hidden_op(ev: Evaluator, called: ast.Expr, env: Environment) -> Value | None:
    """Reported where a name of the body hides the op that is called; None where the name is called rightly."""
    target = called.target if isinstance(called, ast.Call) else called
    if not isinstance(target, ast.Path) or target.parts or target.head.text not in env.names:
        return None
    found = env.unit.find_path(target)
    value = ev.settle(env.names[target.head.text])
    first = value.options[0][1] if isinstance(value, Choice) else value
    if found is None or isinstance(first, Callee | Many | Method | Poison | Nothing):
        return None
    name = target.head.text
    defined = _definition(target.head, env.unit)
    return ev.poison(
        codes.WRONG_KIND,
        f"`{name}` is {describe(first)} here, and cannot be called",
        target.span,
        f"hides the {_kind(found.item)} `{name}`",
        also=(Mark(defined, f"`{name}` is defined here"),) if defined is not None else (),
        help=f"rename `{name}` in this body",
    )


def _definition(name: ast.Name, unit: Unit) -> Span | None:
    """Where the body in which a name is read defines it; None for a name within a run (`x1..x3`)."""
    bodies = (item for item in unit.items.values() if item.span.start <= name.span.start < item.span.stop)
    for node in (each for body in bodies for each in walk(body)):
        match node:
            case ast.Parameter(name=defined) | ast.Port(name=defined) | ast.Choose(name=defined):
                names = (defined,)
            case ast.Output(name=ast.Name() as defined):
                names = (defined,)
            case ast.Target(path=ast.Path(head=defined, parts=())):
                names = (defined,)
            case ast.Branches(names=names):
                pass
            case _:
                continue
        for each in names:
            if each.text == name.text and each.span.start < name.span.start:
                return each.span
    return None


def _kind(item: Definition | Primitive) -> str:
    match item:
        case Primitive():
            return "primitive"
        case ast.Cell():
            return "cell"
        case ast.Ops():
            return "set"
        case _:
            return "op"


def _callee(ev: Evaluator, step: ast.Expr, env: Environment) -> tuple[Value, Sequence[ast.Argument]]:
    if isinstance(step, ast.Call):
        return ev.path(step.target, env), step.arguments
    return ev.value(step, env), ()


def at_head(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """A call at the head of an expression: positional arguments are maps, named ones parameters."""
    name = expr.target.head.text
    if not expr.target.parts and name not in env.names and name in built_in.FUNCTIONS:
        return built_in.FUNCTIONS[name](ev, expr, env)
    callee = ev.path(expr.target, env)
    if (hidden := hidden_op(ev, expr, env)) is not None:
        return hidden
    ports: list[Value] = []
    named: list[ast.Argument] = []
    for argument in expr.arguments:
        if argument.name is not None:
            named.append(argument)
            continue
        ports.extend(port_values(ev, argument, env))
    return calls.call(ev, callee, ports, named, env, expr.span)
