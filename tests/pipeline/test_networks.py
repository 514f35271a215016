"""How many different networks a space has: one count for `stats` and `diff`, beside a published one."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations, product
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from archdsl.ir import closed, fingerprint
from archdsl.pipeline import Loaded, load
from archdsl.pipeline.compare import compare
from archdsl.pipeline.networks import Together
from archdsl.pipeline.stats import space_stats
from archdsl.space.count import Census
from archdsl.space.trace import trace

ROOT = Path(__file__).parents[2]
OPS = ("none", "skip_connect", "nor_conv(k = 1)", "nor_conv(k = 3)", "avg_pool_3x3")
Cell = tuple[str, ...]
"""An op for each edge: x1.x0, x2.x0, x2.x1, x3.x0, x3.x1, x3.x2."""
CELLS: list[Cell] = list(product(OPS, repeat=6))
EDGES = ((0,), (0, 1), (0, 1, 2))


def lines(cell: Cell) -> list[list[tuple[str, int]]]:
    ops = iter(cell)
    return [[(next(ops), source) for source in sources] for sources in EDGES]


def published(cell: Cell) -> str:
    """The string by which NAS-Bench-201's authors tell cells apart (`to_unique_str(consider_zero = True)`)."""
    nodes = ["0"]
    for terms in lines(cell):
        spelled: list[str] = []
        for op, source in terms:
            if op == "none" or nodes[source] == "#":
                spelled.append("#")
            elif op == "skip_connect":
                spelled.append(nodes[source])
            else:
                spelled.append(f"({nodes[source]})@{op}")
        nodes.append("+".join(sorted(spelled)))
    return nodes[-1]


Value: TypeAlias = "tuple[int | str | Value, ...]"
"""A sum: of the image, of layers with weights by number, and of pools, each as the sum that it reads."""


def canonical(cell: Cell) -> str:
    """The function of a cell by brute force: its least spelling over all orders of the layers with weights."""
    layers: list[tuple[str, Value]] = []
    values: list[Value] = [("image",)]
    for terms in lines(cell):
        total: Value = ()
        for op, source in terms:
            read = values[source]
            if op == "skip_connect":
                total += read
            elif op == "avg_pool_3x3" and read:
                total += (read,)
            elif op.startswith("nor_conv"):
                layers.append((op if read else "a batch norm of zeros", read))
                total += (len(layers) - 1,)
        values.append(total)
    live = _layers_of(values[-1], layers)

    def spelling(names: dict[int, int]) -> str:
        rows = sorted((names[layer], layers[layer][0], _spelled(layers[layer][1], names)) for layer in live)
        return f"{_spelled(values[-1], names)} {rows}"

    return min(spelling(dict(zip(live, order, strict=True))) for order in permutations(range(len(live))))


def _layers_of(value: Value, layers: list[tuple[str, Value]]) -> list[int]:
    found: dict[int, None] = {}
    for term in value:
        if isinstance(term, int):
            found |= dict.fromkeys([term, *_layers_of(layers[term][1], layers)])
        elif isinstance(term, tuple):
            found |= dict.fromkeys(_layers_of(term, layers))
    return list(found)


def _spelled(value: Value, names: dict[int, int]) -> str:
    terms = (
        f"layer {names[term]}"
        if isinstance(term, int)
        else f"pool({_spelled(term, names)})"
        if isinstance(term, tuple)
        else term
        for term in value
    )
    return " + ".join(sorted(terms))


def fingerprints(space: Loaded) -> dict[tuple[str, ...], int]:
    """By the answers to its questions, in the order of the text."""
    genotypes = list(Census(space.program).genotypes())
    found = Together(space.program).fingerprints(genotypes)
    paths = list(space.program.questions)
    return {
        tuple(" ".join(each.get(path, ())) for path in paths): number
        for each, number in zip(genotypes, found, strict=True)
    }


@pytest.fixture(scope="module")
def nas_bench_201() -> dict[Cell, int]:
    return fingerprints(load(str(ROOT / "spaces/nasbench201.arch")))


def test_nas_bench_201_is_5485_networks_where_its_authors_count_6466_strings(nas_bench_201: dict[Cell, int]) -> None:
    assert nas_bench_201.keys() == set(CELLS)
    assert len(set(nas_bench_201.values())) == 5_485
    assert len({published(cell) for cell in CELLS}) == 6_466


def test_cells_are_one_where_brute_force_finds_one_function(nas_bench_201: dict[Cell, int]) -> None:
    some = Random(0).sample(CELLS, 800)
    pairs = {(canonical(cell), nas_bench_201[cell]) for cell in some}
    assert len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


