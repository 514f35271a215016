"""A small text for sweeps, and what a sweep of it found."""

from __future__ import annotations

from pathlib import Path

from archdsl.search.sweep.folder import SweepFolder
from archdsl.search.sweep.summary import Summary

TEXT = """archdsl 1

use std

space net(c = 8, classes = 3) {
  in image: 3x32x64
  stem = image -> conv3x3(c, s = 2)
  out logits = stem -> conv(classes, k = 1)
}

search net_s(lambda = 1) of net {
  epochs = 1
  weights = sgd(lr = 0.1, batch = lambda)
}
"""


def write_text(folder: Path) -> None:
    """The text in a project: a genotype can use it from any folder below."""
    (folder / ".git").mkdir()
    (folder / "net.arch").write_text(TEXT, encoding="utf-8")


def outcome(folder: SweepFolder) -> dict[str, tuple[float, int]]:
    """Accuracy and multiply-adds of each member that has ended."""
    return {each.member.name: (each.result.accuracy, each.result.macs) for each in Summary.of(folder).ended}
