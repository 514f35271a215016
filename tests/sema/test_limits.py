"""Property 6: what a text demands is counted before it is done, and a text that demands too much is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.sema.elaborate import builder
from archdsl.session import Checked, Session, Text
from archdsl.text import SourceFile

CALLS = """archdsl 1

op one(c) = conv(c) -> conv(c) -> conv(c) -> conv(c)
op two(c) = one(c) -> one(c) -> one(c) -> one(c)
op three(c) = two(c) -> two(c) -> two(c) -> two(c)

space net() {
  in image: 3x8x8
  out logits = image -> three(3)
}
"""


def checked(folder: Path, text: str) -> Checked:
    file = folder / "space.arch"
    file.write_text(text, encoding="utf-8")
    return Session().check(Text(SourceFile(str(file), text), file))


def test_nodes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (meaning,) = checked(tmp_path, CALLS).meanings
    count = len(meaning.program.nodes)
    assert count == 64 + 2
    monkeypatch.setattr(builder, "NODE_LIMIT", count)
    assert checked(tmp_path, CALLS).diagnostics == ()
    monkeypatch.setattr(builder, "NODE_LIMIT", count - 1)
    (diagnostic,) = checked(tmp_path, CALLS).diagnostics
    assert diagnostic.code == "E0023"
    assert "more than 65 nodes" in diagnostic.message


BODIES = {
    "chains in a chain": """
  a = chain(image) {
    node() * 4_000
  }
  b = chain(a) {
    node() * 100_001
  }
  out y = b""",
    "a range of a set": """
  choose c in {1..99_999, 1..999_999_999}
  out y = image -> conv(c)""",
    "a power of a power": """
  out y = image -> conv(9 ^ 9 ^ 9 ^ 9)""",
    "a power of a fraction": """
  out y = image -> conv((1 / 3) ^ 99_999_999)""",
    "a grid in one direction": """
  g = grid(layer in 1..100_001) {
    start [1] = image
    node(image)
  }
  out y = g[1].y""",
    "a long run of names": """
  x1..x999999 = image
  out y = x1""",
    "a range that counts down": """
  choose c in 999_999_999..1
  out y = image -> conv(c)""",
    "a window": """
  out y = image -> conv(3, k = 999_999_999)""",
    "channels": """
  out y = image -> conv(999_999_999_999)""",
    "groups": """
  out y = image -> conv(999_999_999, groups = 999_999_999)""",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_small_text_with_large_numbers_comes_to_an_end(tmp_path: Path, body: str) -> None:
    cell = "cell node() {\n  in x\n  out x -> relu\n}\n"
    found = checked(tmp_path, f"archdsl 1\n\n{cell}\nspace net() {{\n  in image: 3x8x8{body}\n}}\n")
    assert len(found.diagnostics) <= 2
    assert found.failed or found.meanings


def test_questions_upon_questions_are_as_many_as_they_are_written(tmp_path: Path) -> None:
    """Twenty choices of ten ops each are 10^20 networks, and one small program."""
    lines = ["  x0 = image -> conv(8)"]
    lines += [f"  x{n} = x{n - 1} -> {{conv3x3(c = 8), conv1x1(c = 8), identity(c = 8)}}" for n in range(1, 21)]
    body = "\n".join(lines)
    found = checked(tmp_path, f"archdsl 1\n\nuse std\n\nspace net() {{\n  in image: 3x8x8\n{body}\n  out y = x20\n}}\n")
    assert found.diagnostics == ()
    (meaning,) = found.meanings
    assert len(meaning.program.questions) == 20
    assert len(meaning.program.nodes) < 20 * 12
