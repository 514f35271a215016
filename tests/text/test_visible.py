"""What may reach a screen, and how the rest is spelled."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.text import hidden, visible, visible_json, visible_line

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
SPELLED = {
    "\x1b[31mred": r"\x1b[31mred",
    "\x9b31m": r"\u009b31m",
    "a\rb\x7f": r"a\rb\x7f",
    "a\u202eb": r"a\u202eb",
    "a\u200bb": r"a\u200bb",
    "tag\U000e0041": r"tag\U000e0041",
    "caf\udce9": r"caf\udce9",
    "a\u2028b": r"a\u2028b",
}
SEEN = (
    "",
    "plain",
    "tab\tand\nlines\n",
    "café 漢字 😀",
    "\u0646\u200c\u0645",
    "👩\u200d👩\u200d👧",
    "\ue0a0",
    "a\u00a0b",
)


@pytest.mark.parametrize("text", SPELLED, ids=ascii)
def test_what_cannot_be_seen_is_spelled(text: str) -> None:
    assert visible(text) == visible_line(text) == SPELLED[text]
    assert hidden(text) is not None


@pytest.mark.parametrize("text", SEEN, ids=ascii)
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text
    assert hidden(text) is None


def test_a_line_is_one_line() -> None:
    assert visible_line("a\nerror: b\tc\r\n") == r"a\nerror: b\tc\r\n"


def test_every_control_and_every_character_that_turns_the_direction_is_spelled() -> None:
    turning = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    steering = [
        each
        for each in EVERY
        if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(each) in turning
    ]
    assert [each for each in steering if visible_line(each) == each] == []
    assert [each for each in steering if visible(each) == each] == ["\t", "\n"]


def test_whatever_is_printable_is_shown_as_it_is() -> None:
    assert [each for each in EVERY if each.isprintable() and visible_line(each) != each] == []


@pytest.mark.parametrize(("text", "at"), [("a\r\nb\r\n", None), ("a\rb", 1), ("a\r\r\n", 1), ("a\n\x0c", 2)])
def test_a_return_is_the_end_of_a_line_or_hidden(text: str, at: int | None) -> None:
    assert hidden(text) == at


@given(st.text(st.characters(codec=None), max_size=20))
def test_spelled_json_means_the_same(text: str) -> None:
    spelled = visible_json(json.dumps({text: [text]}, ensure_ascii=False, indent=2))
    assert json.loads(spelled) == {text: [text]}
    assert visible(spelled) == spelled
