"""Objectives of a small space, each as a text has it and as a formula."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path

from archdsl.pipeline import check, load
from archdsl.settings import Search
from archdsl.settings.searches import Phase
from archdsl.space import Program, QuestionKind

SPACE = """archdsl 1

use std

cell node(c) {
  in x
  choose operator in {conv3x3, conv1x1}
  choose width in {4, 8}
  out x -> operator(width) -> conv1x1(c)
}

space net(c = 8) {
  in image: 3x16x32
  stem = image -> conv3x3(c, s = 2)
  trunk = hyper(stem, stem) {
    each node(c) * 3
  }
  out logits = trunk -> conv(5, k = 1) -> resize(2)
}
"""
SEARCH = """
search found of net {{
  relax = softmax
  objective = {objective}
  arch = adam(lr = 3e-4)
  weights = sgd(lr = 0.01, batch = 2)
  epochs = 3
}}
"""
WEIGHTED = "weighted(macs, operator = 0.5, exit = 2, width = 0.25)"
KINDS = {QuestionKind.OPERATOR: 0.5, QuestionKind.EXIT: 2.0, QuestionKind.WIDTH: 0.25}
FORMS: dict[str, Callable[[float, float], float]] = {
    "loss": lambda loss, macs: loss,
    "loss + 0.01 * macs": lambda loss, macs: loss + 0.01 * macs,
    "loss - macs / 1e6 + 1": lambda loss, macs: loss - macs / 1e6 + 1,
    "-loss * -macs": lambda loss, macs: loss * macs,
    "loss + 0.005 * log(macs)": lambda loss, macs: loss + 0.005 * log(macs),
    "loss * 0.2 * log(macs) ^ 0.6": lambda loss, macs: loss * 0.2 * log(macs) ** 0.6,
    "loss + target(macs, 1e5)": lambda loss, macs: loss + abs(macs / 1e5 - 1),
    "loss + target(macs, 1e9)": lambda loss, macs: loss + abs(macs / 1e9 - 1),
    "loss + 0.1 * hinge(macs, 1e5)": lambda loss, macs: loss + 0.1 * max(0.0, macs / 1e5 - 1),
    "loss + 0.1 * hinge(macs, 1e9)": lambda loss, macs: loss,
    "loss + 0.01 * adaptive(macs, least = 1e5, most = 2e5)": lambda loss, macs: loss + 0.01 * macs,
    f"loss + 0.01 * {WEIGHTED}": lambda loss, macs: loss + 0.01 * 2.75 * macs,
    "loss * (macs / 1e5) ^ -0.07": lambda loss, macs: loss * (macs / 1e5) ** -0.07,
}


def searched(folder: Path, objective: str, space: str = SPACE) -> tuple[Program, Phase]:
    """A space with a search that has this objective."""
    file = folder / "net.arch"
    file.write_text(space + SEARCH.format(objective=objective), encoding="utf-8")
    checked = check(str(file))
    assert checked.diagnostics == ()
    (search,) = (each for each in checked.recipes if isinstance(each, Search))
    return load(f"{file}:net").program, search.phases[0]
