"""The lines of a body, each in turn."""

from __future__ import annotations

from collections.abc import Container, Sequence

from archdsl.sema import codes
from archdsl.sema.elaborate import branches, chains, choose_stmt, grid_layout
from archdsl.sema.elaborate.limits import TooLarge
from archdsl.sema.elaborate.values import Environment, Evaluator, Value
from archdsl.sema.resolve.name_ranges import RUN_LIMIT, count_between, names_between
from archdsl.syntax import ast


def run(ev: Evaluator, body: Sequence[ast.Statement], env: Environment) -> dict[str, Value]:
    """Each line in turn; the outputs by name, an output without one under the empty name."""
    outputs: dict[str, Value] = {}
    for statement in body:
        match statement:
            case ast.Assign(target=target, value=expr):
                run: tuple[str, ...] = ()
                for name in _targets(ev, target):
                    env.names[name] = ev.value(expr, env.on_line(name, run))
                    run = (*run, name)
            case ast.Choose():
                env.names[statement.name.text] = choose_stmt.choose(ev, statement, env)
            case ast.Output(value=expr, name=name):
                key = name.text if name else ""
                on_line = env.on_line(key) if key else env.on_unnamed(unnamed_line(env.names))
                outputs[key] = env.names[key] = ev.value(expr, on_line)
            case ast.Structure():
                _structure(ev, statement, env)
            case ast.Branches():
                branches.build(ev, statement, env)
            case ast.Input() | ast.Start() | ast.Place() | ast.Phase() | ast.Answer() | ast.Scales():
                pass
    return outputs


def unnamed_line(taken: Container[str]) -> str:
    """How questions on an output without a name are called: a word that texts can write, which `out` is not."""
    return "output_" if "output" in taken else "output"


def _targets(ev: Evaluator, target: ast.Target) -> tuple[str, ...]:
    first = target.path.head
    if target.upto is None:
        return (first.text,)
    if (count := count_between(first, target.upto)) > RUN_LIMIT:
        raise TooLarge(target.span, f"the run holds {count:,} names; {RUN_LIMIT:,} are allowed")
    names = names_between(first, target.upto)
    if not names:
        ev.poison(
            codes.BAD_INDEX,
            f"`{first.text}..{target.upto.text}` does not count up",
            target.span,
            "here",
            help="write names that end in numbers, the lower first: `x1..x3`",
        )
    return names


def _structure(ev: Evaluator, structure: ast.Structure, env: Environment) -> None:
    match structure.kind.text:
        case "grid":
            grid_layout.build(ev, structure, env)
        case "chain":
            chains.build(ev, structure, env, asks_exit=False)
        case "hyper":
            chains.build(ev, structure, env, asks_exit=True)
        case other:
            ev.poison(codes.OUT_OF_PLACE, f"`{other}` is no structure", structure.kind.span, "here")
