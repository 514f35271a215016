"""A small space with questions of several kinds, and searches of it in the ways that texts can say."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.fuzz.folders import SPACE

SETTINGS = """
  relax = softmax(also = none)
  derive = argmax(except = none), keep(by = max_probability)
  arch = adam(lr = 0.05, betas = (0.5, 0.999))
  weights = sgd(lr = cosine(from = 0.1, to = 0.01), momentum = 0.9, weight_decay = 1e-4, batch = 4)
"""

ONE = "levels = one\n  objective = loss + 0.1 * log(macs)\n  iterations = 4"
TWO = "levels = two(order = first)\n  split = random(weights = 1 / 2, answers = 1 / 2)\n  iterations = 4"
SECOND = TWO.replace("first", "second")
PHASES = """levels = two(order = first)
  split = random(weights = 1 / 2, answers = 1 / 2)
  phase warming {
    answer_for = nothing
    iterations = 2
  }
  phase finding {
    with = beside
    iterations = 3
  }
  phase beside {
    without = max_pool3x3
  }"""

WIDE = """archdsl 1

use std

space net(classes = 3) {
  in image: 3x32x64
  choose first in {2, 4, 6}
  choose second in {4, 8}
  choose kind in {conv3x3, sep_conv3x3}
  x = image -> conv3x3(first, s = 2) -> kind(second)
  out logits = x -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}

search found of net {
  levels = two(order = first)
  split = random(weights = 1 / 2, answers = 1 / 2)
  relax = gumbel(operator, temperature = 1.0), gumbel_hard(width, temperature = 1.0)
  widths = sandwich(smallest, largest, sampled)
  derive = argmax
  arch = adam(lr = 0.05, betas = (0.5, 0.999))
  weights = sgd(lr = 0.05, momentum = 0.9, batch = 4, clip = 5)
  iterations = 4
}
"""


SMOOTH = """archdsl 1

use std

op straight(c, s = 1) {
  in x
  out x -> conv(c, s = s) -> bn
}

op pooled(c, s = 1) {
  in x
  out x -> avg_pool(k = 3, s = s) -> conv(c, k = 1) -> bn
}

ops some = {straight, pooled, identity}

space net(classes = 3, c = 4) {
  in image: 3x32x64
  choose first in some
  choose second in some
  x = image -> straight(c, s = 2) -> first(c) -> second(c)
  out logits = x -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}
"""
"""Without rectifiers: differences of gradients see the kinks of those."""


def searched(how: str, space: str = SPACE) -> str:
    """A space with a search that is said so."""
    return f"{space}\nsearch found of net {{{SETTINGS}  {how}\n}}\n"


def write(folder: Path, text: str) -> Path:
    (folder / ".git").mkdir(exist_ok=True)  # what makes a folder a project, whose genotypes may use the text
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    return file


def command(text: Path, out: Path, *more: str) -> list[str]:
    data = ["--data", "streets", "--size", "32x64", "--device", "cpu"]
    return [sys.executable, "-m", "archdsl", "search", str(text), *data, "--out", str(out), *more]
