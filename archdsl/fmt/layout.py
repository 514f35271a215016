"""The layout tree of a text: rows of tokens, bracket groups and blocks, with comments attached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from archdsl.syntax import Parsed, Token

_OPENERS: Final = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_NEWLINE: Final = "_NL"
_COMMENT: Final = "COMMENT"
_CALLED: Final = frozenset({"NAME", "CHAIN", "HYPER", "GRID", "RSQB"})
_OPERAND_ENDS: Final = frozenset({"NAME", "INT", "FLOAT", "SHAPE", "STRING", "RPAR", "RSQB", "RBRACE"})
_BEFORE_A_BLOCK: Final = (_OPERAND_ENDS - {"RBRACE"}) | {"SCALES"}
_TIGHT_BEFORE: Final = frozenset({"COMMA", "COLON", "DOT", "_DOTS", "AT"})
_TIGHT_AFTER: Final = frozenset({"DOT", "_DOTS", "AT"})


@dataclass(frozen=True, slots=True)
class Word:
    """One token; `sign` for a minus that belongs to the value after it."""

    kind: str
    text: str
    sign: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment between the tokens of a row; `own_line` where it is alone on its line."""

    text: str
    own_line: bool


@dataclass(slots=True)
class Row:
    """A line of a block or an entry of a bracket group, with the comment behind it; only a comment if no words."""

    parts: list[Part] = field(default_factory=list["Part"])
    remark: str | None = None
    after_blank: bool = False


@dataclass(slots=True)
class Group:
    """`( )`, `[ ]` or a set; `flat` is its text on one line, None where it has to be on several."""

    opener: str
    called: bool
    rows: list[Row] = field(default_factory=list[Row])
    head: str | None = None
    trailing_comma: bool = False
    flat: str | None = None

    @property
    def signs(self) -> tuple[str, str]:
        return {"LPAR": ("(", ")"), "LSQB": ("[", "]"), "LBRACE": ("{", "}")}[self.opener]


@dataclass(slots=True)
class Block:
    rows: list[Row] = field(default_factory=list[Row])
    head: str | None = None


Part = Word | Remark | Group | Block


def layout(parsed: Parsed) -> list[Row]:
    """The rows of a text without syntax errors."""
    return _Reader(parsed).rows_to("")[0]


def spaced(before: Part, after: Part) -> bool:
    """Whether two neighbours on a line are separated by a space."""
    match after:
        case Word():
            if after.kind in _TIGHT_BEFORE:
                return False
        case Group():
            if after.opener == "LPAR" and after.called:
                return False
            if after.opener == "LSQB" and _last_kind(before) in ("NAME", "RSQB"):
                return False
        case Remark() | Block():
            return True
    return not (isinstance(before, Word) and (before.sign or before.kind in _TIGHT_AFTER))


def flat(parts: Sequence[Part]) -> str | None:
    """Neighbours on one line, or None where one of them needs several."""
    texts: list[str] = []
    before: Part | None = None
    for part in parts:
        if before is not None and spaced(before, part):
            texts.append(" ")
        match part:
            case Word():
                texts.append(part.text)
            case Group():
                if part.flat is None:
                    return None
                texts.append(part.flat)
            case Remark() | Block():
                return None
        before = part
    return "".join(texts)


def _last_kind(part: Part) -> str:
    match part:
        case Word():
            return part.kind
        case Group():
            return _OPENERS[part.opener]
        case Block():
            return "RBRACE"
        case Remark():
            return _COMMENT


class _Reader:
    def __init__(self, parsed: Parsed) -> None:
        self._text = parsed.source.text
        self._tokens = parsed.tokens
        self._at = 0
        self._previous = _NEWLINE

    def rows_to(self, closer: str) -> tuple[list[Row], str | None]:
        """The rows of a file or block, each line one, and the comment beside the opening bracket."""
        rows: list[Row] = []
        head: str | None = None
        row = Row()
        newlines = 2 if not closer else 0
        while self._at < len(self._tokens):
            token = self._next()
            if token.kind == _NEWLINE:
                if row.parts:
                    rows.append(row)
                    row, newlines = Row(), 0
                newlines += 1
            elif token.kind == _COMMENT:
                text = self._spelled(token).rstrip()
                if row.parts:
                    row.remark = text
                elif newlines == 0 and not rows:
                    head = text
                else:
                    rows.append(Row(remark=text, after_blank=newlines > 1))
                    newlines = 0
            elif token.kind == closer:
                break
            else:
                if not row.parts:
                    row.after_blank = newlines > 1
                row.parts.append(self._part(token))
        if row.parts:
            rows.append(row)
        return rows, head

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _spelled(self, token: Token) -> str:
        return self._text[token.start : token.stop]

    def _part(self, token: Token) -> Part:
        previous, self._previous = self._previous, token.kind
        if token.kind not in _OPENERS:
            sign = token.kind == "MINUS" and previous not in _OPERAND_ENDS
            return Word(token.kind, self._spelled(token), sign)
        closer = _OPENERS[token.kind]
        if token.kind == "LBRACE" and previous in _BEFORE_A_BLOCK:
            rows, head = self.rows_to(closer)
            part: Part = Block(rows, head)
        else:
            part = self._group(token, called=previous in _CALLED)
        self._previous = closer
        return part

    def _group(self, opener: Token, *, called: bool) -> Group:
        group = Group(opener.kind, called)
        closer = _OPENERS[opener.kind]
        row = Row()
        newlines = 0
        while self._at < len(self._tokens):
            token = self._next()
            if token.kind == _NEWLINE:
                newlines += 1
                continue
            if token.kind == closer:
                break
            if token.kind == _COMMENT:
                self._remark(group, row, token, newlines)
            elif token.kind == "COMMA":
                _finish(group, row)
                row = Row()
                group.trailing_comma = True
                self._previous = "COMMA"
            else:
                if not row.parts:
                    row.after_blank = newlines > 1
                    group.trailing_comma = False
                row.parts.append(self._part(token))
            newlines = 0
        _finish(group, row)
        group.flat = _flat_group(group)
        return group

    def _remark(self, group: Group, row: Row, token: Token, newlines: int) -> None:
        text = self._spelled(token).rstrip()
        if row.parts:
            row.parts.append(Remark(text, own_line=newlines > 0))
        elif newlines > 0:
            group.rows.append(Row(remark=text, after_blank=newlines > 1))
        elif not group.rows:
            group.head = text
        elif group.rows[-1].remark is None:
            group.rows[-1].remark = text
        else:
            group.rows.append(Row(remark=text))


def _finish(group: Group, row: Row) -> None:
    """Append an entry to its group; comments at its end go after its comma."""
    behind: list[Remark] = []
    while row.parts:
        last = row.parts[-1]
        if not isinstance(last, Remark):
            break
        behind.insert(0, last)
        row.parts.pop()
    if row.parts:
        if behind and not behind[0].own_line:
            row.remark = behind.pop(0).text
        group.rows.append(row)
    group.rows += [Row(remark=remark.text) for remark in behind]


def _flat_group(group: Group) -> str | None:
    if group.head is not None or (group.trailing_comma and wants_comma(group)):
        return None
    entries: list[str] = []
    for row in group.rows:
        text = None if row.remark is not None else flat(row.parts)
        if text is None:
            return None
        entries.append(text)
    opener, closer = group.signs
    return f"{opener}{', '.join(entries)}{closer}"


def wants_comma(group: Group) -> bool:
    """Whether the last entry of a group on several lines ends with a comma too."""
    if group.opener == "LSQB":
        return False
    return group.opener == "LBRACE" or group.called or sum(bool(row.parts) for row in group.rows) > 1
