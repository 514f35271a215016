"""Texts of the repository, one of them mutated, through all that needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from archdsl.pipeline import check
from benchmarks.fuzz.exercise import Clock, Outcome, exercise
from benchmarks.fuzz.kinds import Case
from benchmarks.fuzz.mutate import mutated
from benchmarks.fuzz.originals import Original, originals


@dataclass(frozen=True, slots=True)
class Texts:
    every: list[Original] = field(default_factory=originals)
    slow_s: float = 2.0
    memory: int = 2 << 30
    batch: int = 1_000

    def make(self, random: Random, folder: Path) -> Case:
        files = [each for each in self.every if ":" not in each.name]
        # One in eight is a whole file; blocks of pages are small and many, so a run of equal time sees more mutations.
        original = random.choice(files if random.random() < 1 / 8 else self.every)
        text = mutated(original.text, [random.choice(self.every).text for _ in range(3)], random)
        original.place(folder)
        path = folder / original.file
        path.write_bytes(text.data)
        return Case(original.name, text.how, path, tuple(folder / reader for reader in original.readers[:2]))

    def exercise(self, case: Case, random: Random, clock: Clock, *, further: bool) -> Outcome:
        outcome = exercise(case.file, clock, further=further)
        for reader in case.readers:
            with clock.of("check reader"):
                check(str(reader))
        return outcome
