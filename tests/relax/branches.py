"""A text with two branches that may be absent where they are read."""

from __future__ import annotations

_TEXT = """archdsl 1

cell own() {
  in x
  choose operator in {conv(c = CHANNELS), conv(c = CHANNELS, k = 1)} per branch
  out x -> operator
}

space net() {
  in image: 3x4x4
  t = grid(i in 1..3, j in {1, 2, 3}) {
    start [1][1] = image
    choose source in {t[i - 1][j], t[i - 1][j - 1]} per branch
    own(source)
  }
  branches a, b in t[3]
"""


def two_branches(*lines: str, channels: int = 3) -> str:
    """Branches `a` and `b` through a grid whose maps have so many channels, and lines that read them."""
    return _TEXT.replace("CHANNELS", str(channels)) + "".join(f"  {line}\n" for line in lines) + "}\n"
