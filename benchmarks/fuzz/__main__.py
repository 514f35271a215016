"""Mutate the texts of the repository and put each through all that needs no torch.

    python -m benchmarks.fuzz --count 100000 --seed 1 --processes 1 --out /tmp/fuzz

A run that was stopped goes on where it was. `--report` prints what there is so far, `--one N` writes text N to standard
output. Text N of a seed is the same wherever the originals are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from benchmarks.fuzz import journal
from benchmarks.fuzz.originals import Original, originals
from benchmarks.fuzz.work import Record, recipe, work

BATCH: Final = 1_000
"""A process ends after so many texts, so that no cache and no leak of one text hides what the next ones cost."""


@dataclass(slots=True)
class Slot:
    """A process, what it still has to do, and the text that it is at."""

    numbers: list[int]
    folder: Path
    process: BaseProcess | None = None
    pipe: Connection | None = None
    at: int | None = None


@dataclass(slots=True)
class Run:
    seed: int
    share: float
    out: Path
    every: list[Original]
    records: list[Record] = field(default_factory=list[Record])

    def go(self, count: int, processes: int) -> None:
        self.records = journal.read(self.out / "journal.jsonl")
        done = {record["number"] for record in self.records}
        todo = [number for number in range(count) if number not in done]
        with tempfile.TemporaryDirectory(prefix="archdsl-fuzz-") as scratch:
            slots = [Slot(todo[start::processes], Path(scratch) / str(start)) for start in range(processes)]
            while active := [slot for slot in slots if slot.numbers or slot.pipe]:
                for slot in active:
                    if slot.pipe is None:
                        self._start(slot)
                for ready in wait([slot.pipe for slot in active if slot.pipe]):
                    self._hear(next(slot for slot in active if slot.pipe is ready))

    def _start(self, slot: Slot) -> None:
        context = get_context("fork")  # what a worker needs is loaded once
        slot.pipe, theirs = context.Pipe(duplex=False)
        batch = slot.numbers[:BATCH]
        slot.process = context.Process(
            target=work, args=(theirs, batch, self.seed, self.every, slot.folder, self.share), daemon=True
        )
        slot.process.start()
        theirs.close()

    def _hear(self, slot: Slot) -> None:
        assert slot.pipe is not None
        assert slot.process is not None
        try:
            said: int | Record = slot.pipe.recv()
        except EOFError:
            slot.process.join()
            if slot.at is not None:
                self._keep(slot, _died(slot.at, slot.process.exitcode))
            slot.pipe = None
            shutil.rmtree(slot.folder, ignore_errors=True)
            return
        if isinstance(said, int):
            slot.at = said
        else:
            self._keep(slot, said)

    def _keep(self, slot: Slot, record: Record) -> None:
        slot.at = None
        slot.numbers.remove(record["number"])
        if "finding" in record:
            self._save(record)
        record.pop("trace", None)
        self.records.append(record)
        journal.append(self.out / "journal.jsonl", record)
        if len(self.records) % 500 == 0:
            found = sum("finding" in each for each in self.records)
            print(f"{len(self.records):,} texts, {found} findings", flush=True)

    def _save(self, record: Record) -> None:
        """The offending text with what it did."""
        folder = self.out / "findings"
        folder.mkdir(exist_ok=True)
        _, text, _ = recipe(record["number"], self.seed, self.every)
        (folder / f"{record['number']}.arch").write_bytes(text.data)
        about = {key: value for key, value in record.items() if key != "trace"}
        (folder / f"{record['number']}.txt").write_text(f"{json.dumps(about)}\n{record['trace']}", encoding="utf-8")
        print(f"{record['number']}: {record['finding']}", flush=True)


def _died(number: int, code: int | None) -> Record:
    finding = f"the process ended with {code}"
    return {"number": number, "original": "", "how": (), "outcome": "finding", "codes": (), "finding": finding,
            "trace": "", "s": 0.0, "stages": {}}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Mutated texts, thousands of them.")
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.5, help="of clean texts that are counted, drawn and so on")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fuzz"), help="journal and findings")
    parser.add_argument("--report", action="store_true", help="print what there is so far")
    parser.add_argument("--one", type=int, metavar="N", help="write text N")
    given = parser.parse_args()
    every = originals()
    if given.one is not None:
        original, text, _ = recipe(given.one, given.seed, every)
        print(f"{original.name}: {', '.join(text.how)}", file=sys.stderr)
        sys.stdout.buffer.write(text.data)
        return 0
    given.out.mkdir(parents=True, exist_ok=True)
    run = Run(given.seed, given.share, given.out, every)
    if given.report:
        run.records = journal.read(given.out / "journal.jsonl")
    else:
        run.go(given.count, given.processes)
    print(journal.report(run.records), end="")
    return 1 if any("finding" in record for record in run.records) else 0


if __name__ == "__main__":
    sys.exit(main())
