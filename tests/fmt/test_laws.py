"""Printing and parsing are inverse; formatting is idempotent and keeps tree and comments."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.fmt import format, format_source, print_file
from archdsl.syntax import ast, parse
from archdsl.syntax.tokens import CLOSERS, NEWLINE, OPENERS
from archdsl.syntax.unparse import unparse
from archdsl.text import SourceFile
from tests.fmt.models import HERE, expressions, files
from tests.syntax.texts import corpus

SLOW = settings(max_examples=120)


@SLOW
@given(files)
def test_printing_and_parsing_are_inverse(file: ast.File) -> None:
    text = print_file(file)
    parsed = parse(SourceFile("printed", text))
    assert parsed.diagnostics == ()
    assert parsed.file == file
    assert format(parsed) == text


@SLOW
@given(expressions)
def test_expressions_are_printed_so_that_they_are_read_again(expression: ast.Expr) -> None:
    parsed = parse(SourceFile("printed", f"archdsl 1\ncost c = {unparse(expression)}\n"))
    assert parsed.file.items == (ast.Cost(HERE, ast.Name(HERE, "c"), expression),)


@pytest.mark.parametrize("source", corpus(), ids=lambda source: source.name.rpartition("/")[2])
def test_the_corpus_survives_formatting(source: SourceFile) -> None:
    formatted = format_source(source)
    assert formatted.diagnostics == ()
    again = format_source(SourceFile("again", formatted.text))
    assert again.text == formatted.text
    assert not again.changed
    assert print_file(parse(source).file) == print_file(parse(SourceFile("again", formatted.text)).file)


def _noise(source: SourceFile) -> list[tuple[int, tuple[str, ...]]]:
    """Where layout may be put in, and which: by the grammar none of it can change the tree.

    Spaces stand before any token. Newlines and comments stand where a line ends anyway, or within `(` and `[`, where
    newlines do not count; a comment takes its newline along where none follows.
    """
    places: list[tuple[int, tuple[str, ...]]] = []
    brackets: list[str] = []
    for token in parse(source).tokens:
        written = source.text[token.start : token.stop]
        if token.kind == NEWLINE:
            added = ("  ", " # {}", "\n\n\n", "\n# {}")
        elif brackets and brackets[-1] in "([":
            added = ("  ", " # {}\n", "\n\n", "\n# {}\n")
        else:
            added = ("  ",)
        places.append((token.start, added))
        if token.kind in OPENERS:
            brackets.append(written)
        elif token.kind in CLOSERS:
            brackets.pop()
    return places


@SLOW
@given(st.data())
def test_layout_and_comments_do_not_change_what_is_said(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(corpus()))
    before = parse(source)
    chosen = data.draw(st.lists(st.sampled_from(_noise(source)), unique_by=lambda each: each[0], max_size=8))
    text = source.text
    for number, (place, added) in enumerate(sorted(chosen, reverse=True)):
        text = text[:place] + data.draw(st.sampled_from(added)).format(number) + text[place:]
    noisy = parse(SourceFile("noisy", text))
    assert noisy.diagnostics == ()
    assert noisy.file == before.file
    formatted = format_source(SourceFile("noisy", text))
    assert formatted.diagnostics == ()
    after = parse(SourceFile("formatted", formatted.text))
    assert after.file == before.file
    assert [comment.text for comment in after.comments] == [comment.text for comment in noisy.comments]
    assert format_source(SourceFile("again", formatted.text)).text == formatted.text
