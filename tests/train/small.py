"""A small network with batch norms and an auxiliary output, and small street scenes to train it on."""

from __future__ import annotations

from pathlib import Path

TEXT = """archdsl 1

use std

cell block(c) {
  in x
  y = x -> conv3x3(c) -> conv(c) -> bn
  out (x + y) -> relu
}

space small(classes = 3) {
  in image: 3x32x64
  stem = image -> conv3x3(8, s = 2)
  body = chain(stem) {
    block(c = 8) * 2
  }
  out logits = body -> conv(classes, k = 1, bias = yes) -> resize(like = image)
  out aux early = stem -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}

train small_final of small {
  epochs = 2
  loss = ohem(threshold = 0.7, keep = 1 / 8)
  auxiliary = 0.4
  weights = sgd(lr = poly(0.05), momentum = 0.9, weight_decay = 1e-4, batch = 4, clip = 5)
  augment = flip, scale(0.5, 2.0), crop(32x64), colour(brightness = 0.2)
  ema = 0.9
}
"""


def write_text(folder: Path) -> Path:
    """The text as a file of its own."""
    path = folder / "small.arch"
    path.write_text(TEXT, encoding="utf-8")
    return path
