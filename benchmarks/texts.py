"""Texts of any size, in which every line is used."""

from __future__ import annotations

CELL_LINES = 9


def many_lines(lines: int) -> str:
    """A space of as many different cells as about `lines` lines hold; each is placed once."""
    cells = lines // (CELL_LINES + 1)
    return _text([_cell(number) for number in range(cells)], [f"    block{number}(c = c)" for number in range(cells)])


def many_cells(cells: int) -> str:
    """A space of one cell, placed `cells` times."""
    return _text([_cell(0)], [f"    block0(c = c) * {cells}"])


def _cell(number: int) -> str:
    return f"""\
# Two convolutions and what entered.
cell block{number}(c) {{
  in x
  y = x -> conv3x3(c)
  z = y -> sep_conv3x3(c)
  w = concat(y, z) -> conv1x1(c)
  out x + w
}}
"""


def _text(cells: list[str], placed: list[str]) -> str:
    return "\n".join(
        [
            "archdsl 1\n\nuse std\n",
            *cells,
            "space deep(c = 8) {",
            "  in image: 3x64x64",
            "  stem = image -> conv3x3(c)",
            "  trunk = chain(stem) {",
            *placed,
            "  }",
            "  out logits = trunk.last -> conv(10, k = 1)",
            "}\n",
        ]
    )
