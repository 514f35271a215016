"""Lays a space out: its parameters, its images, its lines, its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from archdsl.diagnostics import Label as Mark
from archdsl.ops import Shape
from archdsl.ops.model import LARGEST
from archdsl.sema import codes
from archdsl.sema.elaborate import sharing
from archdsl.sema.elaborate.builder import Builder, Differing, Scope
from archdsl.sema.elaborate.elaborator import Elaborator
from archdsl.sema.elaborate.limits import Budget, Refused, TooLarge
from archdsl.sema.elaborate.values import Choice, Environment, Evaluator, Map, Nothing, Outputs, Poison, Value, describe
from archdsl.sema.modules.hashing import structure_hash
from archdsl.sema.modules.load import Unit
from archdsl.sema.reporter import Reporter, listed, suggestion
from archdsl.space import Image, Program, QuestionPath, Result
from archdsl.syntax import ast
from archdsl.text import Span


def lay_out(
    space: ast.Space,
    unit: Unit,
    given: Mapping[str, Value],
    reporter: Reporter,
    size: tuple[int, int] | None,
    budget: Budget,
) -> Program | None:
    """The program of a space with some parameters given; None where something in it is wrong and reported.

    `size` replaces the height and width that the text gives its first image; others keep their part of it. `budget`
    holds the steps that its text has left.
    """
    try:
        with budget.work(space.name.span) as work:
            return _program(Elaborator(Builder(work), reporter), space, unit, given, size)
    except Refused as refused:
        reporter.add(refused.diagnostic)
    except RecursionError:  # what lies deep in itself by other ways than ops, sets and cells
        reporter.add(TooLarge(space.name.span, f"what `{space.name.text}` computes lies too deep in itself").diagnostic)
    return None


def _program(
    ev: Elaborator, space: ast.Space, unit: Unit, given: Mapping[str, Value], size: tuple[int, int] | None
) -> Program | None:
    reporter = ev.reporter
    before = reporter.errors
    parameters = _parameters(ev, space, unit, given)
    if parameters is not None:
        _lines(ev, space, unit, parameters, size)
    if reporter.errors > before or ev.wrong or parameters is None:
        return None
    builder = ev.builder
    for path, differing in builder.differing.items():
        _report_differing(path, differing, reporter)
    if builder.differing or not sharing.agree(builder, reporter):
        return None
    if not any(isinstance(node.payload, Result) for node in builder.nodes):
        return None
    constants = tuple((name, value) for name, value in parameters.items() if isinstance(value, int | Fraction | str))
    return Program(
        space.name.text,
        constants,
        tuple(builder.nodes),
        builder.questions,
        tuple(builder.constraints),
        builder.trellises,
        builder.branches,
        structure_hash(space, unit),
    )


def _report_differing(path: QuestionPath, differing: Differing, reporter: Reporter) -> None:
    """Instances that share an answer have to ask for it with the same candidates."""
    first, other = (
        f"{listed(list(each.answers))}{f', of which {each.keep} stay' if each.keep > 1 else ''}"
        for each in (differing.first, differing.other)
    )
    span = differing.other.span
    assert span is not None
    also = (
        ()
        if differing.calls is None
        else tuple(Mark(call, f"here {said}") for call, said in zip(differing.calls, (first, other), strict=True))
    )
    reporter.report(
        codes.CANDIDATES_DIFFER,
        f"`{path}` is asked with {first} and with {other}",
        span,
        "instances share one answer",
        also=also,
        help="place them with `each` or with a tag (`cell@tag`), so that each asks for itself, or give them the same "
        "candidates",
    )


def _parameters(ev: Evaluator, space: ast.Space, unit: Unit, given: Mapping[str, Value]) -> dict[str, Value] | None:
    known = [parameter.name.text for parameter in space.parameters]
    for name in given:
        if name not in known:
            ev.poison(
                codes.UNKNOWN_PARAMETER,
                f"`{space.name.text}` has no parameter `{name}`",
                space.name.span,
                "not a parameter of this space",
                help=suggestion(name, known) or "it has no parameters",
            )
            return None
    values: dict[str, Value] = {}
    env = Environment(unit, Scope(), values, values)
    for parameter in space.parameters:
        name = parameter.name.text
        if name in given:
            values[name] = given[name]
        elif parameter.default is not None:
            values[name] = ev.value(parameter.default, env)
        else:
            ev.poison(
                codes.PARAMETER_MISSING,
                f"`{space.name.text}` needs `{name}`",
                parameter.span,
                "has no default",
                help=f"write `of {space.name.text}({name} = …)`, or `--set {name}=…`",
            )
            return None
    return None if any(isinstance(value, Poison) for value in values.values()) else values


def _lines(
    ev: Evaluator, space: ast.Space, unit: Unit, parameters: dict[str, Value], size: tuple[int, int] | None
) -> None:
    scope = Scope()
    names = dict(parameters)
    env = Environment(unit, scope, names, parameters)
    images = [port for line in space.body if isinstance(line, ast.Input) for port in line.ports]
    if not images:
        ev.poison(
            codes.NO_INPUT,
            f"`{space.name.text}` has no input",
            space.name.span,
            "reads nothing",
            help="write `in image: 3x1024x2048` as its first line",
        )
        return
    for port in images:
        names[port.name.text] = _image(ev, port, scope, images[0], size)
        for step in port.steps:
            ev.poison(codes.OUT_OF_PLACE, "an image is read as it is", step.span, "no pipe here")
    outputs = [line for line in space.body if isinstance(line, ast.Output)]
    if not any(not output.auxiliary for output in outputs):
        ev.poison(
            codes.NO_OUTPUT,
            f"`{space.name.text}` has no output",
            space.name.span,
            "gives nothing",
            help="write `out logits = …`",
        )
        return
    values = ev.body(space.body, env)
    for output in outputs:
        name = output.name.text if output.name else "out"
        value = values[output.name.text if output.name else ""]
        _result(ev, output, name, value, replace(env, scope=scope))


def _image(ev: Evaluator, port: ast.Port, scope: Scope, first: ast.Port, size: tuple[int, int] | None) -> Value:
    if port.shape is None or not _has_size(port):
        return ev.poison(
            codes.WRONG_KIND,
            f"the shape of `{port.name.text}` is not given",
            port.span,
            "channels x height x width are needed",
            help=f"write `in {port.name.text}: 3x1024x2048`",
        )
    if max(port.shape.dims) > LARGEST:
        return ev.poison(
            codes.WRONG_KIND,
            f"`{port.name.text}` is larger than any image: {LARGEST:,} rows and columns are allowed",
            port.span,
            "too large",
        )
    channels, height, width = port.shape.dims
    if size is not None and first is not port and _has_size(first):
        assert first.shape is not None
        parts = [Fraction(own, whole) for own, whole in zip((height, width), first.shape.dims[1:], strict=True)]
        lengths = [part * length for part, length in zip(parts, size, strict=True)]
        uneven = next((part for part, length in zip(parts, lengths, strict=True) if length.denominator > 1), None)
        if uneven is not None:
            return ev.poison(
                codes.DOES_NOT_DIVIDE,
                f"an image of {size[0]}x{size[1]} does not divide: `{port.name.text}` is {uneven} of it",
                port.span,
                f"{height}x{width}",
                help=f"take multiples of {uneven.denominator}",
            )
        height, width = map(int, lengths)
    elif size is not None:
        height, width = size
    shape = Shape(channels, height, width)
    return Map(ev.builder.add(scope, port.name.text, Image(port.name.text), (), shape, port.span))


def _has_size(port: ast.Port) -> bool:
    return port.shape is not None and len(port.shape.dims) == 3 and min(port.shape.dims) > 0


def _result(ev: Evaluator, output: ast.Output, name: str, value: Value, env: Environment) -> None:
    match ev.settle(value):
        case Map(node):
            ev.builder.pass_on(env.scope, f"out {name}", Result(name, output.auxiliary), node, output.span)
        case Nothing() if output.auxiliary:
            pass
        case Poison():
            pass
        case Choice():
            _report(ev, output, name, "has another resolution for each answer", output.value.span)
        case Nothing():
            _report(ev, output, name, "is never there: what it reads does not exist", output.value.span)
        case Outputs(cell, maps):
            names = ", ".join(f"`.{each}`" for each in maps)
            _report(ev, output, name, f"is all outputs of `{cell}`; name one of {names}", output.value.span)
        case other:
            _report(ev, output, name, f"is {describe(other)}, and a map is needed", output.value.span)


def _report(ev: Evaluator, output: ast.Output, name: str, what: str, span: Span) -> None:
    ev.poison(codes.WRONG_KIND, f"the output `{name}` {what}", span, "given out here")
