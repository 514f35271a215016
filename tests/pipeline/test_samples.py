"""Properties 2 and 3 on uniform samples of every space: members, canonical, expanded alike."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from archdsl.cost import figures
from archdsl.fmt import format
from archdsl.ir import Graph, canonical_hash, closed
from archdsl.pipeline import load
from archdsl.pipeline.expand import expand
from archdsl.pipeline.write import write_genotype
from archdsl.space.count import Census
from archdsl.space.trace import trace
from archdsl.syntax import parse
from archdsl.text import SourceFile
from tests.pipeline.spaces import SPACES, Case, loaded

MANY = pytest.mark.slow
COUNTS = [pytest.param(2, id="2 samples"), pytest.param(200, id="200 samples", marks=MANY)]


def samples(case: Case, count: int) -> list[dict[str, tuple[str, ...]]]:
    census, random = Census(loaded(case).program), Random(17)
    return [census.sample(random) for _ in range(count if census.count > 1 else 1)]


def graph_of(case: Case, answers: dict[str, tuple[str, ...]]) -> Graph:
    program = loaded(case).program
    return closed(program, trace(program, answers), f"{program.name}_sampled")


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("case", SPACES, ids=str)
def test_what_is_written_is_a_member_and_reads_back(case: Case, count: int, tmp_path: Path) -> None:
    space = loaded(case)
    if not space.program.questions:
        return
    file = tmp_path / "sampled.arch"
    (tmp_path / "space.arch").write_text(space.source.text, encoding="utf-8")
    for answers in samples(case, count):
        text = write_genotype(space.program, answers, "sampled", "space.arch", parameters=space.given)
        assert format(parse(SourceFile("sampled", text))) == text
        file.write_text(text, encoding="utf-8")
        found = load(str(file), size=case.size)
        assert found.diagnostics == ()
        assert found.closed
        assert found.meaning.trace is not None
        asked = found.meaning.trace.asked
        assert {path: answer for path, answer in found.meaning.answers.items() if path in asked} == answers
        assert canonical_hash(found.network()) == canonical_hash(graph_of(case, answers))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("case", SPACES, ids=str)
def test_expanded_it_is_the_same_network(case: Case, count: int, tmp_path: Path) -> None:
    file = tmp_path / "expanded.arch"
    for answers in samples(case, count):
        graph = graph_of(case, answers)
        file.write_text(expand(graph), encoding="utf-8")
        again = load(str(file)).network()
        assert canonical_hash(again) == canonical_hash(graph)
        assert (figures(again).params, figures(again).macs) == (figures(graph).params, figures(graph).macs)
