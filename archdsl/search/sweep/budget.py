"""What a whole sweep may take, over all processes that work on it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from archdsl.documents import Schema
from archdsl.records import record
from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.reading import read_file
from archdsl.staging import write_atomic

_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_FORM: Final = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|h|d|steps)")


@record
class Spent:
    """What members took so far."""

    seconds: float = 0.0
    """Wall time, summed over members."""
    steps: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.steps + other.steps)


@record
class Budget:
    """`2h` of wall time, summed over members; or `20000 steps`."""

    amount: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Raises NotSwept."""
        found = _FORM.fullmatch(text.replace("_", "").replace(",", "").strip())
        if found is None or float(found[1]) == 0:
            raise NotSwept(f"`{text}` is no budget: write `2h`, `30min`, `90s` or `20000 steps`")
        return cls(float(found[1]), found[2])

    def is_spent(self, spent: Spent) -> bool:
        if self.unit == "steps":
            return spent.steps >= self.amount
        return spent.seconds >= self.amount * _SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.amount:,.0f} steps" if self.unit == "steps" else f"{self.amount:g} {self.unit}"


def write_budget(path: Path, budget: Budget) -> None:
    write_atomic(path, json.dumps({"amount": budget.amount, "unit": budget.unit}).encode())


def read_budget(path: Path) -> Budget | None:
    """None where a sweep has none. Raises NotSwept, OSError."""
    found = read_file(_File, path)
    return None if found is None else Budget(found.amount, found.unit)


class _File(Schema):
    amount: float = Field(gt=0)
    unit: Literal["s", "min", "h", "d", "steps"]
