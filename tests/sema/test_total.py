"""Property 1: every text gives an IR or diagnostics with places, never a traceback; one typo is a few reports."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.diagnostics import Severity
from archdsl.diagnostics.render import render
from archdsl.pipeline import NotLoaded, check
from archdsl.session import Checked
from archdsl.syntax import ast, parse
from archdsl.syntax.tree import walk
from archdsl.text import SourceFile

SPACES = Path(__file__).parents[2] / "spaces"
TEXTS = sorted([*SPACES.glob("*.arch"), *SPACES.glob("genotypes/*.arch")])
NUMBERS = st.sampled_from(["0", "1", "2", "3", "7", "16", "97", "0.5", "999999999", "2 ^ 9999999", "1 / 3"])
WORDS = ("something wrong", "``", "Map(", "Poison", "object at", "None")


def pieces(text: str) -> list[str]:
    """The tokens of a text, each with what stands between it and the next."""
    tokens = list(parse(SourceFile("text.arch", text)).tokens)
    return [text[a.start : b.start] for a, b in pairwise(tokens)]


ORIGINAL = {path: path.read_text(encoding="utf-8") for path in TEXTS}
PIECES = {path: pieces(text) for path, text in ORIGINAL.items()}
EVERY_PIECE = [piece for found in PIECES.values() for piece in found]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").touch()
    return folder


def checked(project: Path, path: Path, text: str, overrides: dict[str, str] | None = None) -> Checked | NotLoaded:
    """The checked text, the others as they are."""
    folder = project / "spaces"
    if not folder.exists():
        shutil.copytree(SPACES, folder)
    copy = folder / path.relative_to(SPACES)
    copy.write_text(text, encoding="utf-8")
    try:
        return check(str(copy), overrides=overrides)
    except NotLoaded as unreadable:
        return unreadable
    finally:
        copy.write_text(ORIGINAL[path], encoding="utf-8")


def is_answered(found: Checked | NotLoaded) -> None:
    if isinstance(found, NotLoaded):  # a character that no text may hold
        assert [diagnostic.code for diagnostic in found.diagnostics] == ["E0004"]
        return
    for diagnostic in found.diagnostics:
        assert diagnostic.primary is not None
        for mark in (diagnostic.primary, *diagnostic.secondary):
            assert 0 <= mark.span.start <= mark.span.stop <= len(mark.span.source.text)
        assert not any(word in diagnostic.message for word in WORDS), diagnostic.message
    assert bool(render(found.diagnostics)) == bool(found.diagnostics)
    if not found.failed:
        items = parse(found.source).file.items
        assert len(found.meanings) == sum(isinstance(item, ast.Space | ast.Genotype) for item in items)


@settings(max_examples=60)
@given(st.sampled_from(TEXTS), st.data())
def test_changed_tokens(project: Path, path: Path, data: st.DataObject) -> None:
    found = list(PIECES[path])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(found) - 1))
        other = data.draw(st.integers(0, len(found) - 1))
        match data.draw(st.sampled_from(["delete", "double", "swap", "foreign", "number"])):
            case "delete":
                del found[at]
            case "double":
                found.insert(at, found[at])
            case "swap":
                found[at], found[other] = found[other], found[at]
            case "foreign":
                found[at] = data.draw(st.sampled_from(EVERY_PIECE))
            case _:
                digits = [index for index, piece in enumerate(found) if piece.strip().isdigit()]
                found[data.draw(st.sampled_from(digits))] = f"{data.draw(NUMBERS)} "
    is_answered(checked(project, path, "".join(found)))


@settings(max_examples=30)
@given(st.sampled_from(TEXTS), st.data())
def test_changed_lines(project: Path, path: Path, data: st.DataObject) -> None:
    lines = ORIGINAL[path].splitlines(keepends=True)
    at, other = (data.draw(st.integers(1, len(lines) - 1)) for _ in range(2))
    match data.draw(st.sampled_from(["delete", "double", "swap"])):
        case "delete":
            del lines[at]
        case "double":
            lines.insert(other, lines[at])
        case _:
            lines[at], lines[other] = lines[other], lines[at]
    is_answered(checked(project, path, "".join(lines)))


def test_a_line_that_begins_with_a_closing_bracket_is_answered(project: Path) -> None:
    """Two lines of a set and of a space exchanged: the block that opens there begins with nothing that has a text."""
    path = next(each for each in TEXTS if each.name == "gas.arch")
    lines = ORIGINAL[path].splitlines(keepends=True)
    lines[13], lines[40] = lines[40], lines[13]
    is_answered(checked(project, path, "".join(lines)))


@settings(max_examples=40)
@given(st.sampled_from(TEXTS), st.data())
def test_changed_characters(project: Path, path: Path, data: st.DataObject) -> None:
    text = ORIGINAL[path]
    at = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 2))
    is_answered(checked(project, path, text[:at] + data.draw(st.text(max_size=2)) + text[at + length :]))


@settings(max_examples=40)
@given(
    st.dictionaries(st.sampled_from(["layers", "w", "classes", "x"]), NUMBERS | st.sampled_from(["yes", "-1", "many"]))
)
def test_parameters_of_a_command_line(project: Path, overrides: dict[str, str]) -> None:
    path = SPACES / "fasterseg.arch"
    small = {"layers": "3", **overrides}
    found = checked(project, path, ORIGINAL[path], small)
    is_answered(found)
    assert "x" not in overrides or any(each.severity is Severity.ERROR for each in found.diagnostics)


def names_read(path: Path) -> Iterator[ast.Name]:
    """Names that stand behind `->` in a text: ops, as they are called."""
    source = SourceFile(str(path), ORIGINAL[path])
    for item in parse(source).file.items:
        if isinstance(item, ast.Op | ast.Cell | ast.Space):
            for node in walk(item):
                if isinstance(node, ast.Pipe):
                    for step in node.steps:
                        target = step.target if isinstance(step, ast.Call) else step
                        if isinstance(target, ast.Path):
                            yield target.head


CALLED = [(path, name) for path in TEXTS for name in (names_read(path) if path.parent == SPACES else ())]


@settings(max_examples=40)
@given(st.sampled_from(CALLED))
def test_a_typo_in_a_name_is_one_report(project: Path, called: tuple[Path, ast.Name]) -> None:
    path, name = called
    text = ORIGINAL[path]
    found = checked(project, path, f"{text[: name.span.stop]}zq{text[name.span.stop :]}")
    (diagnostic,) = found.diagnostics
    assert diagnostic.code in ("E0301", "E0302")
    assert diagnostic.message == f"there is no op `{name.text}zq`"


@settings(max_examples=40)
@given(st.sampled_from([path for path in TEXTS if path.parent == SPACES]), st.data())
def test_a_typo_in_a_definition_is_one_report(project: Path, path: Path, data: st.DataObject) -> None:
    source = SourceFile(str(path), ORIGINAL[path])
    named = [item for item in parse(source).file.items if isinstance(item, ast.Op | ast.Ops | ast.Cell)]
    name = data.draw(st.sampled_from(named)).name
    found = checked(project, path, f"{source.text[: name.span.stop]}zq{source.text[name.span.stop :]}")
    assert len(found.diagnostics) <= 1
    assert all(f"`{name.text}`" in diagnostic.message for diagnostic in found.diagnostics)
