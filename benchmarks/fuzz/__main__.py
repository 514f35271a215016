"""Break what archdsl reads, and put each broken thing through what reads it: none may end as a bug of ours.

    python -m benchmarks.fuzz --kind texts --count 100000 --seed 1 --processes 1 --out /tmp/fuzz
    python -m benchmarks.fuzz --count 200      # of every kind

The kinds are `texts` and `projects` of several files, and folders with one file broken: `tables` of costs, `manifests`
of compiled networks, `runs` of trainings and `searches`, `weights` and `onnx` files. Each has a folder of its own in
`--out`. A run that was stopped goes on where it was. `--report` prints what there is so far, `--one N` writes case N
into `--out`. Case N of a seed is the same wherever the originals are.
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

from benchmarks.fuzz import journal
from benchmarks.fuzz.kinds import KINDS, Case, Kind
from benchmarks.fuzz.work import Record, random_of, work


@dataclass(slots=True)
class Slot:
    """A process, what it still has to do, and the case that it is at."""

    numbers: list[int]
    folder: Path
    process: BaseProcess | None = None
    pipe: Connection | None = None
    at: int | None = None


@dataclass(slots=True)
class Run:
    kind: Kind
    seed: int
    share: float
    out: Path
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
        batch = slot.numbers[: self.kind.batch]
        slot.process = context.Process(
            target=work, args=(theirs, batch, self.seed, self.kind, slot.folder, self.share), daemon=True
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
            print(f"{len(self.records):,} cases, {found} findings", flush=True)

    def _save(self, record: Record) -> None:
        """The case with what it did."""
        place = self.out / "findings" / str(record["number"])
        self.write(record["number"], place)
        about = {key: value for key, value in record.items() if key != "trace"}
        place.with_suffix(".txt").write_text(f"{json.dumps(about)}\n{record['trace']}", encoding="utf-8")
        print(f"{record['number']}: {record['finding']}", flush=True)

    def write(self, number: int, place: Path) -> Case:
        """A case as files in a folder."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return self.kind.make(random_of(number, self.seed), place)


def _died(number: int, code: int | None) -> Record:
    finding = f"the process ended with {code}"
    return {"number": number, "original": "", "how": (), "outcome": "finding", "codes": (), "finding": finding,
            "trace": "", "s": 0.0, "stages": {}}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Broken input by the thousand.")
    parser.add_argument("--kind", action="append", choices=KINDS, help="any number of times; all without it")
    parser.add_argument("--count", type=int, default=200, help="cases of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.5, help="of cases that are put through all there is")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fuzz"), help="journals and findings")
    parser.add_argument("--report", action="store_true", help="print what there is so far")
    parser.add_argument("--one", type=int, metavar="N", help="write case N")
    given = parser.parse_args()
    found = False
    for name in given.kind or KINDS:
        out = given.out.resolve() / name
        file = out / "journal.jsonl"
        if given.report:
            records = journal.read(file)
        else:
            out.mkdir(parents=True, exist_ok=True)
            run = Run(KINDS[name](out / "originals"), given.seed, given.share, out)
            if given.one is not None:
                case = run.write(given.one, out / str(given.one))
                print(f"{case.file}: {', '.join(case.how)}")
                continue
            run.go(given.count, given.processes)
            records = run.records
        print(f"# {name}\n\n{journal.report(records)}")
        found = found or any("finding" in record for record in records)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
