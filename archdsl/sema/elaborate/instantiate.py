"""Ops and cells put on maps: parameters and ports bound, and what their bodies give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from archdsl.ops import Primitive
from archdsl.sema import codes
from archdsl.sema.elaborate import call_expr, sharing
from archdsl.sema.elaborate.arguments import bind_arguments
from archdsl.sema.elaborate.builder import Scope
from archdsl.sema.elaborate.values import POISON, BranchEnd, Callee, Environment, Evaluator, Outputs, Poison, Value
from archdsl.space import FrameKind, QuestionScope, Step
from archdsl.syntax import ast
from archdsl.text import Span


def run(
    ev: Evaluator, callee: Callee, ports: list[Value], given: Mapping[str, Value], env: Environment, span: Span
) -> Value:
    """An op or a cell put on maps where its call stands."""
    definition = callee.definition
    assert not isinstance(definition, Primitive)
    parameters = _parameters(ev, callee, definition.parameters, given, env, span)
    if parameters is None:
        return POISON
    if isinstance(definition, ast.Cell):
        branch = next((port.name for port in ports if isinstance(port, BranchEnd)), "")
        scope = env.scope.child(FrameKind.CELL, callee.name, callee.name, branch=branch)
        return cell(ev, callee, definition, ports, parameters, scope, (Step(callee.name),), span)
    return _op(ev, callee, definition, ports, parameters, env, span)


def _op(
    ev: Evaluator,
    callee: Callee,
    op: ast.Op,
    ports: list[Value],
    parameters: dict[str, Value],
    env: Environment,
    span: Span,
) -> Value:
    # An op that only names another one with some parameters is no step of a path of its own.
    inside = env.scope if env.alias else env.scope.child(FrameKind.OP, callee.spelled, callee.name)
    names = dict(parameters)
    alias = len(op.pipe) == 1 and _is_op(callee, op.pipe[0])
    inner = Environment(callee.unit, inside, names, parameters, env.asking, env.line, alias=alias, home=inside.home)
    if op.pipe:
        if len(ports) != 1:
            return _wrong_ports(ev, callee, 1, len(ports), span)
        value = ports[0]
        for step in op.pipe:
            value = call_expr.step_on(ev, value, step, inner)
        return value
    if not _bind_ports(ev, callee, op.body, ports, inner, span):
        return POISON
    return single(ev.body(op.body, inner), callee.name)


def _is_op(callee: Callee, step: ast.Expr) -> bool:
    target = step.target if isinstance(step, ast.Call) else step
    found = callee.unit.find_path(target) if isinstance(target, ast.Path) else None
    if isinstance(step, ast.Call) and any(isinstance(argument.value, ast.Tag) for argument in step.arguments):
        return False
    return found is not None and isinstance(found.item, ast.Op)


def cell(
    ev: Evaluator,
    callee: Callee,
    definition: ast.Cell,
    ports: list[Value],
    parameters: dict[str, Value],
    scope: Scope,
    asking: QuestionScope,
    span: Span,
) -> Value:
    """An instance of a cell. Its questions are asked under `asking`; instances that say the same share them."""
    stride = definition.stride.value if definition.stride is not None else 1
    names = dict(parameters)
    moves = stride if isinstance(stride, int) else 1
    env = Environment(callee.unit, scope, names, parameters, asking, stride=moves, home=scope.home)
    if not _bind_ports(ev, callee, definition.body, ports, env, span):
        return POISON
    env = replace(env, ports=frozenset(port.name.text for port in _ports(definition.body)))
    return single(ev.body(definition.body, env), callee.name)


def place(
    ev: Evaluator,
    callee: Callee,
    ports: list[Value],
    arguments: Sequence[ast.Argument],
    env: Environment,
    asking: QuestionScope,
    span: Span,
) -> Value:
    """A cell standing in a chain or grid, in the scope of its place."""
    definition = callee.definition
    assert isinstance(definition, ast.Cell)
    arguments, shared = sharing.split(callee, arguments)
    if shared is not None:
        with sharing.standing(ev, shared, env, span) as inner:
            return place(ev, replace(callee, weights=None), ports, arguments, inner, asking, span)
    given = bind_arguments(ev, callee, arguments, env)
    parameters = None if given is None else _parameters(ev, callee, definition.parameters, given, env, span)
    if parameters is None or any(isinstance(port, Poison) for port in ports):
        return POISON
    with ev.builder.calling(definition, span):
        return cell(ev, callee, definition, ports, parameters, env.scope, asking, span)


def single(outputs: dict[str, Value], name: str) -> Value:
    """One output without a name is the value itself."""
    if list(outputs) == [""]:
        return outputs[""]
    return Outputs(name, outputs) if outputs else POISON


def _parameters(
    ev: Evaluator,
    callee: Callee,
    parameters: Sequence[ast.Parameter],
    given: Mapping[str, Value],
    env: Environment,
    span: Span,
) -> dict[str, Value] | None:
    """Every parameter's value: given, else its default, else of that name where the call stands."""
    bound: dict[str, Value] = {}
    for parameter in parameters:
        name = parameter.name.text
        if name in given:
            bound[name] = given[name]
        elif parameter.default is not None:
            inner = Environment(callee.unit, env.scope, bound, bound)
            bound[name] = ev.value(parameter.default, inner)
        elif name in env.fallback:
            bound[name] = ev.settle(env.fallback[name])
        else:
            ev.poison(
                codes.PARAMETER_MISSING,
                f"`{callee.spelled}` needs `{name}`",
                span,
                f"`{name}` is not given",
                help=f"write `{callee.name}({name} = …)`",
            )
            return None
    return bound


def port_count(definition: ast.Cell) -> int:
    return len(_ports(definition.body))


def _ports(body: Sequence[ast.Statement]) -> list[ast.Port]:
    return [port for statement in body if isinstance(statement, ast.Input) for port in statement.ports]


def _bind_ports(
    ev: Evaluator,
    callee: Callee,
    body: Sequence[ast.Statement],
    given: list[Value],
    env: Environment,
    span: Span,
) -> bool:
    """Ports take their maps, each through its own pipe; a pipe sees the other ports as they came (`rule-ports`)."""
    ports = _ports(body)
    if len(ports) != len(given):
        _wrong_ports(ev, callee, len(ports), len(given), span)
        return False
    raw = {port.name.text: value for port, value in zip(ports, given, strict=True)}
    outer = replace(env, names={**env.names, **raw}) if any(port.steps for port in ports) else env
    for port in ports:
        value = raw[port.name.text]
        if port.steps:
            on_port = outer.on_line(port.name.text)
            for step in port.steps:
                value = call_expr.step_on(ev, value, step, on_port)
        env.names[port.name.text] = value
    return True


def _wrong_ports(ev: Evaluator, callee: Callee, wanted: int, found: int, span: Span) -> Value:
    return ev.poison(
        codes.WRONG_ARITY,
        f"`{callee.spelled}` reads {wanted} {'map' if wanted == 1 else 'maps'}, and gets {found or 'none'}",
        span,
        f"gets {found or 'none'}",
        help=f"carry a map through it: `x -> {callee.name}`" if found == 0 and wanted == 1 else None,
    )
