"""The published FasterSeg networks: every channel, every parameter, every multiply-add."""

from __future__ import annotations

import pytest

from archdsl.cost.figures import figures
from archdsl.ir import ClosedGraph
from archdsl.pipeline import check, load
from archdsl.space import FrameKind, Place, Trellis
from archdsl.space.grid_paths import count_path_sets, count_paths
from tests.space.samples import REPOSITORY, SPACE

GENOTYPES = REPOSITORY / "spaces" / "genotypes"

Cell = tuple[str, int, int, int, int]
"""The op, the scale of the map that it reads and of the one that it writes, and the channels of both."""

X2, ZOOMED, ZOOMED_X2 = "conv3x3_x2", "zoomed_conv3x3", "zoomed_conv3x3_x2"
SHARED: list[Cell] = [(X2, 8, 8, 64, 32), (X2, 8, 8, 32, 32), (ZOOMED_X2, 8, 8, 32, 32)]
TO_32: list[Cell] = [
    *SHARED,
    (ZOOMED, 8, 16, 32, 128),
    (ZOOMED_X2, 16, 16, 128, 64),
    (ZOOMED_X2, 16, 16, 64, 64),
    (ZOOMED_X2, 16, 16, 64, 64),
    (ZOOMED_X2, 16, 32, 64, 128),
    (ZOOMED_X2, 32, 32, 128, 128),
    (ZOOMED_X2, 32, 32, 128, 256),
]
TO_16: list[Cell] = [
    *SHARED,
    (ZOOMED_X2, 8, 8, 32, 32),
    (X2, 8, 8, 32, 32),
    (X2, 8, 16, 32, 64),
    (ZOOMED_X2, 16, 16, 64, 64),
    (ZOOMED_X2, 16, 16, 64, 192),
    (ZOOMED_X2, 16, 16, 192, 128),
]
W = 96
TEACHER_TO_32: list[Cell] = [
    (ZOOMED, 8, 8, W, W),
    *[(ZOOMED_X2, 8, 8, W, W)] * 4,
    (ZOOMED_X2, 8, 16, W, 2 * W),
    (ZOOMED_X2, 16, 16, 2 * W, 2 * W),
    (ZOOMED, 16, 16, 2 * W, 2 * W),
    *[(ZOOMED_X2, 16, 16, 2 * W, 2 * W)] * 5,
    (ZOOMED_X2, 16, 32, 2 * W, 4 * W),
    *[(X2, 32, 32, 4 * W, 4 * W)] * 2,
]
TEACHER_TO_16: list[Cell] = [
    (ZOOMED, 8, 8, W, W),
    *[(ZOOMED_X2, 8, 8, W, W)] * 3,
    (ZOOMED_X2, 8, 16, W, 2 * W),
    (X2, 16, 16, 2 * W, 2 * W),
    (ZOOMED_X2, 16, 16, 2 * W, 2 * W),
    (ZOOMED, 16, 16, 2 * W, 2 * W),
    *[(ZOOMED_X2, 16, 16, 2 * W, 2 * W)] * 8,
]


def network(name: str) -> ClosedGraph:
    return load(str(GENOTYPES / f"fasterseg_{name}.arch")).network()


def cells(graph: ClosedGraph, branch: str) -> list[Cell]:
    """The cells that a branch passes, in its order; a skip leaves nothing behind.

    The first cell reads a map that has no branch, so its ops have none either.
    """
    found: dict[str, list[str]] = {}
    for node, _ in graph.nodes():
        passes = branch in node.branches or not node.branches
        if passes and node.frames and "trunk[" in node.frames[0].name:
            found.setdefault(node.frames[0].name, []).append(node.path)
    ordered = sorted(found.items(), key=lambda item: int(item[0].split("[")[1].rstrip("]")))
    return [_cell(graph, paths) for _, paths in ordered]


def _cell(graph: ClosedGraph, paths: list[str]) -> Cell:
    (entry,) = {source for path in paths for source in graph.inputs(path) if source not in paths}
    (last,) = (path for path in paths if not any(reader in paths for reader in graph.readers(path)))
    op = next(frame.definition for frame in graph.node(last).frames if frame.kind is FrameKind.OP)
    first, final = graph.node(entry).shape, graph.node(last).shape
    assert isinstance(first.channels, int)
    assert isinstance(final.channels, int)
    return op, 1024 // first.height, 1024 // final.height, first.channels, final.channels


@pytest.mark.parametrize(
    ("name", "branch", "table"),
    [
        ("student", "b", TO_32),
        ("student", "a", TO_16),
        ("teacher", "b", TEACHER_TO_32),
        ("teacher", "a", TEACHER_TO_16),
    ],
)
def test_every_cell_of_a_branch_is_the_published_one(name: str, branch: str, table: list[Cell]) -> None:
    assert cells(network(name), branch) == table


@pytest.mark.parametrize(
    ("name", "params", "params_training", "macs"),
    [
        ("student", 3_421_875, 4_352_921, 27_770_486_784),
        ("teacher", 22_115_203, 23_450_409, 107_778_932_736),
    ],
)
def test_figures_are_those_of_the_published_networks(name: str, params: int, params_training: int, macs: int) -> None:
    found = figures(network(name))
    assert (found.params, found.params_training, found.macs) == (params, params_training, macs)


@pytest.mark.parametrize("name", ["student", "teacher"])
def test_the_published_genotypes_have_nothing_wrong_in_them(name: str) -> None:
    assert check(str(GENOTYPES / f"fasterseg_{name}.arch")).diagnostics == ()


def ways_to(trellis: Trellis, place: Place, known: dict[Place, int]) -> int:
    """How many paths lead to a place."""
    if place not in known:
        sources = trellis.sources[place].values()
        known[place] = sum(ways_to(trellis, source, known) for source in sources) if sources else 1
    return known[place]


def test_there_are_1695_pairs_of_paths() -> None:
    program = load(str(SPACE)).program
    (trellis,) = program.trellises.values()
    known: dict[Place, int] = {}
    ways = {scale: ways_to(trellis, (16, scale), known) for scale in (8, 16, 32)}
    assert ways == {8: 1, 16: 15, 32: 105}
    assert {str(branch): tuple(ends.places) for branch, ends in program.branches.items()} == {
        "a": ("8", "16"),
        "b": ("16", "32"),
    }
    pairs = ways[8] * ways[16] + ways[8] * ways[32] + ways[16] * ways[32]
    assert pairs == 15 + 105 + 15 * 105 == 1695
    assert count_path_sets(program) == pairs
    library = count_paths(trellis)
    assert {scale: library[16, scale] for scale in (8, 16, 32)} == ways
