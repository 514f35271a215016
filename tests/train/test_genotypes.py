"""A genotype with answers of branches is trained, recorded, and evaluated from its run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.train.commands import finished

TEXT = """archdsl 1

use std

cell step() {
  in x
  choose operator in {conv3x3, sep_conv3x3} per branch
  out x -> operator(c = 4)
}

space net(classes = 3) {
  in image: 3x32x64
  stem = image -> conv3x3(4, s = 2)
  g = grid(i in 1..2, j in {1, 2}) {
    start [1][1] = stem
    choose source in {g[i - 1][j], g[i - 1][j - 1]} per branch
    each step(source)
  }
  branches a, b in g[2]
  out logits = sum(a.last, b.last) -> conv(classes, k = 1) -> resize(like = image)
}

train small of net {
  epochs = 1
  loss = cross_entropy()
  weights = sgd(lr = poly(0.05), batch = 4)
}

genotype found of net {
  a.path = g[1..2][1]
  b.path = g[1][1], g[2][2]
  a.g[1][1].operator = conv3x3
  b.g[1][1].operator = sep_conv3x3
  a.g[2][1].operator = conv3x3
  b.g[2][2].operator = conv3x3
}
"""


def archdsl(*arguments: str) -> None:
    done = finished([sys.executable, "-m", "archdsl", *arguments])
    assert done.returncode == 0, done.stderr


def test_answers_are_recorded_as_the_text_spells_them_and_found_again(tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text(TEXT, encoding="utf-8")
    run, text = tmp_path / "run", f"{tmp_path / 'net.arch'}:found"
    streets = ("--data", "streets", "--size", "32x64", "--device", "cpu")
    archdsl("train", text, *streets, "--recipe", "small", "--iterations", "2", "--batch", "4", "--out", str(run))
    answers = json.loads((run / "run.json").read_text(encoding="utf-8"))["answers"]
    assert (answers["a.g[1][1].operator"], answers["b.g[1][1].operator"]) == (["conv3x3"], ["sep_conv3x3"])
    archdsl("eval", str(run), *streets)
