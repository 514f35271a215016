"""Texts with random mistakes: never an exception, always a report, and one mistake stays one mistake."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.diagnostics import show
from archdsl.syntax import ast, decode, parse
from archdsl.text import SourceFile
from tests.syntax.texts import corpus

TEXTS = [source for source in corpus() if source.name.endswith(("items.arch", "statements.arch", "expressions.arch"))]
CASES = settings(max_examples=100)
JUNK = st.sampled_from([*"(){}[],=:@^+-*/.<>;$'\"#\n ", "->", "..", "cell", "in", "case", "x", "3", "true", "//", "é"])


def answered(text: str) -> None:
    source = SourceFile("mutated.arch", text)
    parsed = parse(source)
    places = [found.primary.span for found in parsed.diagnostics if found.primary is not None]
    assert len(places) == len(parsed.diagnostics)
    assert all(0 <= span.start <= span.stop <= len(text) for span in places)
    assert "_NL" not in (shown := show(parsed.diagnostics, "full"))
    assert "LBRACE" not in shown
    assert show(parsed.diagnostics, "json")
    assert parsed.diagnostics or parsed.file.version is not None


@CASES
@given(st.sampled_from(TEXTS), st.data())
def test_changed_tokens(source: SourceFile, data: st.DataObject) -> None:
    tokens = list(parse(source).tokens)
    pieces = [source.text[a.start : b.start] for a, b in pairwise(tokens)]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pieces) - 2))
        match data.draw(st.sampled_from(["delete", "double", "swap", "insert"])):
            case "delete":
                del pieces[at]
            case "double":
                pieces.insert(at, pieces[at])
            case "swap":
                pieces[at], pieces[at + 1] = pieces[at + 1], pieces[at]
            case _:
                pieces.insert(at, f" {data.draw(JUNK)} ")
    answered("".join(pieces))


@CASES
@given(st.sampled_from(TEXTS), st.data())
def test_cut_texts(source: SourceFile, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source.text)))
    stop = data.draw(st.integers(start, len(source.text)))
    answered(source.text[:start] + source.text[stop:])
    answered(source.text[start:stop])


@CASES
@given(st.text(max_size=60) | st.lists(JUNK, max_size=40).map(" ".join))
def test_any_text(text: str) -> None:
    answered(text)
    answered("archdsl 1\ncell a() {\n" + text + "\n}\n")


@CASES
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    decoded = decode("bytes.arch", data)
    if isinstance(decoded, SourceFile):
        answered(decoded.text)
    else:
        assert decoded.code in ("E0002", "E0004")


LINES = [
    "y = f(a, b = 3) -> relu",
    "choose q in {a, b} per branch",
    "x1..x3 = sum({a, earlier} -> ops1, keep = 2)",
    "in x -> align(c), y",
    "out aux deep = x1 + x2",
    "branches a, b in trunk[3]",
]


@CASES
@given(st.sampled_from(LINES), st.data())
def test_good_lines_around_a_broken_one_are_kept(line: str, data: st.DataObject) -> None:
    words = [parse(SourceFile("x", f"archdsl 1\ncell a() {{\n{line}\n}}\n")).tokens][0]
    inner = [token for token in words if token.start >= 21 and token.kind != "_NL"][:-1]
    text = f"archdsl 1\ncell a() {{\n{line}\n}}\n"
    gone = data.draw(st.sampled_from(inner))
    broken = text[21 : gone.start] + text[gone.stop : -3]
    around = f"archdsl 1\ncell a() {{\n  before = 1\n  {broken}\n  after = 2\n}}\ncell b() {{\n  out z\n}}\n"
    parsed = parse(SourceFile("broken.arch", around))
    assert len(parsed.diagnostics) <= 3
    assert [type(item) for item in parsed.file.items] == [ast.Cell, ast.Cell]
    first, second = parsed.file.items
    assert isinstance(first, ast.Cell)
    assert isinstance(second, ast.Cell)
    kept = [s.target.path.head.text for s in first.body if isinstance(s, ast.Assign)]
    assert "before" in kept
    assert "after" in kept
    assert len(second.body) == 1
