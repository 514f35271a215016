"""Domains of the walk against networks that answers give: what can be there, and what stays open."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from archdsl.pipeline import load
from archdsl.space import Program, Result
from archdsl.space.count import Census
from archdsl.space.reach import Reach
from archdsl.space.relax import open_questions
from archdsl.space.trace import trace
from tests.properties.small_spaces import HEAD, small_spaces
from tests.properties.test_small_spaces import drawn, program_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("domains")


@settings(max_examples=30)
@given(small_spaces())
def test_what_a_genotype_computes_can_be_there(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    reach, census, random = Reach(program), Census(program), Random(4)
    for _ in range(3):
        for key, computed in trace(program, census.sample(random)).computed.items():
            assert key.node in reach.nodes
            assert reach.presence(key.node).there
            assert key.node in reach.origins(key.node)
            assert {source.node for source in computed.inputs} <= _origins(reach, key.node)


def _origins(reach: Reach, node: int) -> frozenset[int]:
    """The nodes whose maps a node can come to read."""
    return frozenset[int]().union(*(reach.origins(source) for source in reach.reads(node)))


def test_what_only_an_auxiliary_output_reads_is_not_reached(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        f"{HEAD}\nspace net() {{\n  in image: 4x8x8\n  x = image -> conv(4)\n  y = image -> conv(4)\n"
        "  out one = x\n  out aux other = y\n}\n",
    )
    left_out = {index for index in range(len(program.nodes)) if index not in Reach(program).nodes}
    assert {program.nodes[index].path for index in left_out} >= {"y.conv"}
    auxiliary = {index for index in program.results if _auxiliary(program, index)}
    assert auxiliary <= left_out


def _auxiliary(program: Program, index: int) -> bool:
    payload = program.nodes[index].payload
    return isinstance(payload, Result) and payload.auxiliary


@settings(max_examples=30)
@given(small_spaces())
def test_what_stays_open_is_asked_by_whoever_goes_on(folder: Path, text: str) -> None:
    """Whatever is taken out of a genotype is open again, and what is asked is answered or open."""
    program = drawn(folder, text)
    random = Random(6)
    answers = Census(program).sample(random)
    assert not open_questions(program, answers)
    kept = {path: answer for path, answer in answers.items() if random.random() < 0.5}
    still_open = open_questions(program, kept)
    asked = trace(program, answers).asked
    assert asked.keys() - kept.keys() <= still_open.keys()
    assert not still_open.keys() & kept.keys()
    assert set(trace(program, kept).missing) <= still_open.keys()


def test_a_question_behind_an_open_exit_is_open(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(
        f"{HEAD}\nspace net() {{\n  in image: 4x8x8\n  t = hyper(image) {{\n    each plain() * 2\n  }}\n  out t\n}}\n",
        encoding="utf-8",
    )
    program = load(str(file)).program
    exit, first, second = sorted(program.questions, key=lambda path: (path.name != "exit", str(path)))
    assert set(open_questions(program, {})) == {exit, first, second}
    assert set(open_questions(program, {exit: ("1",)})) == {first}
    assert set(open_questions(program, {exit: ("2",), second: ("skip",)})) == {first}
