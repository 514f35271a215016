"""The grammar file and the tables that lark makes of it; the only module that imports lark."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, cast

from lark import Lark
from lark.lexer import PatternStr

from archdsl.syntax.tokens import Lexicon, Terminal

_FILE_NAME = "arch.lark"


@dataclass(slots=True)
class Reduction:
    """What a rule was reduced to, before a syntax tree node is made of it."""

    data: str
    children: list[Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One production: how many symbols it takes, what it makes, and how it picks its children."""

    size: int
    makes: str
    pick: Callable[[list[Any]], Any] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Tables:
    """The LALR automaton: `actions[state][symbol]` is a state to go to, or `~index` of a rule to reduce by."""

    actions: tuple[dict[str, int], ...]
    rules: tuple[Rule, ...]
    start: int
    end: int
    lexicon: Lexicon


class _LarkRule(Protocol):
    expansion: list[Any]
    origin: Any


class _ParseTable(Protocol):
    states: dict[int, dict[str, tuple[Any, Any]]]


class _ParseConf(Protocol):
    parse_table: _ParseTable
    callbacks: dict[_LarkRule, Callable[[list[Any]], Any]]
    start_state: int
    end_state: int


class _ParserState(Protocol):
    parse_conf: _ParseConf


class _Interactive(Protocol):
    parser_state: _ParserState


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The tables of the grammar, from the user's cache folder where it has them."""
    reader = _lark(grammar_text())
    interactive = cast(_Interactive, cast(Any, reader).parse_interactive(""))
    conf = interactive.parser_state.parse_conf
    rules = list(conf.callbacks)
    number = {rule: index for index, rule in enumerate(rules)}
    states = conf.parse_table.states
    actions: list[dict[str, int]] = [{} for _ in range(max(states) + 1)]
    for state, row in states.items():
        actions[state] = {symbol: arg if isinstance(arg, int) else ~number[arg] for symbol, (_, arg) in row.items()}
    return Tables(
        tuple(actions),
        tuple(Rule(len(rule.expansion), rule.origin.name, conf.callbacks[rule]) for rule in rules),
        conf.start_state,
        conf.end_state,
        Lexicon(tuple(_terminals(reader))),
    )


def _terminals(reader: Lark) -> list[Terminal]:
    found: list[Terminal] = []
    for terminal in reader.terminals:
        pattern = terminal.pattern
        literal = pattern.value if isinstance(pattern, PatternStr) else None
        found.append(
            Terminal(terminal.name, pattern.to_regexp(), literal, terminal.priority, min(pattern.max_width, 1 << 20))
        )
    return found


def grammar_text() -> str:
    """The text of the grammar: in the package where it was installed, else in the checkout around it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "grammars" / _FILE_NAME
    chosen = inside if inside.is_file() else package.parent / "grammars" / _FILE_NAME
    return chosen.read_text(encoding="utf-8")


def _lark(grammar: str) -> Lark:
    cache = _cache_file(grammar)
    if cache is not None:
        try:
            return _open(grammar, str(cache))
        except OSError:
            pass  # a cache that cannot be written is no reason to fail
    return _open(grammar, cache=False)


def _open(grammar: str, cache: str | bool) -> Lark:
    return Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        start="file",
        maybe_placeholders=True,
        tree_class=cast(Any, Reduction),
        cache=cast(Any, cache),
    )


def _cache_file(grammar: str) -> Path | None:
    """Where lark may keep its tables: a name of its own for each grammar and user, in a folder that we can write."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(given) if os.path.isabs(given) else Path.home() / ".cache"
        folder = base / "archdsl"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    if not os.access(folder, os.W_OK):
        return None
    return folder / f"grammar-{sha256(grammar.encode()).hexdigest()[:16]}.lark-tables"
