"""What became of each case, a line each: a run that was stopped goes on from it, and reports are made of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fuzz.work import Record


def read(file: Path) -> list[Record]:
    """The records; of a line that was being written when the run was stopped, nothing."""
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def append(file: Path, record: Record) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record) + "\n")


def report(records: Sequence[Record]) -> str:
    """Counts, findings, times."""
    if not records:
        return "nothing was tried yet\n"
    outcomes = Counter(record["outcome"] for record in records)
    codes = Counter(code for record in records for code in record["codes"])
    notes = Counter(note for record in records for note in record.get("notes", ()))
    found = Counter(record["finding"] for record in records if "finding" in record)
    times = sorted(record["s"] for record in records)
    slowest = sorted(records, key=lambda record: -record["s"])[:5]
    stages: dict[str, float] = {}
    for record in records:
        for stage, seconds in record["stages"].items():
            stages[stage] = max(seconds, stages.get(stage, 0.0))
    lines = [
        f"{len(records):,} cases: {_counts(outcomes)}",
        f"of the clean ones further: {_counts(notes) or 'none'}",
        f"codes seen: {len(codes)}; most often {_counts(Counter(dict(codes.most_common(12))))}",
        f"CPU s: median {_at(times, 0.5):.3f}, p99 {_at(times, 0.99):.3f}, most {times[-1]:.3f}, sum {sum(times):,.0f}",
        f"largest by stage: {', '.join(f'{stage} {seconds:.2f}' for stage, seconds in stages.items())}",
        "slowest: " + ", ".join(f"{each['number']} ({each['original']}, {each['s']:.2f})" for each in slowest),
        f"findings: {sum(found.values())}",
        *(f"  {count:5}  {finding}" for finding, count in found.most_common(40)),
    ]
    return "\n".join(lines) + "\n"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())


def _at(times: Sequence[float], part: float) -> float:
    return times[min(len(times) - 1, int(part * len(times)))]
