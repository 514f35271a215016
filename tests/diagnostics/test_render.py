"""The layout of messages, by example."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.diagnostics import Diagnostic, Fix, Label, Severity, Style, show
from archdsl.text import SourceFile, Span, TextEdit

CAS = SourceFile("cas.arch", "\n" * 22 + "  x1 = prev -> conv3x3\n  y = prev2 -> conv3x3(s = 2)\n  x2 = x1 + y\n")


def at(source: SourceFile, text: str, said: str = "", nth: int = 0) -> Label:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Label(Span(source, start, start + len(text)), said)


SUM = Diagnostic(
    "E0502",
    "resolutions differ at the sum `x2`: 1/8 and 1/16",
    at(CAS, "x1 + y", "cannot add 128x256 and 64x128"),
    (at(CAS, "conv3x3", "`x1` stays at 1/8"), at(CAS, "conv3x3(s = 2)", "`y` goes down to 1/16")),
    notes=("maps are added at one resolution",),
    help="write `s = 1` on line 24, or `x1 + (y -> resize(2))`",
    fix=Fix("write `s = 1`", (TextEdit(at(CAS, "s = 2").span, "s = 1"),)),
)


def full(*diagnostics: Diagnostic) -> str:
    return show(diagnostics, "full")


def test_labels_on_several_lines() -> None:
    assert (
        full(SUM)
        == """\
error[E0502]: resolutions differ at the sum `x2`: 1/8 and 1/16
  --> cas.arch:25:8
   |
23 |   x1 = prev -> conv3x3
   |                ------- `x1` stays at 1/8
24 |   y = prev2 -> conv3x3(s = 2)
   |                -------------- `y` goes down to 1/16
25 |   x2 = x1 + y
   |        ^^^^^^ cannot add 128x256 and 64x128
   |
   = note: maps are added at one resolution
   = help: write `s = 1` on line 24, or `x1 + (y -> resize(2))`

"""
    )


def test_labels_on_one_line_and_far_apart() -> None:
    source = SourceFile("a.arch", "x = a + b + c\n\n\n\ny = x\n")
    found = Diagnostic(
        "E1",
        "m",
        at(source, "c", "third"),
        (at(source, "a", "first"), at(source, "b", "second"), at(source, "x", "used", 1)),
    )
    assert (
        full(found)
        == """\
error[E1]: m
 --> a.arch:1:13
  |
1 | x = a + b + c
  |     -   -   ^ third
  |     |   |
  |     |   second
  |     first
...
5 | y = x
  |     - used

"""
    )


def test_a_label_over_several_lines() -> None:
    source = SourceFile("a.arch", "x = f(\n  a,\n)\n")
    assert (
        full(Diagnostic("E1", "m", at(source, "f(\n  a,\n)", "too much")))
        == """\
error[E1]: m
 --> a.arch:1:5
  |
1 | x = f(
  |     ^^ begins here
2 |   a,
3 | )
  | ^ too much

"""
    )


def test_tabs_and_wide_characters_keep_their_columns() -> None:
    source = SourceFile("a.arch", '\tx = "漢字" $\n')
    assert full(Diagnostic("E1", "m", at(source, "$", "here"))).splitlines()[3:5] == [
        '1 |     x = "漢字" $',
        "  |                ^ here",
    ]


def test_very_long_lines_are_cut() -> None:
    source = SourceFile("a.arch", "a" * 5000 + "$" + "b" * 5000)
    lines = full(Diagnostic("E1", "m", at(source, "$", "here"))).splitlines()
    assert all(len(line) < 200 for line in lines)
    assert lines[3].startswith("1 | …aaa")
    assert lines[3].endswith("b…")
    assert lines[4].index("^") == lines[3].index("$")


def test_other_files_and_no_place() -> None:
    one, two = SourceFile("a.arch", "x\n"), SourceFile("b.arch", "y\n")
    assert "::: b.arch:1:1" in full(Diagnostic("E1", "m", at(one, "x"), (at(two, "y", "there"),)))
    assert full(Diagnostic("E0001", "gone", None, file="a.arch", help="look")) == (
        "error[E0001]: gone\n --> a.arch\n  = help: look\n\n"
    )


def test_colour_adds_nothing() -> None:
    coloured = show([SUM], "full", colour=True)
    assert coloured != full(SUM)
    assert [line.rstrip() for line in re.sub("\x1b\\[[0-9;]*m", "", coloured).splitlines()] == full(SUM).splitlines()


def test_concise() -> None:
    warning = Diagnostic("E0002", "two\nlines", None, file="a.arch", severity=Severity.WARNING)
    assert show([SUM, warning], "concise") == (
        "cas.arch:25:8: error[E0502]: resolutions differ at the sum `x2`: 1/8 and 1/16\n"
        "a.arch: warning[E0002]: two lines\n"
    )


def test_json() -> None:
    body = json.loads(show([SUM], "json"))
    assert body["format_version"] == 1
    (found,) = body["diagnostics"]
    assert found["primary"]["line"] == 25
    assert (found["primary"]["column"], found["primary"]["end_column"]) == (8, 14)
    assert found["fix"]["edits"][0]["text"] == "s = 1"
    assert json.loads(show([], "json"))["diagnostics"] == []


def test_github() -> None:
    found = Diagnostic("E1", "50 %, gone", at(CAS, "x1 + y"))
    assert (
        show([found], "github")
        == "::error file=cas.arch,line=25,endLine=25,col=8,endColumn=14,title=E1::50 %25, gone\n"
    )


def test_sarif() -> None:
    log = json.loads(show([SUM, Diagnostic("E0001", "gone", None, file="a b.arch")], "sarif", version="0.1"))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E0001", "E0502"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 25
    assert run["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.arch"


@given(st.text(st.sampled_from("ab \n\t漢\r\x00é"), max_size=60), st.data())
def test_any_place_can_be_shown(text: str, data: st.DataObject) -> None:
    source = SourceFile("x", text)
    spans: list[Span] = []
    for _ in range(3):
        start = data.draw(st.integers(0, len(text)))
        spans.append(Span(source, start, data.draw(st.integers(start, len(text)))))
    labels = [Label(span, data.draw(st.sampled_from(["", "said"]))) for span in spans]
    found = Diagnostic("E1", "m", labels[0], tuple(labels[1:]))
    styles: list[Style] = ["full", "concise", "json", "github", "sarif"]
    for style in styles:
        assert show([found], style)
    assert "^" in full(found)


@pytest.mark.parametrize("style", ["full", "concise", "github"])
def test_nothing_is_nothing(style: Style) -> None:
    assert show([], style) == ""
