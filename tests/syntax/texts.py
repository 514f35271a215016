"""Texts that the tests of syntax and layout share."""

from pathlib import Path

from archdsl.syntax import read
from archdsl.text import SourceFile

CORPUS = Path(__file__).parent / "corpus"


def corpus() -> list[SourceFile]:
    """Texts that together use every rule of the grammar."""
    found = [read(path) for path in sorted(CORPUS.glob("*.arch"))]
    return [source for source in found if isinstance(source, SourceFile)]
