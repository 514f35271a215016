"""Property 7: the count is exact, which an enumeration confirms, and samples are uniform."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from archdsl.pipeline import load
from archdsl.space import Program
from archdsl.space.count import Census, NotCounted
from tests.space.enumeration import genotypes, looks_uniform
from tests.space.samples import REPOSITORY

HEADER = """archdsl 1

use std

op skip() {
  in x
  out x
}

op four() = conv(4) -> relu
op through(w) = conv(w) -> conv(4)
op whole() = conv(4) -> resize(size = 64x64)

cell plain(c) {
  in x
  choose operator in {skip, four}
  out x -> operator
}

cell halving(stay_c, down_c) {
  in x
  choose operator in {conv3x3, zoomed_conv3x3} per branch
  out stay = x -> operator(stay_c)
  out down = x -> operator(down_c, s = 2)
}

cell kept(c) {
  in prev2 -> align(c, like = prev), prev -> align(c, like = prev)
  x1..x2 = sum({prev2, prev, earlier} -> {skip, four}, keep = 2)
  out concat(x1..x2)
}

cell dense(c) {
  in prev2 -> align(c, like = prev), prev -> align(c, like = prev)
  x1..x2 = sum({prev2, prev, earlier} -> {skip, zero})
  out x2
}

cell picking(c) {
  in prev2 -> align(c, like = prev), prev
  choose operand in {prev2, prev}
  out concat(operand -> {skip, four}, operand)
}

