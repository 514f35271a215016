"""Samples of grids are members: `per branch` without branches, maps read beside branches, places that begin anew."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from archdsl.ir import canonical_hash
from archdsl.pipeline import check, load
from archdsl.pipeline.expand import expand
from archdsl.pipeline.sample import sample
from archdsl.session import Checked

DRAWN = 60


def drawn(random: Random) -> str:
    """A space with one grid: its questions with and without `per branch`, 0 to 2 branches, other places read beside."""
    layers, scales, read = random.randint(2, 4), random.randint(1, 3), random.randint(1, 3)
    branches = min(random.choice([0, 0, 1, 2]), scales, read)
    named = random.random() < 0.4

    def per() -> str:
        return random.choice([" per branch", " per branch", ""])

    stay, down = (".stay", ".down") if named else ("", "")
    sources = [f"g[layer - 1][scale]{stay}", f"g[layer - 1][scale - 1]{down}", f"g[layer - 1][scale + 1]{down}"]
    starts = ["start [1][1] = image"]
    if random.random() < 0.4:
        starts.append(f"start [{random.randint(2, layers)}][{random.randint(1, scales)}] = image")
    names = "ab"[:branches]
    outputs = [f"{name}.last" for name in names]
    if not outputs or random.random() < 0.4:
        outputs.append(f"g[{random.randint(1, layers)}][1]{stay}")
    lines = [
        "archdsl 1\n",
        "cell pick() {",
        "  in x",
        f"  choose kind in {{relu, silu}}{per()}",
        "  y = x -> kind",
        *(["  out stay = y", "  out down = y -> silu"] if named else ["  out y"]),
        "}\n",
        "space net() {",
        "  in image: 3x8x8",
        f"  g = grid(layer in 1..{layers}, scale in 1..{scales}) {{",
        *(f"    {start}" for start in starts),
        f"    choose source in {{{', '.join(sources[:read])}}}{per()}",
        f"    {random.choice(['each ', ''])}pick(source)",
        "  }",
        *([f"  branches {', '.join(names)} in g[{layers}]"] if names else []),
        f"  out {random.choice(['', 'y = '])}concat({', '.join(outputs)})",
        "}",
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(DRAWN))
def test_a_sample_is_a_member_and_expands(seed: int, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    space = tmp_path / "net.arch"
    space.write_text(drawn(Random(seed)), encoding="utf-8")
    for number, each in enumerate(sample(load(str(space)), 3, seed, (), tmp_path)):
        file = tmp_path / f"g{number}.arch"
        file.write_text(each.text, encoding="utf-8")
        found = check(str(file))
        assert isinstance(found, Checked)
        assert [one.message for one in found.diagnostics if one.code != "W0419"] == []
        network = load(str(file)).network()
        expanded = tmp_path / f"e{number}.arch"
        expanded.write_text(expand(network), encoding="utf-8")
        assert canonical_hash(load(str(expanded)).network()) == canonical_hash(network)


def test_a_place_that_may_begin_says_so_with_a_word(tmp_path: Path) -> None:
    """`start` is a keyword, so its answer is `begin`; a branch's path just begins there."""
    text = """archdsl 1

cell pick() {
  in x
  out x -> relu
}

space net() {
  in image: 3x8x8
  g = grid(layer in 1..2, scale in 1..2) {
    start [1][1] = image
    start [2][2] = image
    choose source in {g[layer - 1][scale], g[layer - 1][scale - 1]} per branch
    pick(source)
  }
  out g[2][2]
}

space two() {
  in image: 3x8x8
  g = grid(layer in 1..2, scale in 1..2) {
    start [1][1] = image
    start [2][2] = image
    choose source in {g[layer - 1][scale], g[layer - 1][scale - 1]} per branch
    pick(source)
  }
  branches a, b in g[2]
  out concat(a.last, b.last)
}

genotype alone of net {
  g[2][2].source = begin
}

genotype ways of two {
  a.path = g[1..2][1]
  b.path = g[2][2]
}
"""
    file = tmp_path / "net.arch"
    file.write_text(text, encoding="utf-8")
    found = check(str(file))
    assert isinstance(found, Checked)
    assert found.diagnostics == ()
    networks = {name: load(f"{file}:{name}").network() for name in ("alone", "ways")}
    relus = {name: sum("relu" in path for path in network) for name, network in networks.items()}
    assert relus == {"alone": 1, "ways": 3}
