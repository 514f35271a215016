"""Error recovery: each syntax error is reported once, and the tokens are repaired so that parsing goes on.

The text is read without values, one statement at a time. Where a token may not stand, small repairs are tried and
each judged by how far the statement can then be read. If none helps, the statement is left out; one that opens a
block gets a header that the grammar knows, so that the lines of its block are read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from archdsl.diagnostics import Diagnostic
from archdsl.syntax import report
from archdsl.syntax.automaton import Automaton
from archdsl.syntax.report import Repair, Trouble
from archdsl.syntax.tables import Tables
from archdsl.syntax.token_names import ARM_WORDS, ITEM_KINDS, STATEMENT_WORDS, nearest
from archdsl.syntax.tokens import CLOSERS, NAME, NEWLINE, OPENERS, Token
from archdsl.text import SourceFile

_AHEAD: Final = 14
_ENOUGH: Final = 2
_TRIES: Final = 8
_REPAIRS_A_STATEMENT: Final = 5

_INSERTED: Final[tuple[tuple[str, ...], ...]] = (
    ("COMMA",),
    ("EQUAL",),
    ("COLON",),
    ("IN",),
    ("OF",),
    ("_ARROW",),
    ("STAR",),
    (NEWLINE,),
    (NAME,),
    ("INT",),
    ("LPAR", "RPAR"),
    ("OF", NAME),
)
"""The tokens that a repair may insert, the likeliest first."""

_BEFORE_A_SET: Final = {"OPS": "EQUAL", "CHOOSE": "IN", "BRANCHES": "IN"}
"""For statements that have no block: what they need before their set."""

_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "OP": ("OP", NAME, "LPAR", "RPAR"),
    "CELL": ("CELL", NAME, "LPAR", "RPAR"),
    "SPACE": ("SPACE", NAME, "LPAR", "RPAR"),
    "SEARCH": ("SEARCH", NAME, "OF", NAME),
    "TRAIN": ("TRAIN", NAME, "OF", NAME),
    "GENOTYPE": ("GENOTYPE", NAME, "OF", NAME),
    "PHASE": ("PHASE", NAME),
    "ANSWER": ("ANSWER", NAME),
    "SCALES": ("SCALES",),
    "OUT": ("OUT", "CASE", NAME),
    "WHEN": ("WHEN", NAME, "COLON", "CASE", NAME),
    "ELSE": ("ELSE", "COLON", "CASE", NAME),
    "CASE": (NAME, "EQUAL", "CASE", NAME),
    "GRID": (NAME, "EQUAL", "GRID", "LPAR", "RPAR"),
    "HYPER": (NAME, "EQUAL", "HYPER", "LPAR", "RPAR"),
    "CHAIN": (NAME, "EQUAL", "CHAIN", "LPAR", "RPAR"),
}
"""For each kind that tells what a block is of: a header of the kind, as short as the grammar allows."""


@dataclass(slots=True)
class _Anchor:
    """The start of a statement: the number of tokens before it, and the parser's states there."""

    written: int
    states: list[int]
    repairs: int = 0
    reported: bool = False


@dataclass(slots=True)
class Recovered:
    tokens: list[Token] = field(default_factory=list[Token])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])


def recover(tables: Tables, source: SourceFile, tokens: Sequence[Token], excused: Sequence[int]) -> Recovered:
    """Tokens that the grammar accepts, with a report for each mistake.

    `excused` are the offsets of mistakes already reported, in order: what goes wrong in the same statement is
    taken for their consequence.
    """
    return _Recovery(tables, source, tokens, excused).run()