NONE, SKIP, NARROW, WIDE, POOL = OPS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # What is computed of zeros and stays zeros: the string `(#+#)@avg_pool_3x3` is not `#`.
        ((NONE, NONE, NONE, NONE, NONE, POOL), (NONE,) * 6),
        # What only zeros read.
        ((WIDE, NONE, NONE, SKIP, NONE, NONE), (NONE, NONE, NONE, SKIP, NONE, NONE)),
        # Sums of sums: the terms of each are sorted, and not those of both.
        ((SKIP, NARROW, SKIP, WIDE, NONE, SKIP), (SKIP, WIDE, SKIP, NARROW, NONE, SKIP)),
    ],
)
def test_one_network_may_have_several_strings(one: Cell, other: Cell, nas_bench_201: dict[Cell, int]) -> None:
    assert nas_bench_201[one] == nas_bench_201[other]
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # A batch norm of zeros is its shift.
        ((NONE,) * 6, (NONE, NONE, NONE, NONE, NARROW, NONE)),
        # One conv that is read twice has half the weights of two.
        ((NARROW, NONE, SKIP, NONE, NARROW, POOL), (NARROW, NARROW, NONE, NONE, NARROW, POOL)),
    ],
)
def test_one_string_may_be_several_networks(one: Cell, other: Cell, nas_bench_201: dict[Cell, int]) -> None:
    assert published(one) == published(other)
    assert nas_bench_201[one] != nas_bench_201[other]
    assert canonical(one) != canonical(other)


def test_strings_and_networks_neither_merge_nor_split_each_other_alone(nas_bench_201: dict[Cell, int]) -> None:
    pairs = {(published(cell), nas_bench_201[cell]) for cell in CELLS}
    strings, networks = Counter(string for string, _ in pairs), Counter(network for _, network in pairs)
    assert sum(count > 1 for count in networks.values()) == 759
    assert sum(count > 1 for count in strings.values()) == 523


SPACE = """archdsl 1

op skip() {
  in x
  out x
}

op none() = zero
op wide() = conv(4, k = 3)
op gate() = conv(4, k = 1, bias = yes) -> sigmoid

cell node() {
  in x0
  x1 = x0 -> {none, skip, wide, relu}
  x2 = sum({x0, x1} -> {skip, gate}, keep = 1)
  y = multiply(x1, x2) + x0
  out concat(x1, y) -> conv(4, k = 1)
}

space net() {
  in image: 4x8x8
  t = hyper(image) {
    node() * 3
  }
  out aux early = t.prev -> bn
  out logits = t -> relu -> dropout -> {none, wide}
}
"""


def test_networks_at_once_are_those_that_are_made_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(SPACE, encoding="utf-8")
    space = load(str(file))
    genotypes = list(Census(space.program).genotypes())
    assert len(genotypes) == Census(space.program).count
    assert len({frozenset(each.items()) for each in genotypes}) == len(genotypes)
    one_by_one = [fingerprint(closed(space.program, trace(space.program, each), "net")) for each in genotypes]
    assert list(Together(space.program).fingerprints(genotypes)) == one_by_one
    assert space_stats(space).networks == len(set(one_by_one)) < len(genotypes)


def test_what_is_counted_once_is_the_same_for_diff(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(SPACE, encoding="utf-8")
    space = load(str(file))
    genotypes = list(Census(space.program).genotypes())
    some = Random(0).sample(genotypes, 12)
    sides = [space.answered(each) for each in some]
    networks = list(Together(space.program).fingerprints(some))
    for (one, first), (other, second) in combinations(zip(sides, networks, strict=True), 2):
        assert compare(one, other).written_otherwise is (first == second)


def test_too_many_genotypes_are_said_to_be() -> None:
    size = space_stats(load(str(ROOT / "spaces/ofa_mobilenetv3.arch")))
    assert size.networks is None
    assert size.not_compared == "too many genotypes"


def test_branches_and_widths_are_compared_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(
        "archdsl 1\n\nspace net() {\n  in image: 3x8x8\n  choose width in {4, 8}\n  choose more in {4, 8}\n"
        "  x = image -> conv(width) -> {zero, relu}\n  out y = x -> conv(more)\n}\n",
        encoding="utf-8",
    )
    size = space_stats(load(str(file)))
    # A conv of zeros without a bias is zeros, whatever their channels before were.
    assert (size.genotypes, size.networks) == (8, 6)


def test_one_layer_in_two_places_is_not_two_layers(tmp_path: Path) -> None:
    body = "in x: 3x8x8\n  a = x -> conv(3, {one})\n  out y = a -> conv(3, {other})\n"
    prints: set[int] = set()
    for name, one, other in (("own", "k = 3", "k = 3"), ("shared", "weights@w", "weights@w")):
        file = tmp_path / f"{name}.arch"
        text = f"archdsl 1\n\nspace {name}() {{\n  {body.format(one=one, other=other)}}}\n"
        file.write_text(text, encoding="utf-8")
        prints.add(fingerprint(load(str(file)).network()))
    assert len(prints) == 2
