"""The files that a page is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_OF_SWEEP: Final = ("sweep.json", "budget.json", "members/*/*.json", "members/*/*/journal.jsonl")
_OF_RUN: Final = ("run.json", "journal.jsonl", "genotype.arch", "genotypes/*.arch", "logits/*/*.json")


def watched(folder: Path) -> Iterator[Path]:
    """Those of a run or of a sweep."""
    for pattern in (*_OF_RUN, *_OF_SWEEP):
        yield from sorted(folder.glob(pattern))
