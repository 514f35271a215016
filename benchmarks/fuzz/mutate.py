"""One text made into another: by bytes, tokens, lines, subtrees, numbers, names and items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from archdsl.syntax import Parsed, ast, parse
from archdsl.syntax.tree import walk
from archdsl.text import SourceFile

_NUMBERS: Final = (
    *("0", "1", "2", "3", "4", "5", "7", "8", "16", "24", "25", "33", "64", "97", "512", "769", "1024", "4097"),
    *("-1", "-3", "(-2)", "1 / 2", "1 / 3", "3 / 2", "0.5", "0.1", "1e-9", "2.0", "1e3", "(2 / 3) ^ 7"),
    *("100_000", "100_001", "999_999_999", "1_000_000_007", "10 ^ 18", "2 ^ 256", "9 ^ 9 ^ 9", "1e599", "1" * 300),
)
_WORDS: Final = (
    *("x", "prev", "prev2", "earlier", "identity", "conv", "relu", "bn", "concat", "zero", "c", "layer", "trunk"),
    *("searching", "yes", "no", "true", "false", "in", "out", "aux", "each", "per", "branches", "case", "else", "_"),
    *("n" * 300, "x9999999999", "std"),
)
_SHAPES: Final = ("3x64x64", "1x1", "0x0x0", "3x1x1", "3x769x769", "1x3x7x9", "3x99999x99999", "1x15", "3x999999999x2")
_JUNK: Final = (
    *(
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        "=",
        ":",
        "@",
        "^",
        "+",
        "-",
        "*",
        "/",
        ".",
        "<",
        ">",
        ";",
        "$",
        "'",
        '"',
        "#",
    ),
    *("\n", "->", "..", "==", "\t", "\r", "\0", "\u00e9", "\u2028", "\ufeff", "\U0001f600", "//", "\\"),
)


@dataclass(frozen=True, slots=True)
class Mutated:
    data: bytes
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where something stands in a text, and of what kind it is."""

    start: int
    stop: int
    kind: str


def mutated(text: str, others: Sequence[str], random: Random) -> Mutated:
    """The text after one to five changes; what comes from elsewhere comes from `others`."""
    how = tuple(random.choices(list(_CHANGES), _WEIGHTS, k=random.choice((1, 1, 1, 1, 2, 2, 4))))
    for each in how:
        text = _CHANGES[each](text, random.choice(others), random)
    data = text.encode("utf-8", errors="surrogatepass")
    if random.random() < 0.04:
        return Mutated(_bytes(data, random), (*how, "bytes"))
    return Mutated(data, how)


