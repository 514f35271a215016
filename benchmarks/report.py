"""Figures against their limits: a table for people, a file for programs, an exit code for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.measure import RESULTS, machine


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    """The command line, or what was compared."""
    measured: float
    limit: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.measured <= self.limit


def report(name: str, rows: Sequence[Row], notes: str) -> int:
    """Print the rows, keep them in `results/NAME.json`, and give 1 where a limit does not hold."""
    facts = machine()
    width = max(len(row.what) for row in rows)
    print(f"{name}: {notes}")
    print(", ".join(f"{key} {value}" for key, value in facts.items()))
    for row in rows:
        verdict = "holds" if row.holds else "TOO MUCH"
        print(f"  {row.what:<{width}}  {row.measured:7.2f} of {row.limit:5.2f} {row.unit:<5}  {verdict}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    written = {"format_version": 1, "machine": facts, "rows": [{**asdict(row), "holds": row.holds} for row in rows]}
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(f"  -> {file}")
    return 0 if all(row.holds for row in rows) else 1
