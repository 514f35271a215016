"""Names of tokens in messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from archdsl.syntax.tokens import NAME, NEWLINE, Token
from archdsl.text import SourceFile

ITEM_KINDS: Final = frozenset({"USE", "OP", "OPS", "CELL", "SPACE", "COST", "SEARCH", "TRAIN", "GENOTYPE"})
ITEM_WORDS: Final = ("use", "op", "ops", "cell", "space", "cost", "search", "train", "genotype")
STATEMENT_WORDS: Final = ("in", "out", "choose", "branches", "start", "each", "phase", "answer", "scales")
ARM_WORDS: Final = ("when", "else")

_OPERATORS: Final = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "CIRCUMFLEX", "COMPARE", "_ARROW", "_DOTS"})
_POSTFIX: Final = frozenset({"LSQB", "DOT", "AT"})
_LONGEST: Final = 4
_MANY_OPERATORS: Final = 3
_BRIEF: Final = 30


def found(source: SourceFile, token: Token) -> str:
    """The name of a token as found, for a message."""
    if token.kind == NEWLINE:
        return "the end of the line"
    text = source.text[token.start : token.stop]
    if not text:
        return "the end of the file"
    return f"`{brief(text)}`"


def brief(text: str) -> str:
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


def expected(kinds: Iterable[str], marks: Mapping[str, str]) -> str:
    """The expected tokens, for a message: the most useful first, at most four."""
    able = set(kinds)
    phrases: list[str] = []
    if "CELL" in able:
        phrases.append("an item such as `cell` or `space`")
        able -= {marks_kind for marks_kind, text in marks.items() if text in ITEM_WORDS}
    if "CHOOSE" in able:
        phrases.append("a statement such as `x = …`, `in` or `out`")
        able -= {kind for kind, text in marks.items() if text in STATEMENT_WORDS} | {NAME}
    if "WHEN" in able:
        phrases.append("`when …:` or `else: …`")
        able -= {"WHEN", "ELSE"}
    if "INT" in able and NAME in able:
        phrases.append("a value")
        able -= {"INT", "FLOAT", "SHAPE", "STRING", NAME, "LPAR", "LBRACE", "CASE", "MINUS"}
    if NAME in able and "LBRACE" in able:
        phrases.append("an op")
        able -= {"LBRACE"}
    elif NAME in able:
        phrases.append("a name")
    for kind, phrase in (("INT", "a whole number"), ("SHAPE", "a shape such as `3x512x1024`"), ("STRING", "a string")):
        if kind in able:
            phrases.append(phrase)
    fixed = [kind for kind in marks if kind in able and kind not in _OPERATORS and kind not in _POSTFIX]
    phrases += [f"`{marks[kind]}`" for kind in fixed]
    if NEWLINE in able:
        phrases.append("the end of the line")
    if len(able & _OPERATORS) >= _MANY_OPERATORS:
        phrases.append("an operator")
    if not phrases:
        phrases = [f"`{marks[kind]}`" for kind in marks if kind in able] or ["nothing"]
    return listed(phrases[:_LONGEST])


def listed(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}"


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to `word`, for a suggestion; None where none is close."""
    from difflib import get_close_matches  # slow to import, and only mistakes need it

    close = get_close_matches(word.lower(), list(candidates), n=1, cutoff=0.7)
    return close[0] if close else None