def _bytes(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    more = bytes(random.randrange(256) for _ in range(random.randrange(4)))
    return data[:at] + more + data[at + random.randrange(4) :]


# By pieces -------------------------------------------------------------------------------------


def _read(text: str) -> Parsed:
    return parse(SourceFile("mutated.arch", text))


def _tokens(text: str) -> list[_Piece]:
    return [_Piece(token.start, token.stop, token.kind) for token in _read(text).tokens if token.stop > token.start]


def _numbers(text: str) -> list[_Piece]:
    return [piece for piece in _tokens(text) if text[piece.start : piece.stop].replace("_", "").isdigit()]


def _names(text: str) -> list[_Piece]:
    return [piece for piece in _tokens(text) if text[piece.start : piece.stop].isidentifier()]


def _shapes(text: str) -> list[_Piece]:
    return [piece for piece in _tokens(text) if piece.kind == "SHAPE"]


def _lines(text: str) -> list[_Piece]:
    found: list[_Piece] = []
    at = 0
    for line in text.splitlines(keepends=True):
        found.append(_Piece(at, at + len(line), "line"))
        at += len(line)
    return found


def _nodes(text: str) -> list[_Piece]:
    """Subtrees, each by its very kind: a sum can be replaced by a sum."""
    return [_Piece(node.span.start, node.span.stop, type(node).__name__) for node in _walk(text)]


def _expressions(text: str) -> list[_Piece]:
    """Subtrees that may stand for each other as far as the grammar goes."""
    return [_Piece(node.span.start, node.span.stop, "") for node in _walk(text) if isinstance(node, ast.Expr)]


def _statements(text: str) -> list[_Piece]:
    return [_Piece(node.span.start, node.span.stop, "") for node in _walk(text) if isinstance(node, ast.Statement)]


def _items(text: str) -> list[_Piece]:
    return [_Piece(node.span.start, node.span.stop, "") for node in _walk(text) if isinstance(node, ast.Item)]


def _walk(text: str) -> list[ast.Node]:
    every = (node for item in _read(text).file.items for node in walk(item))
    return [node for node in every if node.span.stop > node.span.start]


def _replaced(text: str, piece: _Piece, new: str) -> str:
    return text[: piece.start] + new + text[piece.stop :]


def _moved(find: Callable[[str], list[_Piece]], *, between: str) -> Callable[[str, str, Random], str]:
    """Delete, double, swap, or replace by one of the same kind, from this text or another."""

    def change(text: str, other: str, random: Random) -> str:
        found = find(text)
        if not found:
            return text
        piece = random.choice(found)
        said = text[piece.start : piece.stop]
        match random.choice(("delete", "double", "swap", "swap", "near", "near", "foreign", "foreign")):
            case "delete":
                return _replaced(text, piece, "")
            case "double":
                return _replaced(text, piece, said + between + said)
            case "swap":
                second = random.choice(_alike(found, piece))
                first, last = sorted((piece, second), key=lambda each: each.start)
                if first.stop > last.start:  # one lies in the other
                    return _replaced(text, piece, text[second.start : second.stop])
                swapped = _replaced(text, last, text[first.start : first.stop])
                return _replaced(swapped, first, text[last.start : last.stop])
            case "near":
                second = random.choice(_alike(found, piece))
                return _replaced(text, piece, text[second.start : second.stop])
            case _:
                foreign = find(other)
                if not foreign:
                    return text
                second = random.choice(_alike(foreign, piece) or foreign)
                return _replaced(text, piece, other[second.start : second.stop])

    return change


def _alike(found: Sequence[_Piece], piece: _Piece) -> list[_Piece]:
    return [each for each in found if each.kind == piece.kind]


def _set(find: Callable[[str], list[_Piece]], to: Sequence[str]) -> Callable[[str, str, Random], str]:
    """Another word in the place of one."""

    def change(text: str, other: str, random: Random) -> str:
        found = find(text)
        return _replaced(text, random.choice(found), random.choice(to)) if found else text

    return change


def _renamed(text: str, other: str, random: Random) -> str:
    """A name of this text, or of another one, in the place of a name."""
    found = _names(text)
    second = random.choice((text, other))
    names = _names(second)
    if not found or not names:
        return text
    name = random.choice(names)
    return _replaced(text, random.choice(found), second[name.start : name.stop])


def _disturbed(text: str, other: str, random: Random) -> str:
    """Characters that belong nowhere, or a piece cut out."""
    at = random.randrange(len(text) + 1)
    if random.random() < 0.2:
        return text[:at] + text[random.randrange(at, len(text) + 1) :]
    return text[:at] + random.choice(_JUNK) * random.choice((1, 1, 1, 2, 30)) + text[at + random.randrange(3) :]


def _wrapped(text: str, other: str, random: Random) -> str:
    """An expression inside of more of the same."""
    found = _expressions(text)
    if not found:
        return text
    piece = random.choice(found)
    opening, closing = random.choice(_AROUND)
    times = random.choice((1, 1, 1, 2, 7, 40))
    return _replaced(text, piece, opening * times + text[piece.start : piece.stop] + closing * times)


_AROUND: Final = (
    *(("(", ")"), ("{", "}"), ("-", ""), ("sum(", ")"), ("concat(", ")"), ("channels(", ")"), ("2 ^ ", "")),
    *(("", " -> relu"), ("", " -> {identity, conv3x3}"), ("", " + 1"), ("", " * 2"), ("", " / 3"), ("", "[1]")),
    *(("case searching {\n when yes: ", "\n else: 1\n}"), ("1..", ""), ("{1, 2, ", "}"), ("", " -> resize(2)")),
)

_CHANGES: Final[Mapping[str, Callable[[str, str, Random], str]]] = {
    "tokens": _moved(_tokens, between=" "),
    "lines": _moved(_lines, between=""),
    "nodes": _moved(_nodes, between=", "),
    "expressions": _moved(_expressions, between=", "),
    "statements": _moved(_statements, between="\n"),
    "items": _moved(_items, between="\n"),
    "numbers": _set(_numbers, _NUMBERS),
    "shapes": _set(_shapes, _SHAPES),
    "words": _set(_names, _WORDS),
    "names": _renamed,
    "characters": _disturbed,
    "wrapped": _wrapped,
}
_WEIGHTS: Final = (2, 2, 9, 3, 3, 1, 7, 1, 2, 4, 1, 3)
