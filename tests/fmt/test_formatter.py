"""The canonical form, by example."""

import pytest

from archdsl.fmt import format, format_source, print_file
from archdsl.syntax import ast, parse
from archdsl.text import SourceFile
from tests.fmt.models import HERE


def formatted(text: str) -> str:
    return format(parse(SourceFile("x.arch", text)))


def in_cell(line: str) -> str:
    return f"archdsl 1\ncell a() {{\n{line}\n}}\n"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("y=f( a,k=3 )", "  y = f(a, k = 3)"),
        ("y=1/2*f^-2", "  y = 1 / 2 * f ^ -2"),
        ("y=- - a-b", "  y = --a - b"),
        ("x1 .. x3=sum( {a , b}->ops_ )", "  x1..x3 = sum({a, b} -> ops_)"),
        ("y=trunk [ i-1 ] [8] . stay", "  y = trunk[i - 1][8].stay"),
        ("start[1] [8]=y", "  start [1][8] = y"),
        ("each normal @ h1 ( c=3 )*4", "  each normal@h1(c = 3) * 4"),
        ("in image:3x4x5,b->align( c )", "  in image: 3x4x5, b -> align(c)"),
        ("y = (a,)", None),
        ("y={a,b,}", "  y = {\n    a,\n    b,\n  }"),
        ("y={ # first\na # about a\n,b}", "  y = {  # first\n    a,  # about a\n    b,\n  }"),
        ("y=(a\n+b)", "  y = (a + b)"),
        ("y = case a {when 1:b\nelse:c}", "  y = case a {\n    when 1: b\n    else: c\n  }"),
        ("phase p { }", "  phase p {}"),
        ("phase p { # nothing\n}", "  phase p {  # nothing\n  }"),
        ("\n\n\n y = a\n\n\n\n z = b\n\n", "  y = a\n\n  z = b"),
        ("y = a #about a   ", "  y = a  #about a"),
    ],
)
def test_canonical_form(written: str, canonical: str | None) -> None:
    if canonical is None:
        assert parse(SourceFile("x", in_cell(written))).diagnostics
        return
    assert formatted(in_cell(written)) == f"archdsl 1\ncell a() {{\n{canonical}\n}}\n"


def test_long_groups_have_a_line_for_each_entry() -> None:
    entries = [f"entry_number_{number}" for number in range(9)]
    text = formatted(in_cell(f"y = x -> f({', '.join(entries)}) -> relu"))
    inner = "".join(f"    {entry},\n" for entry in entries)
    assert text == f"archdsl 1\ncell a() {{\n  y = x -> f(\n{inner}  ) -> relu\n}}\n"


def test_windows_lines_and_missing_final_newline() -> None:
    assert formatted("archdsl 1\r\nuse std # a\r\n\r\n\r\nuse more") == "archdsl 1\nuse std  # a\n\nuse more\n"


def test_a_text_with_mistakes_is_left_as_it_is() -> None:
    source = SourceFile("x.arch", "archdsl 1\nuse  std std\n")
    result = format_source(source)
    assert result.text == source.text
    assert result.diagnostics
    with pytest.raises(ValueError, match=r"x\.arch has syntax mistakes"):
        format(parse(source))


def test_a_tree_that_no_text_can_have_is_not_printed() -> None:
    negative = ast.File(HERE, ast.Number(HERE, 1), (ast.Cost(HERE, ast.Name(HERE, "c"), ast.Number(HERE, -1)),))
    with pytest.raises(ValueError, match="no text can say"):
        print_file(negative)
