"""Definitions that use themselves are reported though nothing uses them; what can end is not."""

from __future__ import annotations

import pytest

from archdsl.session import check_source
from archdsl.text import SourceFile

SPACE = "space net() {\n  in image: 3x8x8\n  out y = image -> relu\n}\n"


def messages(text: str) -> list[str]:
    checked = check_source(SourceFile("net.arch", f"archdsl 1\n\n{text}\n{SPACE}"))
    return [each.message for each in checked.diagnostics if each.code == "E0401"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("op a() = relu -> a\n", "`a` uses itself"),
        ("op a() = b\nop b() = c\nop c() = b\n", "`b` uses itself: `b` uses `c` uses `b`"),
        ("ops s = {relu, t}\nops t = {s}\n", "`s` uses itself: `s` uses `t` uses `s`"),
        ("cell c() {\n  in x\n  q = chain(x) {\n    c() * 2\n  }\n  out q\n}\n", "`c` uses itself"),
        ("op a() {\n  in x\n  out x -> s\n}\nops s = {a, relu}\n", "`a` uses itself: `a` uses `s` uses `a`"),
    ],
)
def test_a_circle_that_nothing_uses(text: str, message: str) -> None:
    assert messages(text) == [message]


@pytest.mark.parametrize(
    "text",
    [
        "op a(n) {\n  in x\n  out case n {\n    when 1: x -> relu\n    else: x -> a(n - 1)\n  }\n}\n",
        "cell c(n) {\n  in x\n  q = chain(x) {\n    c(n = n - 1) * n\n  }\n  out q\n}\n",
        "op a() {\n  in b\n  out b -> relu\n}\nop b() = a\n",
        "op relu_twice() = relu -> relu\nop again() = relu_twice\n",
    ],
)
def test_what_can_end_and_what_only_has_the_name(text: str) -> None:
    assert messages(text) == []


def test_a_circle_that_a_space_uses_is_reported_once() -> None:
    text = "archdsl 1\n\nop a() = a\n\n" + SPACE.replace("-> relu", "-> a")
    checked = check_source(SourceFile("net.arch", text))
    assert [each.code for each in checked.diagnostics] == ["E0401"]


def test_long_chains_of_definitions_are_no_recursion() -> None:
    text = "".join(f"op a{n}() = a{n + 1}\n" for n in range(5_000)) + "op a5000() = relu\n"
    assert messages(text) == []
