"""The samples of a table in a file beside it, one a line: what was measured survives however the process ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from pydantic import ConfigDict, Field, RootModel

from archdsl.cost.rows import Row
from archdsl.cost.tables import Measurement, differences
from archdsl.documents import Schema, Unfit, parse
from archdsl.files import append
from archdsl.measure.runtime import NotMeasured, Sample
from archdsl.measure.subjects import Subject, Whole

FORMAT: Final = "archdsl cost samples"
FORMAT_VERSION: Final = 1
_LEAST_S: Final = 1e-9
"""A call that the clock does not see."""


class SamplesUnreadable(Exception):
    """A file that holds no samples, or those of something else."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"`{path}` cannot be continued: {what}; continue it as it was begun, or remove it")
        self.path = path


def samples_path(table: Path) -> Path:
    """`device.samples.jsonl` beside `device.json`."""
    return table.with_name(f"{table.stem}.samples.jsonl")


@dataclass(slots=True)
class Samples:
    """Grows by one line for each sample; another process that measures into the same file is refused."""

    path: Path
    taken: dict[Subject, list[Sample]] = field(default_factory=lambda: defaultdict[Subject, list[Sample]](list))
    memory: dict[Subject, int] = field(default_factory=dict[Subject, int])
    """Bytes of the first call."""
    _numbers: dict[Subject, int] = field(default_factory=dict[Subject, int])
    _file: FileIO | None = None

    @classmethod
    def open(cls, path: Path, conditions: Measurement) -> Samples:
        """The samples of a file, which may be new. What a killed process left of its last line is cut off.

        Raises SamplesUnreadable where they were taken otherwise, NotMeasured where another process takes some, OSError.
        """
        found = cls(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.seek(0)
            data = file.readall()
            whole = data.rfind(b"\n") + 1
            found._read(data[:whole], conditions)
            file.truncate(whole)
        except BlockingIOError:
            file.close()
            raise NotMeasured(f"another process is measuring into `{path}`") from None
        except BaseException:
            file.close()
            raise
        found._file = file
        if not whole:
            found._write({"format": FORMAT, "format_version": FORMAT_VERSION, "measured": conditions.model_dump()})
        return found

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def count(self, subject: Subject) -> int:
        return len(self.taken[subject]) if subject in self.taken else 0

    def add(self, subject: Subject, sample: Sample) -> None:
        number = self._number(subject)
        seconds = max(_LEAST_S, sample.seconds)
        self.taken[subject].append(Sample(seconds, sample.wall_s))
        self._write([number, seconds, sample.wall_s])

    def add_memory(self, subject: Subject, memory: int) -> None:
        self._write({"memory": memory, "of": self._number(subject)})
        self.memory[subject] = memory

    def sync(self) -> None:
        """What was added survives a loss of power."""
        assert self._file is not None
        os.fsync(self._file.fileno())

    # Lines ------------------------------------------------------------------------------------------

    def _write(self, content: Mapping[str, Any] | Sequence[float]) -> None:
        assert self._file is not None
        append(self._file, json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n", self.path)

    def _number(self, subject: Subject) -> int:
        if subject not in self._numbers:
            match subject:
                case Row(op, reads, body, gives):
                    line = {"op": op, "reads": reads, "body": body, "gives": gives}
                case Whole(name, rows):
                    line = {"network": name, "rows": [[self._number(row), count] for row, count in rows]}
            self._numbers[subject] = len(self._numbers)
            self._write(line)
        return self._numbers[subject]

    def _read(self, data: bytes, conditions: Measurement) -> None:
        subjects: dict[int, Subject] = {}
        for position, line in enumerate(data.splitlines(), start=1):
            try:
                if position == 1:
                    self._check_head(parse(_Head, line), conditions)
                elif (subject := self._read_line(line, subjects)) is not None:
                    subjects[len(subjects)] = subject
            except Unfit as error:
                raise SamplesUnreadable(self.path, f"line {position:,} is no sample: {error}") from None
        self._numbers = {subject: number for number, subject in subjects.items()}

    def _check_head(self, head: _Head, conditions: Measurement) -> None:
        if head.format != FORMAT or head.format_version != FORMAT_VERSION:
            raise SamplesUnreadable(self.path, "its format is another one")
        if differ := differences(head.measured, conditions):
            raise SamplesUnreadable(self.path, f"it was measured otherwise ({'; '.join(differ.values())})")

    def _read_line(self, line: bytes, subjects: Mapping[int, Subject]) -> Subject | None:
        """The subject of a line that names one. Raises Unfit."""

        def of(number: int) -> Subject:
            if number not in subjects:
                raise Unfit(f"nothing has the number {number}")
            return subjects[number]

        match parse(_Line, line).root:
            case (number, seconds, wall_s):
                self.taken[of(number)].append(Sample(seconds, wall_s))
                return None
            case _Memory(memory=memory, of=number):
                self.memory[of(number)] = memory
                return None
            case _Network(network=network, rows=rows):
                pairs = [(of(number), count) for number, count in rows]
                return Whole(network, tuple((row, count) for row, count in pairs if isinstance(row, Row)))
            case _RowLine(op=op, reads=reads, body=body, gives=gives):
                return Row(op, reads, body, gives)


# Lines ------------------------------------------------------------------------------------------

_Natural: TypeAlias = Annotated[int, Field(ge=0)]


class _Head(Schema):
    format: str
    format_version: int
    measured: Measurement


class _Memory(Schema):
    memory: _Natural
    of: _Natural


class _Network(Schema):
    network: str
    rows: tuple[tuple[_Natural, _Natural], ...]


class _RowLine(Schema):
    op: str
    reads: tuple[str, ...]
    body: str
    gives: str


_Sampled: TypeAlias = tuple[_Natural, Annotated[float, Field(gt=0)], float]
"""The number of a subject, seconds, seconds on the wall."""


class _Line(RootModel[_Sampled | _Memory | _Network | _RowLine]):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)
