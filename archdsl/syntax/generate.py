"""Generates the LALR tables of the grammar; the only module that imports lark."""

from __future__ import annotations

from typing import Any, Protocol, cast

from lark import Lark
from lark.lexer import PatternStr

from archdsl.syntax.tables import Included, Rule, Tables
from archdsl.syntax.tokens import Lexicon, Terminal


class _Symbol(Protocol):
    name: str
    is_term: bool
    filter_out: bool


class _Options(Protocol):
    keep_all_tokens: bool
    expand1: bool
    empty_indices: tuple[bool, ...]


class _LarkRule(Protocol):
    expansion: list[_Symbol]
    origin: _Symbol
    alias: str | None
    options: _Options


class _ParseTable(Protocol):
    states: dict[int, dict[str, tuple[Any, Any]]]


class _ParseConf(Protocol):
    parse_table: _ParseTable
    callbacks: dict[_LarkRule, Any]
    start_state: int
    end_state: int


class _ParserState(Protocol):
    parse_conf: _ParseConf


class _Interactive(Protocol):
    parser_state: _ParserState


def generate(grammar: str) -> Tables:
    """The LALR tables of a grammar. Raises lark's own errors for a grammar with conflicts: a bug of ours."""
    reader = Lark(grammar, parser="lalr", lexer="basic", start="file", maybe_placeholders=True)
    conf = cast(_Interactive, cast(Any, reader).parse_interactive("")).parser_state.parse_conf
    rules = list(conf.callbacks)
    number = {rule: index for index, rule in enumerate(rules)}
    states = conf.parse_table.states
    actions: list[dict[str, int]] = [{} for _ in range(max(states) + 1)]
    for state, row in states.items():
        actions[state] = {symbol: arg if isinstance(arg, int) else ~number[arg] for symbol, (_, arg) in row.items()}
    return Tables(
        tuple(actions),
        tuple(map(_rule, rules)),
        conf.start_state,
        conf.end_state,
        Lexicon(tuple(_terminals(reader))),
    )


def _rule(rule: _LarkRule) -> Rule:
    """A production with the children that lark would keep of it.

    Tokens without a meaning of their own are left out, a rule whose name begins with `_` is replaced by its children,
    and an optional part that is missing leaves a gap.
    """
    options, size = rule.options, len(rule.expansion)
    gaps = _gaps(options.empty_indices, size)
    included: list[Included] = []
    waiting = 0
    for position, symbol in enumerate(rule.expansion):
        waiting += gaps[position]
        if options.keep_all_tokens or not (symbol.is_term and symbol.filter_out):
            included.append((position, not symbol.is_term and symbol.name.startswith("_"), waiting))
            waiting = 0
    passes_on = options.expand1 and not rule.alias
    return Rule(
        size, rule.origin.name, rule.alias or rule.origin.name, tuple(included), waiting + gaps[size], passes_on
    )


def _gaps(empty: tuple[bool, ...], size: int) -> list[int]:
    """How many missing parts stand before each symbol, and after the last."""
    if not empty:
        return [0] * (size + 1)
    gaps = [0]
    for missing in empty:
        if missing:
            gaps[-1] += 1
        else:
            gaps.append(0)
    return gaps


def _terminals(reader: Lark) -> list[Terminal]:
    found: list[Terminal] = []
    for terminal in reader.terminals:
        pattern = terminal.pattern
        literal = pattern.value if isinstance(pattern, PatternStr) else None
        found.append(
            Terminal(terminal.name, pattern.to_regexp(), literal, terminal.priority, min(pattern.max_width, 1 << 20))
        )
    return found
