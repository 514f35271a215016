"""The LALR parser: from tokens to the AST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archdsl.syntax import ast
from archdsl.syntax.build import Builder
from archdsl.syntax.tables import Reduction, Tables
from archdsl.syntax.tokens import Token
from archdsl.text import SourceFile, Span

END = "$END"


def drive(tables: Tables, tokens: Sequence[Token], source: SourceFile, builder: Builder) -> ast.File | None:
    """The AST of `tokens`, or None for a syntax error."""
    actions, rules, makers = tables.actions, tables.rules, builder.makers
    picks = [(rule.size, rule.makes, rule.pick) for rule in rules]
    states = [tables.start]
    values: list[Any] = []
    starts: list[int] = []
    stops: list[int] = []
    end = len(source.text)
    row = actions[tables.start]
    for token in (*tokens, Token(END, end, end)):
        kind = token.kind
        while True:
            action = row.get(kind)
            if action is None:
                return None
            if action >= 0:
                break
            size, makes, pick = picks[~action]
            if size:
                value = pick(values[-size:])
                start, stop = starts[-size], stops[-1]
                del values[-size:], starts[-size:], stops[-size:], states[-size:]
            else:
                value, start, stop = pick([]), token.start, token.start
            if type(value) is Reduction:
                maker = makers.get(value.data)
                if maker is not None:
                    value = maker(Span(source, start, stop), value.children)
            values.append(value)
            starts.append(start)
            stops.append(stop)
            state = actions[states[-1]][makes]
            states.append(state)
            row = actions[state]
            if state == tables.end and kind == END:
                return values[-1]
        values.append(token)
        starts.append(token.start)
        stops.append(token.stop)
        states.append(action)
        row = actions[action]
    return None
