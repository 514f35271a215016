"""Hostile texts: always an answer, never an exception, and not too many words."""

import pytest

from archdsl.syntax import parse
from archdsl.syntax.layout import MAX_DEPTH
from archdsl.syntax.parser import MAX_REPORTS
from archdsl.text import SourceFile

HEAD = "archdsl 1\nspace s() {\n  x = "
MEGA = 1_000_000

HOSTILE = {
    "nested": HEAD + "(" * 5000 + "a" + ")" * 5000 + "\n}\n",
    "nested and open": HEAD + "(" * 5000,
    "nested calls": HEAD + "f(x = [a + {" * 500 + "\n}\n",
    "nested blocks": "archdsl 1\nspace s() {\n" + "phase p {\n" * 300 + "}\n" * 300 + "}\n",
    "closers": ")" * 100_000,
    "one long sum": HEAD + "a + " * (MEGA // 8) + "a\n}\n",
    "one long line of names": "a " * (MEGA // 4),
    "strange characters": "$ ¿ " * 30_000,
    "quotes": '" ' * 100_000,
    "signs": HEAD + "-" * 100_000 + "a\n}\n",
    "powers": HEAD + "a ^ " * 50_000 + "a\n}\n",
    "newlines": "\n" * 200_000,
    "open items": "archdsl 1\n" + "space s() {\n x = (\n" * 3000,
    "mistake a line": "archdsl 1\nspace s() {\n" + "x + = 3\n" * 3000 + "}\n",
    "NUL": "archdsl 1\nuse \0std\n",
    "surrogate": "archdsl 1\nuse \ud800std\n",
    "long number": HEAD + "9" * 5000 + "\n}\n",
    "large exponent": HEAD + "1e999999999, 1e-99999, 1.5e9999\n}\n",
    "long shape": HEAD + "1x" * 5000 + "1\n}\n",
    "long version": "archdsl " + "9" * 5000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_answered(name: str) -> None:
    parsed = parse(SourceFile(name, HOSTILE[name]))
    assert len(parsed.diagnostics) <= MAX_REPORTS + 1
    assert (parsed.diagnostics == ()) == (name == "one long sum")


DEEPEST = {
    "calls": ("f(a < b + c * g -> h(x = a * ", ")" * 2),
    "indices": ("a + b * q[", "]"),
    "groups": ("a + b * (c < ", ")"),
    "sets": ("a + b * {c + ", "}"),
    "cases": ("case a {\n when 1: 2 * ", "\n}"),
    "signs": ("-", ""),
    "powers": ("2 ^ ", ""),
}


@pytest.mark.parametrize("name", DEEPEST)
def test_the_deepest_trees_can_be_compared_and_shown(name: str) -> None:
    opening, closing = DEEPEST[name]
    levels = (MAX_DEPTH - 1) // max(1, len(closing.strip()))
    source = SourceFile(name, HEAD + opening * levels + "z" + closing * levels + "\n}\n")
    one, other = parse(source), parse(source)
    assert one.diagnostics == ()
    assert one.file == other.file
    assert hash(one.file) == hash(other.file)
    assert "Space" in repr(one.file)


@pytest.mark.parametrize("name", ["groups", "sets", "cases", "signs", "powers"])
def test_deeper_is_one_report(name: str) -> None:
    opening, closing = DEEPEST[name]
    levels = MAX_DEPTH + 1
    parsed = parse(SourceFile(name, HEAD + opening * levels + "z" + closing * levels + "\n}\nuse std\n"))
    assert [found.code for found in parsed.diagnostics] == ["E0112"]
    assert len(parsed.file.items) == 2


def test_ten_times_the_text_is_ten_times_the_tokens_and_nodes() -> None:
    line = "op a(c) = conv(c, k = 3) -> bn\n"
    small, large = (parse(SourceFile("x", "archdsl 1\n" + line * count)) for count in (30, 300))
    assert len(large.file.items) == 10 * len(small.file.items)
