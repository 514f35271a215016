"""Questions that stand on edges: which op (`prev -> {…}`), and which edges stay (`sum({…}, keep = 2)`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from archdsl.ops.joining import ADD
from archdsl.sema import codes
from archdsl.sema.elaborate import calls, shape_mismatch
from archdsl.sema.elaborate.arguments import port_values
from archdsl.sema.elaborate.select import seen
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    Candidate,
    Environment,
    Evaluator,
    Many,
    Map,
    Nothing,
    Poison,
    Value,
    describe,
)
from archdsl.space import Asked, Keep, Question, QuestionKind, QuestionPath, Select
from archdsl.syntax import ast
from archdsl.text import Span


def choose(
    ev: Evaluator,
    value: Value,
    candidates: Many,
    step: ast.Expr,
    arguments: Sequence[ast.Argument],
    env: Environment,
    source: str,
    stride: int,
) -> Value:
    """`source -> {a, b}`: which op stands on this edge, asked as `scope.node.source` (`rule-paths`)."""
    if not candidates.items:
        return ev.poison(codes.EMPTY_SET, "there is no op to choose from", step.span, "an empty set")
    edge = env.on_edge(source)
    if len(candidates.items) == 1:
        return calls.call(ev, candidates.items[0].value, [value], arguments, edge, step.span, stride=stride)
    path = env.question(source, env.line)
    if path in env.asked:
        return ev.poison(
            codes.EDGE_TWICE,
            f"two questions stand on the edge from `{source}` to `{env.line}`",
            step.span,
            "asked here again",
            help="name one of them: `choose operator in {…}`, then `-> operator`",
        )
    env.asked.add(path)
    labels = spelled_once(ev, candidates.items, step.span)
    ev.builder.ask(Question(path, QuestionKind.OPERATOR, labels, span=step.span))
    options = [(item.spelled, item.value) for item in candidates.items]
    return calls.choose(ev, path, options, [value], arguments, edge, step.span, stride=stride)


def spelled_once(ev: Evaluator, items: Sequence[Candidate], span: Span) -> tuple[str, ...]:
    """The candidates' names; a repeated one is reported and kept once."""
    times = Counter(item.spelled for item in items)
    for name in (name for name, count in times.items() if count > 1):
        ev.poison(
            codes.REPEATED_CANDIDATE,
            f"`{name}` stands twice among the candidates",
            span,
            "in this set",
            help="leave one of them out: an answer could not tell them apart",
        )
    return tuple(times)


def add_set(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """The sum of a set of maps, with a question of its own where `keep` leaves some out."""
    items: list[Candidate] = []
    keep: Value | None = None
    for argument in expr.arguments:
        if argument.name is None:
            value = (
                ev.value(argument.value, env)
                if argument.bound is None
                else Many(
                    tuple(Candidate(str(i), each) for i, each in enumerate(port_values(ev, argument, env), start=1))
                )
            )
            items += value.items if isinstance(value, Many) else [_alone(ev, argument.value, value, env)]
        elif argument.name.text == "keep":
            keep = ev.value(argument.value, env)
        else:
            return ev.poison(
                codes.UNKNOWN_PARAMETER,
                f"`sum` has no parameter `{argument.name.text}`",
                argument.name.span,
                "not a parameter",
                help="it has `keep`",
            )
    items = [replace(item, value=ev.settle(item.value)) for item in items]
    if any(isinstance(item.value, Poison) for item in items) or isinstance(keep, Poison):
        return POISON
    items = [item for item in items if not isinstance(item.value, Nothing)]
    if not items:
        return NOTHING
    if keep is None:
        if len(items) == 1:
            return items[0].value
        return calls.primitive(ev, ADD.name, [item.value for item in items], {}, env, expr.span)
    return _kept(ev, expr, items, keep, env)


def _alone(ev: Evaluator, expr: ast.Expr, value: Value, env: Environment) -> Candidate:
    head = ev.spelled(expr.head, env) if isinstance(expr, ast.Pipe) else ""
    return Candidate(ev.spelled(expr, env), value, head)


def _asks(ev: Evaluator, start: int, path: QuestionPath, env: Environment) -> bool:
    """Whether the answer to a question decides what stands between this line and the map that it begins with."""
    if path not in env.asked:
        return False
    depth = len(env.scope.frames)
    waiting, seen = [start], {start}
    while waiting:
        node = ev.builder.nodes[waiting.pop()]
        match node.payload:
            case Select(Asked(question)) if question == path:
                return True
            case _:
                pass
        inside = [each for each in node.inputs if ev.builder.nodes[each].frames[:depth] == env.scope.frames]
        waiting += [each for each in inside if each not in seen]
        seen.update(inside)
    return False


def _kept(ev: Evaluator, expr: ast.Call, items: list[Candidate], keep: Value, env: Environment) -> Value:
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
        return ev.poison(
            codes.WRONG_KIND, "`keep` is how many of the inputs stay, a whole number of at least 1", expr.span, "here"
        )
    if keep > len(items):
        return ev.poison(
            codes.KEEP_TOO_MANY,
            f"`keep = {keep}` is more than the {len(items)} inputs of `{env.line}`",
            expr.span,
            f"{len(items)} inputs",
            help=f"write `keep = {len(items)}` or less",
        )
    if keep == len(items):
        return calls.primitive(ev, ADD.name, [item.value for item in items], {}, env, expr.span)
    nodes: list[int] = []
    for item in items:
        if not isinstance(item.value, Map):
            return ev.poison(
                codes.WRONG_KIND, f"`{item.spelled}` is {describe(item.value)}, and maps are added", expr.span, "here"
            )
        nodes.append(item.value.node)
    shapes = {seen(ev.builder.shape(node)) for node in nodes}
    if len(shapes) > 1:  # nothing is spread: any of them may be left out
        channels = len({shape.channels for shape in shapes}) > 1
        return shape_mismatch.report(ev, ADD.name, tuple(nodes), env, expr.span, channels=channels)
    path = env.question("keep", env.line)
    if path in env.asked:
        return ev.poison(
            codes.EDGE_TWICE,
            f"`{path}` asks for the op behind the map `keep`, and which inputs of `{env.line}` stay",
            expr.span,
            "asked here again",
            help="give the map `keep` another name",
        )
    labels = spelled_once(ev, items, expr.span)
    edges = tuple(
        item.source if _asks(ev, node, env.question(item.source, env.line), env) else ""
        for item, node in zip(items, nodes, strict=True)
    )
    ev.builder.ask(Question(path, QuestionKind.KEEP, labels, keep=keep, edges=edges, span=expr.span))
    shape = ev.builder.shape(nodes[0])
    return Map(ev.builder.add(env.scope, "keep", Keep(path, labels), tuple(nodes), shape, expr.span))
