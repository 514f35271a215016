"""Calls: an op, a cell or a primitive put on maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from archdsl.diagnostics import Label as Mark
from archdsl.ops import COUNTS, Attributes, Dim, Kind, Parameter, Primitive, Shape, ShapeError
from archdsl.ops.bind import ParameterError, bind
from archdsl.ops.channels import share
from archdsl.ops.model import kinds
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema import codes
from archdsl.sema.elaborate import shape_mismatch, sharing
from archdsl.sema.elaborate.arguments import bind_arguments, parameter_names
from archdsl.sema.elaborate.select import mix, seen
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    Callee,
    Choice,
    Environment,
    Evaluator,
    Many,
    Map,
    Method,
    Nothing,
    Poison,
    Size,
    Value,
    describe,
)
from archdsl.space import Apply, Asked, FrameKind, Label, QuestionPath, assume, chosen_in, in_supernet
from archdsl.syntax import ast
from archdsl.text import Span


def call(
    ev: Evaluator,
    callee: Value,
    ports: list[Value],
    arguments: Sequence[ast.Argument],
    env: Environment,
    span: Span,
    *,
    stride: int = 1,
) -> Value:
    """The callee put on maps; each option of a choice gets its own."""
    callee = ev.settle(callee)
    arguments, shared = sharing.split(callee, arguments)
    if shared is not None:
        with sharing.calling(ev, shared, callee, env, span) as inner:
            return call(ev, sharing.without(callee), ports, arguments, inner, span, stride=stride)
    match callee:
        case Poison() | Nothing() as same:
            return same
        case Choice(question, options):
            return choose(ev, question, options, ports, arguments, env, span, stride=stride)
        case Callee() as op:
            parameters = bind_arguments(ev, op, arguments, env)
            if parameters is None:
                return POISON
            return invoke(ev, op, ports, parameters, env, span, stride=stride)
        case Method() as method:
            return method.call(ev, ports, env, span)
        case Many():
            return ev.poison(
                codes.OUT_OF_PLACE,
                "a set of ops stands after `->` or in a `choose`",
                span,
                "not here",
                help="write `x -> {…}`",
            )
        case other:
            return ev.poison(
                codes.WRONG_KIND,
                f"{describe(other)} cannot be called",
                span,
                "not an op",
                help="an op, a cell or a primitive stands here",
            )


def choose(
    ev: Evaluator,
    question: QuestionPath,
    options: Sequence[tuple[str, Value]],
    ports: list[Value],
    arguments: Sequence[ast.Argument],
    env: Environment,
    span: Span,
    *,
    stride: int = 1,
) -> Value:
    """The op that an answer picks: each candidate on the same maps, then the mix of what they give."""
    found: list[tuple[Label, Value]] = []
    for label, option in options:
        found.append((label, ev.assuming(question, label, _candidate, ev, option, ports, arguments, env, span, stride)))
    what = f"`{question}`"
    return mix(ev, Asked(question), found, env, question.name, span, what)


def _candidate(
    ev: Evaluator,
    option: Value,
    ports: list[Value],
    arguments: Sequence[ast.Argument],
    env: Environment,
    span: Span,
    stride: int,
) -> Value:
    """One candidate of a set; it takes those named arguments for which it has a parameter."""
    if isinstance(option, Callee):
        known = (*parameter_names(option), *_map_names(option))
        arguments = [each for each in arguments if each.name is None or each.name.text in known]
    return call(ev, option, ports, arguments, env, span, stride=stride)


def _map_names(callee: Callee) -> tuple[str, ...]:
    return callee.definition.maps if isinstance(callee.definition, Primitive) else ()


def invoke(
    ev: Evaluator,
    callee: Callee,
    ports: list[Value],
    given: Mapping[str, Value],
    env: Environment,
    span: Span,
    *,
    stride: int = 1,
) -> Value:
    """The callee on settled or open values; values that answers decide are spread first."""
    ev.builder.work.spend(span)
    ports = [ev.settle(port) for port in ports]
    given = {**dict(callee.bound), **{name: ev.settle(value) for name, value in given.items()}}
    if stride != 1 and "s" not in given:
        if "s" not in parameter_names(callee):
            return ev.poison(
                codes.NO_STRIDE,
                f"`{callee.spelled}` has no stride",
                span,
                f"called with `s = {stride}` here",
                help="an edge that leaves a port of a cell with a stride needs an op with a parameter `s`",
            )
        given["s"] = stride
    found = {type(value) for value in (*ports, *given.values())}
    if Poison in found:
        return POISON
    if Nothing in found and any(isinstance(value, Nothing) for value in given.values()):
        return NOTHING
    joining = isinstance(callee.definition, Primitive) and callee.definition.most is None
    if joining:
        ports = [port for port in ports if not isinstance(port, Nothing)]
        if not ports:
            return NOTHING
    elif Nothing in found:
        return NOTHING
    spread = _open(ports, given) if Choice in found else None
    if spread is not None and not isinstance(callee.definition, ast.Cell):
        return _spread(ev, spread, callee, ports, given, env, span)
    if isinstance(callee.definition, Primitive):
        return primitive(ev, callee.definition.name, ports, given, env, span)
    with ev.builder.calling(callee.definition, span):
        return ev.instantiate(callee, ports, given, env, span)


def _open(ports: Sequence[Value], given: Mapping[str, Value]) -> Choice | None:
    return next((value for value in (*ports, *given.values()) if isinstance(value, Choice)), None)


def _spread(
    ev: Evaluator,
    choice: Choice,
    callee: Callee,
    ports: list[Value],
    given: Mapping[str, Value],
    env: Environment,
    span: Span,
) -> Value:
    found: list[tuple[str, Value]] = []
    name = choice.question.name
    for label, _ in choice.options:
        under = env.under(env.scope.child(FrameKind.LINE, f"{name}_{label}"))
        found.append((label, ev.assuming(choice.question, label, invoke, ev, callee, ports, given, under, span)))
    return ev.join(choice.question, found, env, callee.name, span)


def primitive(
    ev: Evaluator, name: str, ports: list[Value], given: Mapping[str, Value], env: Environment, span: Span
) -> Value:
    """A primitive on maps: a node."""
    definition = PRIMITIVES[name]
    if given:
        ports, given = _map_parameters(definition, ports, given)
    if given and (chosen := _number_choice(ev, definition, ports, given, env)) is not None:
        return _spread(ev, chosen, Callee(definition, env.unit, name), ports, _replaced(given, chosen), env, span)
    nodes: list[int] = []
    for port in ports:
        if not isinstance(port, Map):
            return ev.poison(
                codes.WRONG_KIND,
                f"`{name}` reads maps, and this is {describe(port)}",
                span,
                "a map is needed",
                help=f"write `{name}(like = x, …)`, of which the size is read" if definition.traits.constant else None,
            )
        nodes.append(port.node)
    if len(nodes) < definition.least or (definition.most is not None and len(nodes) > definition.most):
        return _wrong_arity(ev, definition, len(nodes), span)
    filled = dict(given)
    for parameter in definition.parameters:
        if parameter.of_map and parameter.name not in filled:
            shape = ev.builder.shape(nodes[0])
            filled[parameter.name] = shape.channels if parameter.kind is Kind.CHANNELS else Size(shape.size)
        elif parameter.required and parameter.name not in filled and parameter.name in env.fallback:
            filled[parameter.name] = ev.settle(env.fallback[parameter.name])
    # A map that may be absent is looked at each time.
    alike = _alike(ev, name, nodes, filled) if ev.builder.absent.isdisjoint(nodes) else None
    if alike is not None and (known := ev.applied.get(alike)) is not None:
        return Map(ev.builder.add(env.scope, name, known[0], tuple(nodes), known[1], span))
    for key, value in filled.items():
        if isinstance(value, Dim) and kinds(definition)[key] not in COUNTS:
            return ev.poison(
                codes.WRONG_KIND,
                f"`{name}` takes {kinds(definition)[key]} as `{key}`, which must be static; "
                "it depends on a map's channel count",
                span,
                f"`{key}` is `{value}`",
                help=f"ask for it: `choose {key} in {{3, 5, 7}}`",
            )
        if not isinstance(value, _ATTRIBUTES):
            return ev.poison(
                codes.WRONG_KIND,
                f"`{name}` takes {kinds(definition)[key]} as `{key}`, not {describe(value)}",
                span,
                f"wrong `{key}`",
            )
    try:
        attributes: Attributes = dict(bind(definition, {key: _attribute(value) for key, value in filled.items()}))
    except ParameterError as error:
        return ev.poison(error.code, f"`{name}` {error.reason}", span, f"see `{error.name}`", help=error.help)
    made = _node(ev, definition, attributes, tuple(nodes), env, span)
    if isinstance(made, Map) and alike is not None:
        node = ev.builder.nodes[made.node]
        assert isinstance(node.payload, Apply)
        ev.applied[alike] = (node.payload, node.shape)
    return made


_ATTRIBUTES = (int, Fraction, str, Dim, Size)
"""A value that a parameter of a primitive accepts."""


def _alike(ev: Evaluator, name: str, nodes: Sequence[int], given: Mapping[str, Value]) -> object:
    """Equal for calls that give equal nodes; None where a parameter is given what none can be."""
    if not all(isinstance(value, _ATTRIBUTES) for value in given.values()):
        return None
    # With the types: a flag is equal to a number, and is none.
    return name, tuple([(key, type(value), value) for key, value in given.items()]), tuple(map(ev.builder.shape, nodes))


def _node(
    ev: Evaluator,
    definition: Primitive,
    attributes: Attributes,
    nodes: tuple[int, ...],
    env: Environment,
    span: Span,
) -> Value:
    shapes = [ev.builder.shape(node) for node in nodes]
    if definition.traits.identity_of_one and not ev.builder.absent.isdisjoint(nodes):
        # A map that is spread, and is alone under some answers, would have another size than the sum.
        in_supernets = [seen(each) for each in shapes]
        for channels in (True, False):
            if (
                shape_mismatch.unlike(in_supernets, channels=channels, spreads=False) is not None
                and definition.traits.spreads
            ):
                return shape_mismatch.report(ev, definition.name, nodes, env, span, channels=channels, spreads=False)
    try:
        shape = definition.shape(shapes, attributes)
    except ShapeError as error:
        # Where maps differ only as long as answers are open, the answers decide: checked when they are given.
        try:
            shape = definition.shape(
                [each._replace(channels=in_supernet(each.channels)) for each in shapes], attributes
            )
        except ShapeError:
            return _shape_mistake(ev, definition, error, nodes, env, span)
    if definition.variadic and (found := _loose_size(ev, definition, attributes, nodes, shape)) is not None:
        return _size_by_answers(ev, definition, found, env, span)
    payload = Apply(definition.name, tuple(attributes.items()))
    return Map(ev.builder.add(env.scope, definition.name, payload, nodes, shape, span))


def _loose_size(
    ev: Evaluator, definition: Primitive, attributes: Attributes, nodes: tuple[int, ...], whole: Shape
) -> int | None:
    """A map that answers can leave out, and without which the result has another height or width."""
    for missing in ev.builder.absent.intersection(nodes) if len(nodes) > 1 else ():
        others = [seen(ev.builder.shape(node)) for node in nodes if node != missing]
        if others and definition.shape(others, attributes).size != whole.size:
            return missing
    return None


def _size_by_answers(ev: Evaluator, definition: Primitive, node: int, env: Environment, span: Span) -> Value:
    place = ev.builder.origins(node)[0]
    return ev.poison(
        codes.RESOLUTIONS_DIFFER,
        f"`{definition.name}`{f' at `{env.line}`' if env.line else ''} has a size that hangs on answers: "
        "one of its maps is there under some of them only",
        span,
        "must be static",
        also=(Mark(place, "not there under some answers"),) if place is not None and place != span else (),
        help="join it by channels, or add it",
    )


def _shape_mistake(
    ev: Evaluator, definition: Primitive, error: ShapeError, nodes: tuple[int, ...], env: Environment, span: Span
) -> Value:
    if error.code in (codes.CHANNELS_DIFFER, codes.RESOLUTIONS_DIFFER) and not error.complete:
        differing, spreads = error.code == codes.CHANNELS_DIFFER, definition.traits.spreads
        return shape_mismatch.report(ev, definition.name, nodes, env, span, channels=differing, spreads=spreads)
    where = f" at `{env.line}`" if env.line else ""
    read = " and ".join(str(ev.builder.shape(node)) for node in nodes)
    return ev.poison(error.code, f"`{definition.name}`{where} {error.reason}", span, f"reads {read}", help=error.help)


def _map_parameters(
    definition: Primitive, ports: list[Value], given: Mapping[str, Value]
) -> tuple[list[Value], dict[str, Value]]:
    """`like = x` is a map, not an attribute."""
    parameters = kinds(definition)
    maps = [given[name] for name in definition.maps if name in given and name not in parameters]
    rest = {name: value for name, value in given.items() if name in parameters}
    return [*ports, *maps], rest


def _number_choice(
    ev: Evaluator, definition: Primitive, ports: Sequence[Value], given: Mapping[str, Value], env: Environment
) -> Choice | None:
    """A chosen number where no channel count stands: an op question (`choose k in {3, 5, 7}`)."""
    for name, value in given.items():
        if not isinstance(value, Dim) or kinds(definition)[name] is Kind.CHANNELS:
            continue
        if kinds(definition)[name] is Kind.GROUPS and _divides(ev, definition, value, ports, given, env):
            continue
        if (chosen := next(chosen_in(value), None)) is not None:
            ev.builder.chooses_op(chosen.question)
            return Choice(chosen.question, tuple((str(number), number) for number in chosen.numbers))
    return None


def _divides(
    ev: Evaluator,
    definition: Primitive,
    groups: Dim,
    ports: Sequence[Value],
    given: Mapping[str, Value],
    env: Environment,
) -> bool:
    """Whether channels can be divided by a number of groups as it is, as `conv(w, groups = w)` of w channels can."""
    own = (given.get(each.name, env.fallback.get(each.name)) for each in definition.parameters if _is_count(each))
    counts = (*(ev.builder.shape(port.node).channels for port in ports if isinstance(port, Map)), *own)
    try:
        for count in counts:
            if isinstance(count, int | Dim):
                share(count, groups, "input")
    except ShapeError:
        return False
    return True


def _is_count(parameter: Parameter) -> bool:
    return parameter.kind is Kind.CHANNELS


def _replaced(given: Mapping[str, Value], chosen: Choice) -> dict[str, Value]:
    return {
        name: Choice(
            chosen.question,
            tuple((label, assume(value, {chosen.question: label})) for label, _ in chosen.options),
        )
        if isinstance(value, Dim)
        else value
        for name, value in given.items()
    }


def _wrong_arity(ev: Evaluator, definition: Primitive, count: int, span: Span) -> Value:
    if definition.most is None:
        wanted = f"at least {definition.least}"
    elif definition.least == definition.most:
        wanted = str(definition.least)
    else:
        wanted = f"{definition.least} to {definition.most}"
    return ev.poison(
        codes.WRONG_ARITY,
        f"`{definition.name}` reads {wanted} {'map' if wanted == '1' else 'maps'}, and gets {count or 'none'}",
        span,
        f"gets {count or 'none'}",
        help=f"carry a map through it: `x -> {definition.name}(…)`" if count == 0 else None,
    )


def _attribute(value: Value) -> object:
    if isinstance(value, Size):
        return value.dims
    return value
