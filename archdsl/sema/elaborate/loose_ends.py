"""`loose(x1..x5)`: those of a set of maps that no other map of the set reads (NASNet, section 3; ENAS, section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from archdsl.sema import codes
from archdsl.sema.elaborate.values import (
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
from archdsl.space import Asked, Keep, QuestionPath, Searching, Select, Unread
from archdsl.syntax import ast

Conditions: TypeAlias = "dict[tuple[QuestionPath, str], None]"
"""Answers, each of which alone has a map read another one, in the order of the text."""


class _Both(Exception):
    """Two answers together decide whether a map is read."""


ALWAYS: Conditions = {(QuestionPath((), ""), ""): None}
"""Whatever is answered: no question has this path."""


def loose(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """The set of the maps, each absent where an answer has another one of them read it."""
    items: list[Candidate] = []
    for argument in expr.arguments:
        if argument.name is not None or argument.bound is not None:
            return _takes_maps(ev, argument)
        items += ev.candidates(argument.value, env)
    items = [item for item in items if not isinstance(item.value, Nothing)]
    maps: dict[int, str] = {}
    for item in items:
        if isinstance(item.value, Poison):
            return POISON
        if not isinstance(item.value, Map):
            message = f"`loose` takes maps, and `{item.spelled}` is {describe(item.value)}"
            return ev.poison(codes.WRONG_KIND, message, expr.span, "here")
        maps[item.value.node] = item.spelled
    found: list[Candidate] = []
    for node, spelled in maps.items():
        try:
            conditions = _readers(ev, node, maps)
        except _Both:
            message = f"whether another map reads `{spelled}` depends on two answers together"
            help = "choose its source by `sum({…}, keep = k)` or `choose source in {…}`"
            return ev.poison(codes.WRONG_KIND, message, expr.span, "cannot be told", help=help)
        if conditions == ALWAYS:
            continue
        value = Map(node)
        if conditions:
            subject = Unread(tuple(conditions))
            value = Map(ev.builder.select(env.scope, "loose", subject, ("yes",), (node,), expr.span))
        found.append(Candidate(spelled, value))
    return Many(tuple(found))


def _takes_maps(ev: Evaluator, argument: ast.Argument) -> Value:
    return ev.poison(
        codes.WRONG_ARITY, "`loose` takes maps", argument.span, "no map", help="write `concat(loose(x1..x5))`"
    )


def _readers(ev: Evaluator, node: int, maps: Mapping[int, str]) -> Conditions:
    """The answers with which another of the maps reads a node. Raises _Both."""
    found: Conditions = {}
    for other in maps:
        if other <= node:
            continue  # nodes stand in topological order
        known: dict[int, Conditions] = {each: ALWAYS if each == node else {} for each in maps if each != other}
        conditions = _reads(ev, other, node, known)
        if conditions == ALWAYS:
            return ALWAYS
        found |= conditions
    return found


def _reads(ev: Evaluator, start: int, node: int, known: dict[int, Conditions]) -> Conditions:
    """The answers with which the map of `start` reads `node`; what stands before that reads none. Raises _Both."""
    waiting = [start]
    while waiting:
        current = waiting[-1]
        inputs = [each for each in ev.builder.nodes[current].inputs if each not in known and each > node]
        if inputs:
            waiting += inputs
            continue
        waiting.pop()
        known[current] = _of_node(ev, current, known)
    return known[start]


def _of_node(ev: Evaluator, index: int, known: Mapping[int, Conditions]) -> Conditions:
    node = ev.builder.nodes[index]
    inputs = [known.get(each, {}) for each in node.inputs]
    match node.payload:
        case Keep(question, labels):
            return _when(question, labels, inputs)
        case Select(Asked()) if all(each == inputs[0] for each in inputs):
            return inputs[0]  # whichever op stands on an edge, it reads the edge's source
        case Select(Asked(question), labels):
            return _when(question, [str(label) for label in labels], inputs)
        case Select(Searching(), labels):
            return inputs[labels.index("no")] if "no" in labels else {}
        case _:
            return _either(inputs)


def _when(question: QuestionPath, labels: Sequence[str], inputs: Sequence[Conditions]) -> Conditions:
    """Which of several inputs is read is answered."""
    if any(each and each != ALWAYS for each in inputs):
        raise _Both
    return {(question, label): None for label, each in zip(labels, inputs, strict=True) if each == ALWAYS}


def _either(inputs: Sequence[Conditions]) -> Conditions:
    found: Conditions = {}
    for each in inputs:
        if each == ALWAYS:
            return ALWAYS
        found |= each
    return found
