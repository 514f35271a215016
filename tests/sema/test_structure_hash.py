"""Rule 13: the hash of a space covers its structure with all that it uses, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.pipeline import check

OPS = """archdsl 1

op used(c, s = 1) = conv(c, k = 3, s = s) -> inner
op inner() = bn -> relu
op unused(c) = conv(c, k = 1)
"""

SPACE = """archdsl 1

use "ops.arch"
use std

ops searched = {used, conv1x1}

cell node(c) {
  in x
  choose operator in searched
  out x -> operator(c)
}

space net(classes = 19, depth = 3) {
  in image: 3x32x64
  trunk = chain(image) {
    each node(c = 8) * depth
  }
  out logits = trunk -> conv1x1(classes)
}

cost latency = macs

search net_s of net {
  relax = softmax(operator)
  arch = adam(lr = 3e-4)
  weights = sgd(lr = 0.01, batch = 8)
  epochs = 10
}
"""


def hash_of(folder: Path, *, space: str = SPACE, ops: str = OPS) -> str:
    (folder / "ops.arch").write_text(ops, encoding="utf-8")
    file = folder / "space.arch"
    file.write_text(space, encoding="utf-8")
    found = check(str(file))
    assert not found.failed
    (meaning,) = found.meanings
    assert meaning.program.hash.startswith("sha256:")
    return meaning.program.hash


def replaced(text: str, before: str, after: str) -> str:
    assert before in text
    return text.replace(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("space net(", "# which classes there are\n\nspace net("),
        ("{used, conv1x1}", "{\n  used,     # a comment\n  conv1x1,\n}"),
        ("classes = 19", "classes = 11"),
        ("depth = 3", "depth = 5"),
        ("cost latency = macs\n", ""),
        ("relax = softmax(operator)", "relax = gumbel(operator)"),
        ("  out x -> operator(c)", "\n  out x->operator( c )"),
    ],
)
def test_what_is_no_structure_does_not_count(tmp_path: Path, before: str, after: str) -> None:
    assert hash_of(tmp_path, space=replaced(SPACE, before, after)) == hash_of(tmp_path)


def test_an_op_that_the_space_does_not_use_does_not_count(tmp_path: Path) -> None:
    ops = replaced(OPS, "conv(c, k = 1)", "conv(c, k = 5)")
    assert hash_of(tmp_path, ops=ops) == hash_of(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{used, conv1x1}", "{conv1x1, used}"),
        ("{used, conv1x1}", "{used, conv1x1, conv3x3}"),
        ("c = 8", "c = 16"),
        ("each node", "node"),
        ("3x32x64", "3x64x64"),
    ],
)
def test_the_structure_counts(tmp_path: Path, before: str, after: str) -> None:
    assert hash_of(tmp_path, space=replaced(SPACE, before, after)) != hash_of(tmp_path)


@pytest.mark.parametrize(("before", "after"), [("k = 3", "k = 5"), ("bn -> relu", "relu -> bn"), ("-> inner", "-> bn")])
def test_an_op_that_the_space_uses_counts(tmp_path: Path, before: str, after: str) -> None:
    assert hash_of(tmp_path, ops=replaced(OPS, before, after)) != hash_of(tmp_path)
