"""Pages in tests/spec/syntax: after each `arch` block stands what is said about it."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from archdsl.syntax import parse
from archdsl.text import SourceFile

PAGES = Path(__file__).parent / "syntax"
EXAMPLE = re.compile(r"```arch\n(?P<text>.*?)```\s*```text\n(?P<said>.*?)```", re.DOTALL)


class Example(NamedTuple):
    name: str
    text: str
    said: str


def examples() -> list[Example]:
    found: list[Example] = []
    for page in sorted(PAGES.glob("*.md")):
        for number, match in enumerate(EXAMPLE.finditer(page.read_text(encoding="utf-8")), start=1):
            found.append(Example(f"{page.stem} {number}", match["text"], match["said"]))
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_page(example: Example) -> None:
    said = ""
    for found in parse(SourceFile(example.name, example.text)).diagnostics:
        assert found.primary is not None
        line, column = found.primary.span.position
        said += f"{line}:{column}: {found.code}: {found.message}\n"
    assert said == example.said