space net() {
  in image: 3x64x64
  stem = image -> conv3x3(4)
"""

ROUTES = """
  trunk = grid(layer in 1..3, scale in {1, 2, 4}) {
    start [1][1] = stem
    choose source in {trunk[layer - 1][scale].stay, trunk[layer - 1][scale / 2].down} per branch
    each halving(source, stay_c = 4 * scale, down_c = 8 * scale)
  }
"""

BEFORE = """
  trunk = grid(layer in 1..3, scale in {1, 2, 4}) {
    start [1][1] = image, stem
    choose source in {
      trunk[layer - 1][scale] -> conv1x1(4),
      trunk[layer - 1][scale / 2] -> conv3x3(4, s = 2),
    } per branch
    each picking(source.prev, source, c = 4)
  }
"""

JOINED = """
  branches a, b in trunk[3]
  out y = concat(stem, concat({a.at(2), b.at(2)}) -> whole)
  out z = whole(b.last)
"""

BODIES: Mapping[str, tuple[int, str]] = {
    "an edge": (2, "out y = stem -> {skip, four}"),
    # Two nodes keep 2 of 2 and 2 of 3, with an op on each edge that stays.
    "a chain whose cells share": (
        4 * 3 * 4,
        """
        trunk = chain(stem, stem) {
          kept(c = 4) * 2
        }
        out y = trunk
        """,
    ),
    "a chain of places with questions of their own": (
        2**4,
        """
        trunk = chain(stem) {
          each plain(c = 4) * 4
        }
        out y = trunk
        """,
    ),
    "a node that reads others": (
        2**5,
        """
        trunk = chain(stem, stem) {
          dense(c = 4)
        }
        out y = trunk
        """,
    ),
    "a tag is asked only behind the first exit": (
        2 + 2 * 2 * 2,
        """
        trunk = hyper(stem) {
          plain@first(c = 4)
          plain@rest(c = 4) * 2
        }
        out y = trunk
        """,
    ),
    "two exits": (
        (2 + 4 + 8) * 3 * 2,
        """
        trunk = chain(stem) {
          choose exit in {1, 2, 3}
          each plain(c = 4) * 3
        }
        tail = hyper(trunk) {
          plain@tail(c = 4) * 3
        }
        out y = tail
        """,
    ),
    "a source": (
        2 + 2 * 2,
        """
        left = stem -> {four, skip}
        deep = left -> {four, skip}
        choose source in {left, deep}
        out y = source
        """,
    ),
    "a width that a skip leaves unread": (
        1 + 3,
        """
        choose width in {2, 4, 6}
        y = stem -> {through(w = width), skip}
        out z = y
        """,
    ),
    "a kernel, and a number that another graph follows from": (
        3 * 2 * 2,
        """
        choose k in {3, 5, 7}
        choose reach in {1, 2}
        y = stem -> dwconv(k = k) -> dwconv(k = 2 * reach + 1)
        choose deep in {1, 3}
        length = case deep {
          when 1: 1
          else: 5
        }
        out z = y -> dwconv(k = length)
        """,
    ),
    "branches through a grid": (
        0,
        f"{ROUTES}  branches a, b in trunk[3]\n  out y = whole(a.last)\n  out aux z = whole(b.last)\n",
    ),
    "one branch": (0, f"{ROUTES}  branches a in trunk[3]\n  out y = whole(a.last)\n"),
    "branches whose cells read the map before": (
        0,
        f"{BEFORE}  branches a, b in trunk[3]\n  out y = whole(a.last)\n  out aux z = whole(b.last)\n",
    ),
    "a branch that is joined with its own past": (
        0,
        ROUTES + JOINED,
    ),
}


SMALL = [name for name in BODIES if not name.startswith("branches")]


def program_of(body: str, folder: Path) -> Program:
    file = folder / "net.arch"
    file.write_text(f"{HEADER}{body}\n}}\n", encoding="utf-8")
    return load(str(file)).program


@pytest.mark.parametrize("name", BODIES)
def test_the_count_is_that_of_an_enumeration(name: str, tmp_path: Path) -> None:
    by_hand, body = BODIES[name]
    program = program_of(body, tmp_path)
    every = list(genotypes(program))
    assert len(every) == len(set(every)) > 1
    assert Census(program).count == len(every)
    if by_hand:
        assert len(every) == by_hand


def test_cas() -> None:
    found = load(f"{REPOSITORY / 'spaces/cas.arch'}:cas").program
    assert Census(found).count == (18 * 11**6) ** 2 * 56_700 * 10**12


def test_nas_bench_201() -> None:
    assert Census(load(str(REPOSITORY / "spaces/nasbench201.arch")).program).count == 15_625


def test_auto_deeplab() -> None:
    """Ways through the trellis, and five nodes that keep 2 of 2 to 6 inputs, each with one of seven ops."""
    found = load(str(REPOSITORY / "spaces/auto_deeplab.arch")).program
    assert Census(found).count == 28_657 * (1 * 3 * 6 * 10 * 15) * 7**10


def test_once_for_all() -> None:
    """Section 4.1: ((3 * 3)^2 + (3 * 3)^3 + (3 * 3)^4)^5."""
    found = load(str(REPOSITORY / "spaces/ofa_mobilenetv3.arch")).program
    assert Census(found).count == (9**2 + 9**3 + 9**4) ** 5


@pytest.mark.parametrize("name", SMALL)
def test_samples_are_uniform(name: str, tmp_path: Path) -> None:
    program = program_of(BODIES[name][1], tmp_path)
    census = Census(program)
    assert census.count <= 200
    assert looks_uniform(census, set(genotypes(program)), each=60)


@pytest.mark.parametrize("name", BODIES)
def test_the_same_seed_gives_the_same_samples(name: str, tmp_path: Path) -> None:
    program = program_of(BODIES[name][1], tmp_path)
    first, second = Random(2), Random(2)
    again = program_of(BODIES[name][1], tmp_path)
    one, other = Census(program), Census(again)
    assert [one.sample(first) for _ in range(20)] == [other.sample(second) for _ in range(20)]


@pytest.mark.slow
def test_an_enumeration_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    """Each second choice is open or not when the first ones have been made: 2^18 states."""
    firsts = "\n".join(f"  choose first{n} in {{asks, plain_stem}}" for n in range(18))
    seconds = "\n".join(f"  choose second{n} in {{first{n}, plain_stem}}" for n in range(18))
    maps = ", ".join(f"second{n}" for n in range(18))
    text = (
        f"  asks = stem -> {{skip, four}}\n  plain_stem = stem -> four\n{firsts}\n{seconds}\n  out y = concat({maps})"
    )
    program = program_of(text, tmp_path)
    with pytest.raises(NotCounted, match="more than 200,000 sets of answers"):
        Census(program)


def test_what_hangs_on_a_chosen_number_is_refused(tmp_path: Path) -> None:
    body = """
      choose width in {2, 4}
      wide = stem -> conv(width)
      y = case channels(wide) {
        when 2: wide -> conv(4) -> {skip, four}
        else: wide -> conv(4)
      }
      out z = y
    """
    with pytest.raises(NotCounted, match="channel counts"):
        Census(program_of(body, tmp_path))
