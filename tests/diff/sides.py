"""Sides to compare: the published networks, edits of them, and random genotypes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from archdsl.cost import figures
from archdsl.diff import Side, side
from archdsl.ir import ClosedGraph, closed
from archdsl.pipeline import Loaded, load
from archdsl.space import Program
from archdsl.space.trace import Answers, trace

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "spaces" / "fasterseg.arch"
STUDENT = ROOT / "spaces" / "genotypes" / "fasterseg_student.arch"
TEACHER = ROOT / "spaces" / "genotypes" / "fasterseg_teacher.arch"


@cache
def loaded(path: Path) -> Loaded:
    return load(str(path))


def side_of(path: Path) -> Side:
    item = load(str(path)) if path.parent not in (SPACE.parent, STUDENT.parent) else loaded(path)
    if not item.closed:
        return side(item.name, item.program, item.meaning.answers, item.supernet())
    network = item.network()
    return side(item.name, item.program, item.meaning.answers, network, figures(network))


def genotype(program: Program, answers: Answers) -> Side:
    network = closed(program, trace(program, answers), "sample")
    return side("sample", program, answers, network, figures(network))


def of_graph(graph: ClosedGraph) -> Side:
    """A network written by hand."""
    return side(graph.name, Program(graph.name, (), (), {}), {}, graph, figures(graph))


def edited(folder: Path, *edits: tuple[str, str], space: tuple[tuple[str, str], ...] = ()) -> Path:
    """A copy of the student with pieces of its text replaced, beside a copy of its space."""
    (folder / "pyproject.toml").touch()
    (folder / "fasterseg.arch").write_text(_replaced(SPACE.read_text("utf-8"), *space), "utf-8")
    genotypes = folder / "genotypes"
    genotypes.mkdir()
    path = genotypes / "edited.arch"
    path.write_text(_replaced(STUDENT.read_text("utf-8"), *edits), "utf-8")
    return path


def _replaced(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text
