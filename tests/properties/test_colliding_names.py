"""Names that collide, structures inside of cells, sums over one map twice: counted, sampled, read back, expanded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from archdsl.space.count import Census
from tests.properties.small_spaces import HEAD
from tests.properties.test_small_spaces import is_counted, program_of, reads_back

CASES: Mapping[str, str] = {
    "a branch and a cell of one name": (
        "space net() {\n  in image: 4x8x8\n  choose operator in {skip, half} per branch\n"
        "  head = chain(image) {\n    a()\n  }\n"
        "  g = grid(i in 1..2, j in {1, 2}) {\n    start [1][1] = head\n"
        "    choose source in {g[i - 1][j], g[i - 1][j - 1]} per branch\n    own(source)\n  }\n"
        "  branches a, b in g[2]\n  out y = sum(a.last, b.last) -> operator\n}\n"
    ),
    "a branch, a cell and a parameter of one name": (
        "cell b() {\n  in x\n  choose operator in {skip, half, deep}\n  out x -> operator\n}\n\n"
        "space net() {\n  in image: 4x8x8\n  choose operator in {skip, half} per branch\n"
        "  head = chain(image) {\n    b()\n  }\n"
        "  g = grid(i in 1..3, j in {1, 2}) {\n    start [1][1] = head\n"
        "    choose source in {g[i - 1][j], g[i - 1][j - 1]} per branch\n    given(source, a = operator)\n  }\n"
        "  branches a, b in g[3]\n  out y = sum(a.last, b.last)\n}\n"
    ),
    "a branch and a parameter of a cell of one name": (
        "cell deeper(a) {\n  in x\n  choose operator in {skip, half} per branch\n  out x -> operator -> conv(a)\n}\n\n"
        "space net() {\n  in image: 4x8x8\n"
        "  g = grid(i in 1..2, j in {1, 2}) {\n    start [1][1] = image\n"
        "    choose source in {g[i - 1][j], g[i - 1][j - 1]} per branch\n    deeper(source, a = 4)\n  }\n"
        "  branches a, b in g[2]\n  out y = sum(a.last, b.last)\n}\n"
    ),
    "a grid inside of a cell": "space net() {\n  in image: 4x8x8\n  out image -> gridded\n}\n",
    "branches inside of a cell": "space net() {\n  in image: 4x8x8\n  out image -> branched\n}\n",
    "branches of two places of a chain": (
        "space net() {\n  in image: 4x8x8\n  s = chain(image) {\n    each branched()\n    each branched()\n  }\n"
        "  out s\n}\n"
    ),
    "branches of a tagged cell": (
        "space net() {\n  in image: 4x8x8\n  s = chain(image) {\n    branched@one()\n    branched@two()\n  }\n"
        "  out s\n}\n"
    ),
    "a map and itself through an op, of which one is kept": (
        "space net() {\n  in image: 4x8x8\n  out y = sum({image, image -> half}, keep = 1)\n}\n"
    ),
    "a map and itself through ops to choose from, of which one is kept": (
        "space net() {\n  in image: 4x8x8\n  out y = sum({image, image -> {half, deep}, image -> relu}, keep = 1)\n}\n"
    ),
    "a line and a cell of one name": (
        "space net() {\n  in stem: 4x8x8\n  before = chain(stem) {\n    tail()\n  }\n"
        "  tail = stem -> {half, deep}\n  out y = sum(before, tail)\n}\n"
    ),
    "a tagged cell with answers for each branch": (
        "space net() {\n  in image: 4x8x8\n"
        "  g = grid(i in 1..2, j in {1, 2}) {\n    start [1][1] = image\n"
        "    choose source in {g[i - 1][j], g[i - 1][j - 1]} per branch\n    own@one(source)\n  }\n"
        "  branches a, b in g[2]\n  out y = sum(a.last, b.last)\n}\n"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_counted_as_by_brute_force_and_reads_back(tmp_path: Path, case: str) -> None:
    program = program_of(tmp_path, f"{HEAD}\n{CASES[case]}")
    is_counted(program)
    for seed in range(6):
        reads_back(tmp_path, program, seed)


@pytest.mark.parametrize(
    ("case", "count"),
    [
        # The cell, the op of the space, and `own` for each of two branches.
        ("a branch and a cell of one name", 2 * 2 * 2 * 2),
        # The cell, the op of the space for each of two branches, and where the coarser branch goes down.
        ("a branch, a cell and a parameter of one name", 3 * 2 * 2 * 2),
    ],
)
def test_a_branch_beside_a_cell_has_an_answer_of_its_own(tmp_path: Path, case: str, count: int) -> None:
    assert Census(program_of(tmp_path, f"{HEAD}\n{CASES[case]}")).count == count
