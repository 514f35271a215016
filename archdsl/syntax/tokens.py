"""The lexer: from characters to tokens, by the terminals of the grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archdsl.text import SourceFile, Span

NEWLINE = "_NL"
COMMENT = "COMMENT"
NAME = "NAME"
STRING = "STRING"
FOREIGN = "FOREIGN"
OPEN_STRING = "OPEN_STRING"
UNKNOWN = "UNKNOWN"
STRANGE = frozenset({FOREIGN, OPEN_STRING, UNKNOWN})

OPENERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}

ENDS_AN_OPERAND = frozenset({NAME, "INT", "FLOAT", "SHAPE", STRING, "RPAR", "RSQB"})
BEFORE_A_BLOCK = ENDS_AN_OPERAND | {"PHASE", "ANSWER", "OF", "SCALES"}
"""A `{` opens a block after one of these, and a set after anything else.

After the first three keywords a name is missing, but the block is a block all the same.
"""

_BLANK = "BLANK"

# What other languages and word processors write; each has a meaning that can be told (see spelling.py).
_FOREIGN = (
    r"//[^\n]*"
    r"|/\*[^\n]*"
    r"|\*\*"
    r"|=>"
    r"|'[^'\n]*'?"
    r"|[“”][^“”\"\n]*[“”\"]?"
    r"|[;→⇒≤≥≠×·⋅−–—…\u00a0]"
    r"|\b(?:[Tt]rue|[Ff]alse|TRUE|FALSE)\b"
)
_OPEN_STRING = r'"[^"\n,)\]}]*'


class Token(NamedTuple):
    """A token: a terminal's name and a range of characters; its text is in the source."""

    kind: str
    start: int
    stop: int


class Terminal(NamedTuple):
    """A terminal of the grammar: `literal` where it is a fixed text, else a regular expression."""

    name: str
    pattern: str
    literal: str | None
    priority: int
    width: int


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, from its `#` to the end of its line."""

    span: Span

    @property
    def text(self) -> str:
        return self.span.text.rstrip()


@dataclass(frozen=True)
class Lexicon:
    """The tokens of a language as one regular expression and a table of keywords."""

    terminals: tuple[Terminal, ...]

    @cached_property
    def keywords(self) -> dict[str, str]:
        return {t.literal: t.name for t in self.terminals if t.literal is not None and t.literal.isidentifier()}

    @cached_property
    def marks(self) -> dict[str, str]:
        """The text of each literal terminal, by kind."""
        return {t.name: t.literal for t in self.terminals if t.literal is not None}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        free = [t for t in self.terminals if t.literal is None or not t.literal.isidentifier()]
        free.sort(key=lambda t: (-t.priority, -t.width, -len(t.pattern), t.name))
        groups = [f"(?P<{FOREIGN}>{_FOREIGN})", *(f"(?P<{t.name}>{t.pattern})" for t in free)]
        groups += [f"(?P<{OPEN_STRING}>{_OPEN_STRING})", f"(?P<{UNKNOWN}>.)"]
        return re.compile("|".join(groups), re.DOTALL)

    def tokens(self, text: str) -> list[Token]:
        """All tokens of `text`, newlines and comments included. Never raises."""
        keywords = self.keywords
        found: list[Token] = []
        add = found.append
        for match in self._pattern.finditer(text):
            kind = match.lastgroup or UNKNOWN
            if kind == _BLANK:
                continue
            if kind == NAME:
                add(Token(keywords.get(match[0], NAME), match.start(), match.end()))
            else:
                add(Token(kind, match.start(), match.end()))
        return found


def comments_of(source: SourceFile, tokens: list[Token]) -> tuple[Comment, ...]:
    return tuple(Comment(Span(source, token.start, token.stop)) for token in tokens if token.kind == COMMENT)
