"""Two spellings of one network: cells that are isomorphic, and cells that only look so."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.diff import Difference, as_data, as_text
from archdsl.ir import ClosedGraph, same_network
from archdsl.pipeline import load
from archdsl.pipeline.compare import compare

SPACE = """archdsl 1

op skip() {
  in x
  out x
}

op wide() = conv(4, k = 3)
op narrow() = conv(4, k = 1)

cell node() {
  in x0
  x1..x3 = sum({x0, earlier} -> {skip, wide, narrow})
  out x3
}

space net() {
  in image: 4x8x8
  t = chain(image) {
    node()
  }
  out t -> relu
}
"""


def answers(name: str, *ops: str) -> str:
    """By edge: x1.x0, x2.x0, x2.x1, x3.x0, x3.x1, x3.x2."""
    a, b, c, d, e, f = ops
    lines = [f"x1 = x0 -> {a}", f"x2 = x0 -> {b} + x1 -> {c}", f"x3 = x0 -> {d} + x1 -> {e} + x2 -> {f}"]
    return f"genotype {name} of net {{\n  answer node {{\n    " + "\n    ".join(lines) + "\n  }\n}\n\n"


def compared(folder: Path, one: str, other: str) -> Difference:
    file = folder / "net.arch"
    file.write_text(f"{SPACE}\n{one}{other}", encoding="utf-8")
    return compare(load(f"{file}:one"), load(f"{file}:other"))


S, W, N = "skip", "wide", "narrow"
ISOMORPHIC = {
    # x1 is x0, so its edges go on from x0: which of the two stands there by which edge is the same.
    "edges from one map": ((S, W, N, W, N, S), (S, N, W, N, W, S)),
    "an edge of either": ((S, W, W, N, S, W), (S, W, W, S, N, W)),
}
OTHERS = {
    "another op": ((S, W, N, W, N, S), (S, W, N, W, W, S)),
    # One conv that is read by two lines, and two convs: the digests of their maps are equal, their weights are not.
    "one conv or two": ((W, S, S, S, S, S), (S, W, S, S, W, S)),
}


@pytest.mark.parametrize("name", ISOMORPHIC)
def test_an_isomorphic_cell_is_said_to_be_the_same_network(name: str, tmp_path: Path) -> None:
    one, other = ISOMORPHIC[name]
    difference = compared(tmp_path, answers("one", *one), answers("other", *other))
    assert difference
    assert "\n  = the same network, written otherwise\n" in as_text(difference)
    assert as_data(difference)["same_network"] is True


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_isomorphic_is_not_said_to_be(name: str, tmp_path: Path) -> None:
    one, other = OTHERS[name]
    difference = compared(tmp_path, answers("one", *one), answers("other", *other))
    assert difference
    assert "the same network" not in as_text(difference)
    assert as_data(difference)["same_network"] is False


def test_names_and_the_order_of_lines_make_no_other_network(tmp_path: Path) -> None:
    texts = {
        "one": "  a = x -> conv(4)\n  b = x -> relu\n  out y = a + b -> bn\n",
        "other": "  left = x -> relu\n  right = x -> conv(4)\n  out y = left -> bn + right\n",
        "third": "  left = x -> relu\n  right = x -> conv(4)\n  out y = left + (right -> bn)\n",
    }
    networks: dict[str, ClosedGraph] = {}
    for name, body in texts.items():
        file = tmp_path / f"{name}.arch"
        file.write_text(f"archdsl 1\n\nspace {name}() {{\n  in x: 4x8x8\n{body}}}\n", encoding="utf-8")
        networks[name] = load(str(file)).network()
    assert not same_network(networks["one"], networks["third"])
    assert same_network(networks["one"], networks["other"])
