"""The samples of a table in a file beside it, one a line: what was measured survives however the process ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from pydantic import ValidationError

from archdsl.cost.rows import Row
from archdsl.cost.tables import Measurement, differences
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
    _file: BinaryIO | None = None

    @classmethod
    def open(cls, path: Path, conditions: Measurement) -> Samples:
        """The samples of a file, which may be new. What a killed process left of its last line is cut off.

        Raises SamplesUnreadable where they were taken otherwise, NotMeasured where another process takes some, OSError.
        """
        found = cls(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.seek(0)
            data = file.read()
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
        self._file.write(json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        self._file.flush()

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
                content = json.loads(line)
                if position == 1:
                    self._check_head(content, conditions)
                elif (subject := self._read_line(content, subjects)) is not None:
                    subjects[len(subjects)] = subject
            except (ValueError, KeyError, TypeError) as error:
                raise SamplesUnreadable(self.path, f"line {position:,} is no sample") from error
        self._numbers = {subject: number for number, subject in subjects.items()}

    def _check_head(self, content: Any, conditions: Measurement) -> None:
        if content["format"] != FORMAT or content["format_version"] != FORMAT_VERSION:
            raise SamplesUnreadable(self.path, "its format is another one")
        try:
            measured = Measurement.model_validate(content["measured"])
        except ValidationError as error:
            raise ValueError("no conditions") from error
        if differ := differences(measured, conditions):
            raise SamplesUnreadable(self.path, f"it was measured otherwise ({'; '.join(differ.values())})")

    def _read_line(self, content: Any, subjects: Mapping[int, Subject]) -> Subject | None:
        """The subject of a line that names one."""
        if isinstance(content, list):
            number, seconds, wall_s = (float(each) for each in cast("list[Any]", content))
            if not (seconds > 0 and isfinite(seconds + wall_s)):
                raise ValueError("times are above 0")
            self.taken[subjects[int(number)]].append(Sample(seconds, wall_s))
            return None
        if "of" in content:
            self.memory[subjects[content["of"]]] = int(content["memory"])
            return None
        if "network" in content:
            pairs = [(subjects[number], int(count)) for number, count in content["rows"]]
            return Whole(content["network"], tuple((row, count) for row, count in pairs if isinstance(row, Row)))
        return Row(content["op"], tuple(map(str, content["reads"])), content["body"], content["gives"])
