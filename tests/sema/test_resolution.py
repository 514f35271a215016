"""The semantic index knows every name of a text, and renaming by it changes no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.ir import canonical_hash
from archdsl.ops.primitives import PRIMITIVES
from archdsl.pipeline import check, load
from archdsl.sema.modules.load import BUILT_IN, Unit, load_units
from archdsl.sema.reporter import Reporter
from archdsl.sema.resolve import Definition, Kind, Resolution, check_names, resolution_of
from archdsl.syntax import ast, read
from archdsl.syntax.tree import walk
from archdsl.text import SourceFile, Span

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted([*ROOT.glob("spaces/**/*.arch"), *ROOT.glob("tests/texts/**/*.arch")])
CLOSED = [file for file in TEXTS if file.parent.name == "genotypes"]

OF_PRIMITIVES = {name for each in PRIMITIVES.values() for name in (*(one.name for one in each.parameters), *each.maps)}
OF_STRUCTURES = {"chain", "hyper", "grid", "last", "prev", "at", "branch", "keep", "by", "exit", "path"}
OF_GENOTYPES = {"hash", "open", "also", "found", "run", "seed", "epoch", "step"}
OF_LANGUAGE = {*PRIMITIVES, *OF_PRIMITIVES, *BUILT_IN, *OF_STRUCTURES}


def resolved(file: Path) -> tuple[Unit, Resolution]:
    source = read(str(file))
    assert isinstance(source, SourceFile)
    reporter = Reporter()
    unit = load_units(source, file, reporter)
    return unit, resolution_of(check_names(unit, reporter))


def tokens(item: ast.Node) -> Iterator[tuple[str, Span]]:
    """Every name that is written in an item."""
    for node in walk(item):
        match node:
            case ast.Name(span=span, text=text) if span.text == text:
                yield text, span
            case ast.Attribute(span=span, name=name):
                yield name, Span(span.source, span.stop - len(name), span.stop)
            case _:
                pass


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.stem)
def test_every_name_is_defined_or_used_or_a_word_of_the_language(file: Path) -> None:
    unit, resolution = resolved(file)
    for item in unit.parsed.file.items:
        for name, span in tokens(item):
            found = resolution.definition_at(span.source, span.start)
            if found is not None:
                assert found.name == name or found.kind is Kind.IMPORT
            elif isinstance(item, ast.Genotype):
                assert name in OF_LANGUAGE | OF_GENOTYPES, span.position
            elif not isinstance(item, ast.Search | ast.Train | ast.Cost):  # these have words of their own
                assert name in OF_LANGUAGE, span.position


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.stem)
def test_places_and_definitions_answer_each_other(file: Path) -> None:
    _, resolution = resolved(file)
    for definition in resolution.definitions:
        if not definition.run or definition.span.text == definition.name:
            assert definition in resolution.definitions_at(definition.span.source, definition.span.start)
        for use in resolution.uses_of(definition):
            if use.written:
                assert definition in resolution.definitions_at(use.span.source, use.span.start)
                assert definition in resolution.definitions_at(use.span.source, use.span.stop - 1)
                assert definition not in resolution.definitions_at(use.span.source, use.span.stop)


def renamed(resolution: Resolution, folder: Path) -> dict[str, str]:
    """The texts of the files in a folder with every name that can be changed alone changed."""
    groups: dict[Definition, Definition] = {}

    def first(definition: Definition) -> Definition:
        while definition in groups:
            definition = groups[definition]
        return definition

    places = {(use.span.source.name, use.span.start) for use in resolution.uses if use.written}
    sources = {use.span.source.name: use.span.source for use in resolution.uses}
    for name, start in places:
        here = resolution.definitions_at(sources[name], start)
        for other in here[1:]:
            if first(other) is not first(here[0]):
                groups[first(other)] = first(here[0])
    fixed = {first(each) for each in resolution.definitions if not changeable(each, resolution, folder)}
    edits: dict[str, dict[int, tuple[int, str]]] = {}
    numbers = {definition: number for number, definition in enumerate(resolution.definitions)}
    for definition in resolution.definitions:
        if first(definition) in fixed:
            continue
        new = f"n{numbers[first(definition)]}_"
        for span in (definition.span, *(use.span for use in resolution.uses_of(definition))):
            edits.setdefault(span.source.name, {})[span.start] = (span.stop, new)
            sources[span.source.name] = span.source
    texts: dict[str, str] = {}
    for name, changes in edits.items():
        text = sources[name].text
        for start, (stop, new) in sorted(changes.items(), reverse=True):
            text = text[:start] + new + text[stop:]
        texts[name] = text
    return texts


def changeable(definition: Definition, resolution: Resolution, folder: Path) -> bool:
    """Whether its name can be changed by itself: none of a run, of a file, nor one that calls take over by its name.

    The images and outputs of a space are a network's own names, and part of its hash.
    """
    owner = definition.owner and definition.owner.kind
    return (
        not definition.run
        and not (definition.kind in (Kind.INPUT, Kind.OUTPUT) and owner == Kind.SPACE)
        and definition.kind not in (Kind.IMPORT, Kind.TAG)
        and Path(definition.unit.source.name).resolve().is_relative_to(folder)
        and all(use.written for use in resolution.uses_of(definition))
    )


@pytest.mark.parametrize("file", CLOSED, ids=lambda file: file.stem)
def test_a_network_stays_the_same_under_other_names(file: Path, tmp_path: Path) -> None:
    folder = file.parent.parent
    for each in folder.rglob("*.arch"):
        if each.name == "std.arch":
            continue
        copy = tmp_path / each.relative_to(folder)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(re.sub(r"\n *hash = .*", "", each.read_text(encoding="utf-8")), encoding="utf-8")
    (tmp_path / "pyproject.toml").touch()
    main = tmp_path / file.relative_to(folder)
    unit, resolution = resolved(main)
    names = [name for name, item in unit.items.items() if isinstance(item, ast.Genotype)]
    before = {name: load(f"{main}:{name}") for name in names}
    changes = renamed(resolution, tmp_path)
    for name, text in changes.items():
        Path(name).write_text(text, encoding="utf-8")
    assert changes
    assert check(str(main)).diagnostics == ()
    after, _ = resolved(main)
    assert len(after.items) == len(unit.items)
    new = dict(zip(unit.items, after.items, strict=True))
    for name in names:
        assert new[name] != name
        if before[name].closed:
            assert canonical_hash(load(f"{main}:{new[name]}").network()) == canonical_hash(before[name].network())
