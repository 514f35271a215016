"""Properties 2 and 3 on uniform samples of every space: members, canonical, expanded alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.cost import figures
from archdsl.fmt import format
from archdsl.ir import canonical_hash, closed
from archdsl.pipeline import check, load
from archdsl.pipeline.expand import expand
from archdsl.pipeline.genotype_writer import write_genotype
from archdsl.sema.codes import CONSTANT_OUTPUT
from archdsl.syntax import parse
from archdsl.text import SourceFile
from tests.pipeline.spaces import REPOSITORY, SMALL, Case, graph_of, laws, loaded, samples


def test_every_space_of_the_repository_is_drawn_from() -> None:
    """Those of a file that has none are the library's ops, or genotypes."""
    files = [*REPOSITORY.glob("spaces/*.arch"), *REPOSITORY.glob("tests/texts/*.arch")]
    spaces = {file for file in files if "\nspace " in file.read_text(encoding="utf-8")}
    assert spaces == {REPOSITORY / case.file for case in SMALL}


@pytest.mark.parametrize(("case", "count"), laws(few=2, many=200))
def test_what_is_written_is_a_member_and_reads_back(case: Case, count: int, tmp_path: Path) -> None:
    space = loaded(case)
    if not space.program.questions:
        return
    (tmp_path / "space.arch").write_text(space.source.text, encoding="utf-8")
    drawn = {f"sample_{number}": answers for number, answers in enumerate(samples(case, count))}
    heads: set[str] = set()
    bodies: list[str] = []
    for name, answers in drawn.items():
        text = write_genotype(space.program, answers, name, '"space.arch"', parameters=space.given)
        assert format(parse(SourceFile(name, text))) == text
        head, _, body = text.partition("genotype ")
        heads.add(head)
        bodies.append(f"genotype {body}")
    # In one file, so that their space is laid out once.
    (head,) = heads
    file = tmp_path / "sampled.arch"
    file.write_text(head + "\n".join(bodies), encoding="utf-8")
    found = check(str(file), size=case.size)
    assert {each.code for each in found.diagnostics} <= {CONSTANT_OUTPUT}  # of zeros a sample may well be
    assert [meaning.name for meaning in found.meanings] == list(drawn)
    for meaning in found.meanings:
        answers = drawn[meaning.name]
        assert meaning.trace is not None
        assert meaning.trace.closed
        asked = meaning.trace.asked
        assert {path: answer for path, answer in meaning.answers.items() if path in asked} == answers
        network = closed(meaning.program, meaning.trace, meaning.name)
        assert canonical_hash(network) == canonical_hash(graph_of(case, answers))


@pytest.mark.parametrize(("case", "count"), laws(few=2, many=200))
def test_expanded_it_is_the_same_network(case: Case, count: int, tmp_path: Path) -> None:
    file = tmp_path / "expanded.arch"
    for answers in samples(case, count):
        graph = graph_of(case, answers)
        file.write_text(expand(graph), encoding="utf-8")
        again = load(str(file)).network()
        assert canonical_hash(again) == canonical_hash(graph)
        assert (figures(again).params, figures(again).macs) == (figures(graph).params, figures(graph).macs)