class _Recovery:
    def __init__(self, tables: Tables, source: SourceFile, tokens: Sequence[Token], excused: Sequence[int]) -> None:
        self._automaton = Automaton(tables)
        self._words = tables.lexicon.keywords
        self._marks = tables.lexicon.marks
        self._source = source
        self._tokens = tokens
        self._excused = excused
        self._recovered = Recovered()
        self._out = self._recovered.tokens
        self._states = [tables.start]
        self._anchors = [_Anchor(0, [tables.start])]
        self._at = 0

    def run(self) -> Recovered:
        tried: dict[int, int] = {}
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if self._automaton.step(self._states, token.kind):
                self._at += 1
                self._write(token)
            elif tried.get(self._at, 0) < _TRIES:
                tried = {self._at: tried.get(self._at, 0) + 1}
                self._mend(token)
            else:
                self._at += 1  # whatever the mending does, the text comes to its end
        return self._recovered

    def _write(self, token: Token) -> None:
        out, anchors = self._out, self._anchors
        previous = out[-1].kind if out else NEWLINE
        out.append(token)
        if token.kind == NEWLINE:
            fresh = _Anchor(len(out), self._states.copy())
            if previous == "LBRACE":
                anchors.append(fresh)
            else:
                anchors[-1] = fresh
        elif token.kind == "RBRACE" and previous == NEWLINE:
            anchors.pop()

    # Mending -----------------------------------------------------------------------------------

    def _mend(self, token: Token) -> None:
        anchor = self._anchors[-1]
        wrong_level = len(self._anchors) == 1 and self._is_line_of_a_block(token)
        if not wrong_level and anchor.repairs < _REPAIRS_A_STATEMENT:
            if self._set_after_all(token) or self._rename_first(token):
                return
            repair = self._best_repair(token)
            if repair is not None:
                anchor.repairs += 1
                self._say(repair)
                self._apply(repair)
                return
            if self._respell(0) or self._respell(2):
                return
        self._give_up(token, wrong_level=wrong_level)

    def _is_line_of_a_block(self, token: Token) -> bool:
        """Whether a line that belongs into a block stands outside of all blocks."""
        begins = self._anchors[-1].written == len(self._out)
        if not begins:
            return False
        if token.kind == NAME:
            next_kind = self._kind(self._at + 1)
            return next_kind in ("EQUAL", "LSQB", "DOT", "_DOTS", "AT", "LPAR")
        return self._source.text[token.start : token.stop] in (*STATEMENT_WORDS, *ARM_WORDS)

    def _kind(self, at: int) -> str:
        return self._tokens[at].kind if at < len(self._tokens) else "$END"

    def _ahead(self, at: int) -> list[str]:
        """The kinds from `at` to the end of the statement, or as many as a repair is judged by."""
        kinds: list[str] = []
        for token in self._tokens[at : at + _AHEAD]:
            kinds.append(token.kind)
            if token.kind == NEWLINE:
                break
        return kinds

    def _best_repair(self, token: Token) -> Repair | None:
        best: Repair | None = None
        best_score = (False, 0)
        for repair in self._repairs(token):
            ahead = self._ahead(self._at + repair.dropped)
            reached = self._automaton.reach(self._states, (*repair.inserted, *ahead)) - len(repair.inserted)
            complete = reached == len(ahead)
            if not complete and reached < _ENOUGH and not self._is_renamed(repair):
                continue
            score = (complete, 0 if complete else reached + 1)
            if score > best_score:
                best, best_score = repair, score
        return best

    def _repairs(self, token: Token) -> list[Repair]:
        """Candidate repairs before or at `token`, the likeliest first."""
        able = set(self._automaton.able(self._states))
        found: list[Repair] = []
        begins = self._anchors[-1].written == len(self._out)
        is_word = token.kind in self._words.values()
        if is_word and NAME in able:
            found.append(Repair((NAME,), 1, token))
        if token.kind in ("COLON", "COMPARE") and "EQUAL" in able:
            found.append(Repair(("EQUAL",), 1, token))
        if token.kind in ("EQUAL", "COMPARE") and "COLON" in able:
            found.append(Repair(("COLON",), 1, token))
        if token.kind == "EQUAL" and "COMPARE" in able:
            found.append(Repair(("COMPARE",), 1, token))
        if not begins:
            if self._is_product(token):
                found.append(Repair(("STAR",), 0, token))
            found += [
                Repair(kinds, 0, token)
                for kinds in _INSERTED
                if kinds[0] in able and (kinds[0] != NEWLINE or self._may_end_line(token))
            ]
        if token.kind != NEWLINE and token.kind not in OPENERS | CLOSERS and not (begins and is_word):
            found.append(Repair((), 1, token))
            if NAME in able and not begins:
                found.append(Repair((NAME,), 1, token))
        return found

    def _is_product(self, token: Token) -> bool:
        """Whether `token` touches a number, as in `2f`."""
        before = self._out[-1]
        return before.kind in ("INT", "FLOAT", "SHAPE") and before.stop == token.start and token.kind == NAME

    def _is_renamed(self, repair: Repair) -> bool:
        """Whether a repair reads a keyword as a name inside a statement, which is right however little follows."""
        begins = self._anchors[-1].written == len(self._out)
        is_word = repair.token.kind in self._words.values()
        return repair.inserted == (NAME,) and repair.dropped == 1 and is_word and not begins

    def _may_end_line(self, token: Token) -> bool:
        return token.kind != NEWLINE and not self._inside_brackets()

    def _inside_brackets(self) -> bool:
        level = 0
        for token in self._out[self._anchors[-1].written :]:
            level += (token.kind in OPENERS) - (token.kind in CLOSERS)
        return level > 0

    def _apply(self, repair: Repair) -> None:
        for kind in repair.inserted:
            place = repair.token.start if repair.dropped else self._last_stop()
            stop = repair.token.stop if repair.dropped else place
            self._automaton.step(self._states, kind)
            self._write(Token(kind, place, stop))
        self._at += repair.dropped

    def _last_stop(self) -> int:
        return self._out[-1].stop if self._out else 0

    # Words that nearly are keywords --------------------------------------------------------------

    def _respell(self, index: int) -> bool:
        """Read a word of the statement as the keyword that it nearly is, where that helps."""
        anchor = self._anchors[-1]
        place = anchor.written + index
        written = [*self._out[anchor.written :], *self._tokens[self._at : self._at + 1]]
        if index >= len(written) or written[index].kind != NAME:
            return False
        word = self._source.text[written[index].start : written[index].stop]
        before = self._automaton.after(anchor.states, [token.kind for token in written[:index]])
        if before is None:
            return False
        able = set(self._automaton.able(before))
        keyword = nearest(word, [word for word, kind in self._words.items() if kind in able])
        if keyword is None or not self._reread(place, self._words[keyword]):
            return False
        self._diagnose(report.misspelt(self._source, written[index], keyword))
        return True

    def _rename_first(self, token: Token) -> bool:
        """Read a keyword that begins a line and stands before `=` as a name."""
        anchor = self._anchors[-1]
        if token.kind != "EQUAL" or len(self._out) != anchor.written + 1:
            return False
        first = self._out[-1]
        if not self._reread(anchor.written, NAME):
            return False
        self._diagnose(report.repaired(self._source, Repair((NAME,), 1, first), None, self._marks, ()))
        return True

    def _reread(self, place: int, kind: str) -> bool:
        """Give the token at `place` of the statement another kind, if the statement can then be read further."""
        anchor = self._anchors[-1]
        here = place == len(self._out)
        tokens = [*self._out[anchor.written :], *self._tokens[self._at : self._at + here]]
        old = tokens[place - anchor.written]
        tokens[place - anchor.written] = Token(kind, old.start, old.stop)
        ahead = self._ahead(self._at + here)
        states = self._automaton.after(anchor.states, [token.kind for token in tokens])
        if states is None or self._automaton.reach(states, ahead) < min(len(ahead), _ENOUGH):
            return False
        anchor.repairs += 1
        self._out[anchor.written :] = tokens
        self._states = states
        self._at += here
        return True

    def _set_after_all(self, token: Token) -> bool:
        """Read what seemed to be a block as the set of a statement whose `=` or `in` is missing."""
        mark = _BEFORE_A_SET.get(self._first().kind)
        if mark is None or token.kind != "LBRACE" or self._automaton.after(self._states, (mark, "LBRACE")) is None:
            return False
        self._say(Repair((mark,), 0, token))
        self._automaton.step(self._states, mark)
        self._write(Token(mark, self._last_stop(), self._last_stop()))
        level = 0
        while self._at < len(self._tokens):
            inner = self._tokens[self._at]
            if inner.kind != NEWLINE:
                if not self._automaton.step(self._states, inner.kind):
                    return True
                self._write(inner)
                level += (inner.kind in OPENERS) - (inner.kind in CLOSERS)
            self._at += 1
            if level == 0:
                return True
        return True

    def _first(self) -> Token:
        written = self._anchors[-1].written
        return self._out[written] if written < len(self._out) else self._tokens[self._at]

    # Leaving out -------------------------------------------------------------------------------

    def _give_up(self, token: Token, *, wrong_level: bool) -> None:
        anchor = self._anchors[-1]
        able = self._automaton.able(self._states)
        before = self._out[-1] if len(self._out) > anchor.written else None
        trouble = Trouble(token, before, able, self._first(), wrong_level=wrong_level, in_block=len(self._anchors) > 1)
        brace = self._block_ahead()
        nested_item = trouble.in_block and token.kind in ITEM_KINDS and before is None
        if brace is not None and not wrong_level and not nested_item:
            header = self._header(brace)
            if header is not None:
                self._diagnose(report.broken_header(self._source, trouble, self._marks))
                self._put_header(header, brace)
                return
        self._diagnose(report.out_of_place(self._source, trouble, self._marks))
        del self._out[anchor.written :]
        self._states = anchor.states.copy()
        self._skip_statement(to_item=len(self._anchors) == 1)

    def _block_ahead(self) -> int | None:
        """Where the block of this statement opens, if it has one."""
        for at in range(self._at, len(self._tokens)):
            kind = self._tokens[at].kind
            if kind == NEWLINE:
                return at - 1 if at > self._at and self._tokens[at - 1].kind == "LBRACE" else None
        return None

    def _header(self, brace: int) -> list[Token] | None:
        """The shortest header of the kind that the broken one seems to be of, with its own name."""
        anchor = self._anchors[-1]
        written = [*self._out[anchor.written :], *self._tokens[self._at : brace]]
        place = self._tokens[brace].start
        named = next((token for token in written if token.kind == NAME), Token(NAME, place, place))
        seen = {token.kind for token in written}
        likely = sorted(_HEADERS, key=lambda kind: kind not in seen)
        for kind in likely:
            kinds = _HEADERS[kind]
            if self._automaton.after(anchor.states, (*kinds, "LBRACE", NEWLINE)) is None:
                continue
            header = [Token(kind, place, place) for kind in kinds]
            header[kinds.index(NAME)] = named
            return header
        return None

    def _put_header(self, header: list[Token], brace: int) -> None:
        anchor = self._anchors[-1]
        anchor.repairs = _REPAIRS_A_STATEMENT
        del self._out[anchor.written :]
        self._states = anchor.states.copy()
        for token in header:
            self._automaton.step(self._states, token.kind)
            self._out.append(token)
        self._at = brace

    def _skip_statement(self, *, to_item: bool) -> None:
        """Panic mode: skip the statement with its blocks; outside of blocks, skip to the next item."""
        level = 0
        while self._at < len(self._tokens):
            kind = self._tokens[self._at].kind
            opens = kind == "LBRACE" and self._kind(self._at + 1) == NEWLINE
            closes = kind == "RBRACE" and self._at > 0 and self._tokens[self._at - 1].kind == NEWLINE
            if closes and level == 0 and self._automaton.reach(self._states, (kind,)):
                return
            level = max(0, level + opens - closes)
            self._at += 1
            if kind == NEWLINE and level == 0 and (not to_item or self._kind(self._at) in ITEM_KINDS):
                return

    # Saying ------------------------------------------------------------------------------------

    def _say(self, repair: Repair) -> None:
        before = self._out[-1] if len(self._out) > self._anchors[-1].written else None
        self._diagnose(report.repaired(self._source, repair, before, self._marks, self._automaton.able(self._states)))

    def _diagnose(self, diagnostic: Diagnostic) -> None:
        if not self._is_excused():
            self._recovered.diagnostics.append(diagnostic)

    def _is_excused(self) -> bool:
        start = self._first().start
        stop = start
        for at in range(self._at, len(self._tokens)):
            stop = self._tokens[at].stop
            if self._tokens[at].kind == NEWLINE:
                break
        nearest_one = bisect_left(self._excused, start)
        return nearest_one < len(self._excused) and self._excused[nearest_one] <= stop
