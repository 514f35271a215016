"""The corpus is read without a word, and uses the whole grammar."""

import logging
from itertools import pairwise
from typing import Any, cast

import pytest
from lark import Lark, logger

from archdsl.syntax import ast, parse
from archdsl.syntax.grammar import grammar_text, tables
from archdsl.syntax.layout import arrange
from archdsl.syntax.tokens import COMMENT, NEWLINE
from archdsl.text import SourceFile
from tests.syntax.texts import corpus


@pytest.mark.parametrize("source", corpus(), ids=lambda source: source.name.rpartition("/")[2])
def test_corpus_has_no_mistakes(source: SourceFile) -> None:
    assert parse(source).diagnostics == ()


def test_corpus_uses_every_node() -> None:
    seen: set[type] = set()
    for source in corpus():
        _collect(parse(source).file, seen)
    nodes = {node for node in vars(ast).values() if isinstance(node, type) and issubclass(node, ast.Node)}
    assert nodes - seen == {ast.Node}


def _collect(value: object, seen: set[type]) -> None:
    if isinstance(value, tuple):
        for part in value:  # pyright: ignore[reportUnknownVariableType]
            _collect(part, seen)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, ast.Node):
        seen.add(type(value))
        for name in type(value).__dataclass_fields__:
            _collect(getattr(value, name), seen)


def test_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG, logger="lark"):
            Lark(grammar_text(), parser="lalr", lexer="basic", start="file", debug=True)
    finally:
        logger.setLevel(level)
    assert "conflict" not in caplog.text.lower()


@pytest.mark.parametrize("source", corpus(), ids=lambda source: source.name.rpartition("/")[2])
def test_tokens_are_those_of_a_basic_lexer(source: SourceFile) -> None:
    reader = Lark(grammar_text(), parser="lalr", lexer="basic", start="file")
    theirs = [(token.type, token.start_pos, token.end_pos) for token in cast(Any, reader).lex(source.text)]
    ours = [tuple(token) for token in tables().lexicon.tokens(source.text) if token.kind != COMMENT]
    assert ours == theirs


@pytest.mark.parametrize("source", corpus(), ids=lambda source: source.name.rpartition("/")[2])
def test_newlines_never_stand_in_brackets_or_side_by_side(source: SourceFile) -> None:
    tokens = arrange(tables().lexicon.tokens(source.text))
    assert tokens is not None
    kinds = [token.kind for token in tokens]
    assert (NEWLINE, NEWLINE) not in list(pairwise(kinds))
    assert kinds[0] != NEWLINE
    assert kinds[-1] == NEWLINE


def test_spans_cover_what_they_name() -> None:
    source = SourceFile("x.arch", "archdsl 1\nspace s(a = 2) {\n  y = (a + b) * f(c)[1]\n}\n".replace("[1]", ""))
    space = parse(source).file.items[0]
    assert isinstance(space, ast.Space)
    assert space.span.text.startswith("space s")
    assert space.span.text.endswith("}")
    assign = space.body[0]
    assert isinstance(assign, ast.Assign)
    assert assign.span.text == "y = (a + b) * f(c)"
    assert isinstance(assign.value, ast.Multiply)
    assert assign.value.span.text == "(a + b) * f(c)"
    assert [part.span.text for _, part in assign.value.factors] == ["a + b", "f(c)"]


def test_comments_have_exact_places() -> None:
    source = SourceFile("x.arch", "archdsl 1  # one\r\n# two\nuse std")
    assert [(comment.text, comment.span.start) for comment in parse(source).comments] == [("# one", 11), ("# two", 18)]
