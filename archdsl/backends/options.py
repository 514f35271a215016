"""What can be asked of a compile, and what is said where it cannot be met. Needs nothing that is installed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar


class Precision(StrEnum):
    FP32 = "fp32"
    FP16 = "fp16"


class Emit(StrEnum):
    """What the compiled network gives."""

    LOGITS = "logits"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that cannot be met, told without having tried; `help` says what to ask for instead."""

    message: str
    help: str = ""


_Option = TypeVar("_Option", bound=StrEnum)


def find_option(kind: type[_Option], what: str, name: str) -> _Option | Refused:
    """A precision or an output by its name."""
    known = [str(each) for each in kind]
    if name in known:
        return kind(name)
    return Refused(f"there is no {what} `{name}`", f"one of {', '.join(f'`{each}`' for each in known)}")
