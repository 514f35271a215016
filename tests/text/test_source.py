"""Places in a text."""

from hypothesis import given
from hypothesis import strategies as st

from archdsl.text import Position, SourceFile, Span

TEXTS = st.text(st.sampled_from("ab\n\r\t漢"), max_size=40)


@given(TEXTS, st.data())
def test_positions_and_lines_agree(text: str, data: st.DataObject) -> None:
    source = SourceFile("x", text)
    offset = data.draw(st.integers(0, len(text)))
    line, column = source.position(offset)
    before = text[:offset]
    assert line == before.count("\n") + 1
    assert column == len(before.rpartition("\n")[2]) + 1
    assert source.line(line) == text.split("\n")[line - 1].rstrip("\r")


def test_line_count() -> None:
    assert [SourceFile("x", text).line_count for text in ("", "a", "a\n", "a\nb")] == [1, 1, 2, 2]


def test_spans_join() -> None:
    source = SourceFile("x", "one two\nthree")
    joined = Span(source, 4, 7).to(Span(source, 8, 13))
    assert joined.text == "two\nthree"
    assert joined.position == Position(1, 5)
