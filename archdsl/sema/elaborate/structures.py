"""Structures in a body: which one a line builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.sema import codes
from archdsl.sema.elaborate import branches as branching
from archdsl.sema.elaborate import chains, grids
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.sema.elaborate.environment import Environment
    from archdsl.sema.elaborate.evaluator import Evaluator


def build(ev: Evaluator, structure: ast.Structure, env: Environment) -> None:
    match structure.kind.text:
        case "grid":
            grids.build(ev, structure, env)
        case "chain":
            chains.build(ev, structure, env, asks_exit=False)
        case "hyper":
            chains.build(ev, structure, env, asks_exit=True)
        case other:
            ev.poison(codes.OUT_OF_PLACE, f"`{other}` is no structure", structure.kind.span, "here")


def branches(ev: Evaluator, statement: ast.Branches, env: Environment) -> None:
    branching.build(ev, statement, env)
