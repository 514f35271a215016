"""A cost table filled with what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from archdsl.cost.rows import Row
from archdsl.cost.tables import Calibration, Measurement, Table, differences, read_table, table_bytes
from archdsl.measure.rounds import Open, Step, expected_seconds, measure
from archdsl.measure.runtime import NotMeasured, Runtime
from archdsl.measure.samples import Samples, samples_path
from archdsl.measure.statistics import Load, fit_scale, seconds_of
from archdsl.measure.subjects import Task, Whole
from archdsl.settings.costs import Unit
from archdsl.staging import write_atomic


@dataclass(slots=True)
class Filling:
    """A table at a path, its samples beside it, and what is still to be measured.

    A row that the table has and of which there are no samples stays as it is.
    """

    path: Path
    before: Table | None
    conditions: Measurement
    """With the rounds that are asked for."""
    samples: Samples
    opened: Open
    tasks: tuple[Task, ...]

    @classmethod
    @contextmanager
    def at(
        cls, path: Path, runtime: Runtime, rows: Sequence[Row], networks: Sequence[Task], rounds: int | None = None
    ) -> Generator[Self]:
        """To fill the rows, in `rounds` rounds or as many as the runtime's statistic asks for, and a scale.

        Raises NotMeasured where the table was measured otherwise or another process fills it, TableUnreadable,
        SamplesUnreadable, OSError.
        """
        conditions = runtime.conditions
        if rounds is not None:
            conditions = conditions.model_copy(update={"rounds": rounds})
        before = read_table(path) if path.exists() else None
        if before is not None and before.fitted is not None:
            raise NotMeasured(f"`{path}` was fitted to whole networks: measure into another file")
        if before is not None and before.measured is not None and (differ := differences(before.measured, conditions)):
            raise NotMeasured(
                f"`{path}` was measured otherwise: {'; '.join(differ.values())}. Measure into another file; "
                "`archdsl cost diff` compares them"
            )
        samples = Samples.open(samples_path(path), conditions)
        try:
            known = () if before is None else (row for row, seconds in before.times.items() if seconds is not None)
            there = {row for row in known if not samples.count(row)}
            tasks = [Task.of_row(row) for row in rows if row not in there]
            # Without a row to measure a table keeps its scale.
            wanted = networks if tasks or before is None or before.measured is None else ()
            yield cls(path, before, conditions, samples, Open(runtime, samples), (*tasks, *wanted))
        finally:
            samples.close()

    @property
    def waiting(self) -> tuple[Task, ...]:
        """What has not all its samples."""
        return tuple(task for task in self.tasks if self.samples.count(task.subject) < self.conditions.rounds)

    def expected_seconds(self) -> float:
        return expected_seconds(self.waiting, self.conditions.rounds, self.opened)

    def run(self, *, until: float | None = None, told: Callable[[Step], None] = lambda step: None) -> bool:
        """Measures, and writes the table after every round and however it ends; whether all was measured."""

        def step(found: Step) -> None:
            if found.round_ended:
                self.write()
            told(found)

        try:
            return measure(self.tasks, self.conditions.rounds, self.opened, until=until, told=step)
        finally:
            self.write()

    def write(self) -> None:
        write_atomic(self.path, table_bytes(self.table()))

    def table(self) -> Table:
        """What is known so far; its rows are those of the table before and those that are wanted."""
        statistic, taken = self.conditions.statistic, self.samples.taken
        unit = Unit.MS if self.before is None else self.before.unit
        times: dict[Row, float | None] = {} if self.before is None else dict(self.before.times)
        memory = {} if self.before is None else dict(self.before.memory)
        for task in self.tasks:
            if isinstance(task.subject, Row):
                times.setdefault(task.subject, None)
        seconds = {subject: seconds_of(samples, statistic) for subject, samples in taken.items() if samples}
        rows = {subject: time_s for subject, time_s in seconds.items() if isinstance(subject, Row)}
        times |= {row: _rounded(time_s / unit.seconds) for row, time_s in rows.items()}
        memory |= {row: size for row, size in self.samples.memory.items() if isinstance(row, Row)}
        return Table(
            unit, times, self._measured(times, unit), self.path, memory, calibration=self._calibration(times, unit)
        )

    @property
    def networks(self) -> Mapping[Whole, float]:
        """Whole networks with their times, in seconds."""
        return {
            subject: seconds_of(samples, self.conditions.statistic)
            for subject, samples in self.samples.taken.items()
            if isinstance(subject, Whole) and samples
        }

    def _calibration(self, times: Mapping[Row, float | None], unit: Unit) -> tuple[Calibration, ...]:
        """The networks of which all rows are known; those of the table before where none was measured."""
        found: list[Calibration] = []
        for whole, time_s in self.networks.items():
            ops: dict[str, float] = {}
            for row, count in whole.rows:
                if (time := times.get(row)) is None:
                    break
                ops[row.op] = ops.get(row.op, 0.0) + count * time
            else:
                rounded = {op: _rounded(time) for op, time in sorted(ops.items())}
                found.append(Calibration(network=whole.name, time=_rounded(time_s / unit.seconds), ops=rounded))
        found.sort(key=lambda each: (len(each.network), each.network))
        return tuple(found) or (() if self.before is None else self.before.calibration)

    def _measured(self, times: Mapping[Row, float | None], unit: Unit) -> Measurement | None:
        rows = {row: found * unit.seconds for row, found in times.items() if found is not None}
        if not rows:
            return None
        before = None if self.before is None else self.before.measured
        counts = [self.samples.count(row) for row in rows if self.samples.count(row)]
        if before is not None and len(counts) < len(rows):
            counts.append(before.rounds)
        fitted = fit_scale(self.networks, rows)
        scale = (
            None
            if fitted is None
            else fitted.model_copy(update={"factor": _rounded(fitted.factor), "error": _rounded(fitted.error)})
        )
        scale = scale or (before and before.scale)
        return self.conditions.model_copy(update={"rounds": min(counts), "scale": scale})

    def load(self) -> Load:
        """Of all samples that the table was made from."""
        return Load.of(self.samples.taken.values())


def _rounded(number: float) -> float:
    """To five digits: what is beyond them is noise."""
    return float(f"{number:.5g}")
