"""The files that a page is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_OF_RUN: Final = ("run.json", "journal.jsonl", "genotype.arch", "genotypes/*.arch", "logits/*/*.json")


def watched(folder: Path) -> Iterator[Path]:
    """Those of a run."""
    for pattern in _OF_RUN:
        yield from sorted(folder.glob(pattern))
