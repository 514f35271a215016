"""The canonical hash: equal for one computation however it is written, different for different ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.ir import canonical_hash
from archdsl.pipeline import load

BASE = """archdsl 1

use std

op block(c) = conv(c, k = 3) -> bn -> relu

space net() {
  in image: 3x32x64
  stem = image -> block(8)
  left = stem -> conv1x1(8)
  right = stem -> conv3x3(8)
  both = left + right
  out logits = both -> conv(19, k = 1)
}
"""


def hash_of(folder: Path, text: str) -> str:
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    return canonical_hash(load(str(file)).network())


def changed(*pairs: tuple[str, str]) -> str:
    text = BASE
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize(
    "text",
    [
        changed(("left", "one"), ("right", "other")),
        changed(("stem", "entry"), ("both", "joined")),
        changed(("block", "brick")),
        changed(("space net", "space another")),
        changed(("left + right", "right + left")),
        changed(
            ("  left = stem -> conv1x1(8)\n  right = stem -> conv3x3(8)\n", ""),
            ("  both =", "  right = stem -> conv3x3(8)\n  left = stem -> conv1x1(8)\n  both ="),
        ),
        changed(("image -> block(8)", "image -> conv3x3(8)")),
        changed(("op block(c) = conv(c, k = 3) -> bn -> relu\n\n", ""), ("block(8)", "conv_bn_relu(8)")),
        changed(("  both = left + right\n", "  both = sum({left, right})\n")),
        changed(("in image: 3x32x64", "in image: 3x32x64   # a comment")),
    ],
)
def test_names_and_order_do_not_count(tmp_path: Path, text: str) -> None:
    assert hash_of(tmp_path, text) == hash_of(tmp_path, BASE)


@pytest.mark.parametrize(
    "text",
    [
        changed(("stem -> conv1x1(8)", "stem -> conv3x3(8)")),
        changed(("k = 3) -> bn -> relu", "k = 5) -> bn -> relu")),
        changed(("k = 3) -> bn -> relu", "k = 3) -> relu -> bn")),
        changed(("conv(19, k = 1)", "conv(11, k = 1)")),
        changed(("3x32x64", "3x64x64")),
        changed(("  both = left + right\n", "  both = left + stem + right\n")),
        changed(("stem -> conv3x3(8)", "left -> conv3x3(8)")),
        changed(("out logits", "out labels")),
    ],
)
def test_another_computation_has_another_hash(tmp_path: Path, text: str) -> None:
    assert hash_of(tmp_path, text) != hash_of(tmp_path, BASE)
