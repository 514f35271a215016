"""Cells that join what no other node of theirs reads: a supernet that is forced to a genotype is its network."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from archdsl.cost import figures
from archdsl.ir import closed
from archdsl.pipeline import load
from archdsl.space.count import Census
from archdsl.space.trace import Answers, trace
from tests.nets.supernet.scrambled import differs_from_network, images, scrambled
from tests.space.oracle import normal_forms

HEAD = "archdsl 1\n\nop skip() {\n  in x\n  out x\n}\n\nop half() = conv(4)\n\n"
NET = """
space net() {
  in image: 4x8x8
  trunk = chain(image, image) {
    each node() * 2
  }
  out y = trunk
}
"""
CELLS = {
    "sums that keep sources": "x1..x3 = sum({prev2, prev, earlier} -> {skip, half}, keep = 1)\n"
    "out concat(loose(x1..x3)) -> half",
    "chosen sources": "x1 = prev -> half\n  choose first in {x1, prev}\n  x2 = first -> {skip, half}\n"
    "choose second in {x1, x2, prev2}\n  x3 = second -> half\n  out concat(loose(x1..x3)) -> half",
    "both": "choose first in {prev2, prev}\n  x1 = first -> {skip, half}\n"
    "x2 = sum({prev, x1} -> {half, skip}, keep = 1)\n  choose last in {x1, x2}\n  x3 = last -> half\n"
    "out sum(loose(x1..x3))",
}


def text_of(cell: str) -> str:
    return f"{HEAD}cell node() {{\n  in prev2, prev\n  {CELLS[cell]}\n}}\n{NET}"


@pytest.mark.parametrize("cell", CELLS)
def test_a_supernet_forced_to_a_genotype_is_its_network(cell: str, tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(text_of(cell), encoding="utf-8")
    program = load(str(file)).program
    census, random, net = Census(program), Random(5), scrambled(program)
    for _ in range(6):
        assert differs_from_network(net, census.sample(random), images(net.program)) <= 1e-5


@pytest.mark.parametrize("cell", CELLS)
def test_the_maps_that_are_joined_are_those_that_no_answer_names(cell: str, tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(text_of(cell).replace("each node() * 2", "node()"), encoding="utf-8")
    program = load(str(file)).program
    every = normal_forms(program, 3_000)
    assert Census(program).count == len(every)
    for form in every:
        answers = dict(form)
        named = {name for answer in answers.values() for name in answer}
        loose = [name for name in ("x1", "x2", "x3") if name not in named]
        traced = trace(program, answers)
        assert not traced.misfits
        graph = closed(program, traced, "found")
        assert figures(graph).params == 4 * 4 * 9 * (_halves(answers, cell) + (len(loose) if cell != "both" else 0))


def _halves(answers: Answers, cell: str) -> int:
    """Convs of 4 channels before the joined maps are read."""
    always = {"sums that keep sources": 0, "chosen sources": 2, "both": 1}[cell]
    return always + sum(answer == ("half",) for answer in answers.values())
