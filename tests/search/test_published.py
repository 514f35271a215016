"""FasterSeg's published logits: by the paper's rules, and by those of the published code, to the published networks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from archdsl.cost.rows import uses
from archdsl.ir import canonical_hash, closed
from archdsl.pipeline import Loaded, load
from archdsl.search.derive.genotype import Found, Request, found_by
from archdsl.search.derive.runs import Source, from_text
from archdsl.space.trace import Answers, trace
from tests.cli.console import ROOT
from tests.cost.invented import numbered

PAPER: Final = "spaces/fasterseg.arch"
CODE: Final = "spaces/searches/fasterseg_published.arch"
ENDS: Final = {"a": "16", "b": "32"}
WIDTH: Final = {"student": "8", "teacher": "12"}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@cache
def source_of(text: str, who: str) -> Source:
    return from_text(text, Path(f"spaces/logits/fasterseg_{who}.json"), phase=who, overrides={"w": WIDTH[who]})


def derived(text: str, who: str, ends: Mapping[str, str] = ENDS) -> Found:
    return found_by(Request(source_of(text, who), ends))


def published(who: str) -> Loaded:
    return load(f"spaces/genotypes/fasterseg_{who}.arch")


def path_of(branch: str, answers: Answers) -> list[str]:
    """The places at which a branch changes its scale."""
    down = (str(path) for path, (answer,) in answers.items() if answer.endswith(".down"))
    return sorted(path for path in down if path.startswith(f"{branch}."))


@pytest.mark.parametrize("who", WIDTH)
def test_the_published_code_gives_the_published_network(who: str, tmp_path: Path) -> None:
    found = derived(CODE, who)
    genotype = published(who)
    assert genotype.meaning.trace is not None
    assert found.derived.answers == {path: genotype.meaning.answers[path] for path in genotype.meaning.trace.asked}
    program = found.plan.program
    graph = closed(program, trace(program, found.derived.answers), who)
    assert canonical_hash(graph) == canonical_hash(genotype.network())
    assert found.figures is not None
    # Facts of the published networks, counted from their code.
    assert found.figures.macs == {"student": 27_770_486_784, "teacher": 107_778_932_736}[who]
    assert found.figures.params == {"student": 3_421_875, "teacher": 22_115_203}[who]


def test_the_paper_gives_other_paths() -> None:
    """The most probable places to go down are asked at 15 (a), and at 15 and 16 (b); the code takes 14, 11 and 15."""
    paper, code = (derived(text, "student").derived.answers for text in (PAPER, CODE))
    assert path_of("a", paper) == ["a.trunk[15][16].source"]
    assert path_of("b", paper) == ["b.trunk[15][16].source", "b.trunk[16][32].source"]
    assert path_of("a", code) == ["a.trunk[14][16].source"]
    assert path_of("b", code) == ["b.trunk[11][16].source", "b.trunk[15][32].source"]
    teacher = derived(PAPER, "teacher").derived.answers
    assert path_of("a", teacher) == ["a.trunk[7][16].source"]


def test_the_paper_keeps_a_skip_where_the_scale_changes() -> None:
    """The code takes the next best op there."""
    skips = {"b.trunk[10][8].operator": "zoomed_conv3x3", "a.trunk[10][8].operator": "skip"}
    code = {str(path): answer for path, (answer,) in derived(CODE, "student").derived.answers.items()}
    assert {path: code[path] for path in skips} == skips
    paper = {str(path): answer for path, (answer,) in derived(PAPER, "student").derived.answers.items()}
    assert {paper[f"{branch}.trunk[10][8].operator"] for branch in "ab"} == {"skip"}


def test_networks_are_picked_by_accuracy_and_latency() -> None:
    """Equation 5: of two networks as accurate the faster one, and a slower one where it is accurate enough."""
    source = source_of(CODE, "student")
    pairs = ({"a": "8", "b": "32"}, {"a": "16", "b": "32"})
    networks = [derived(CODE, "student", ends) for ends in pairs]
    graphs = [closed(each.plan.program, trace(each.plan.program, each.derived.answers), "net") for each in networks]
    table = numbered(dict.fromkeys(use.row for graph in graphs for use in uses(graph)))
    one, other = (found_by(Request(source, ends, table=table)).seconds for ends in pairs)
    assert one is not None and other is not None and one != other

    def picked(first: float, second: float) -> Answers:
        accuracy = {"a = 8, b = 32": first, "a = 16, b = 32": second}
        return found_by(Request(source, accuracy=accuracy, table=table)).derived.answers

    faster = 0 if one < other else 1
    assert picked(0.6, 0.6) == networks[faster].derived.answers
    better = 1.01 * 0.6 * (max(one, other) / min(one, other)) ** 0.07
    values = (0.6, better) if faster == 0 else (better, 0.6)
    assert picked(*values) == networks[1 - faster].derived.answers
