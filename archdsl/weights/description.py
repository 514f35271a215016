"""What a file of trained weights says of the data behind it: classes, and how images were prepared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ConfigDict, FiniteFloat, TypeAdapter, ValidationError

from archdsl.weights.files import load_metadata
from archdsl.weights.stored import UnreadableWeights

_T = TypeVar("_T")
_NUMBERS: Final = TypeAdapter(tuple[FiniteFloat, ...], config=ConfigDict(strict=True))
_TEXTS: Final = TypeAdapter(tuple[str, ...], config=ConfigDict(strict=True))


@dataclass(frozen=True, slots=True)
class Description:
    """Empty where a file says nothing, as those that others wrote mostly do."""

    class_names: tuple[str, ...] = ()
    """In the order of the channels."""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    """Of each channel between 0 and 1: of RGB, or of all inputs in their order."""

    def metadata(self) -> dict[str, str]:
        """The same, as it stands in a file."""
        written: dict[str, tuple[str, ...] | tuple[float, ...]] = {
            "class_names": self.class_names,
            "mean": self.mean,
            "std": self.std,
        }
        return {name: json.dumps(list(values), ensure_ascii=False) for name, values in written.items() if values}


def describe(path: Path) -> Description:
    """What the metadata of a safetensors file say. Raises UnreadableWeights, OSError."""
    return described_by(load_metadata(path), path)


def described_by(metadata: Mapping[str, str], path: Path) -> Description:
    """The same from metadata that were read from a file of any kind. Raises UnreadableWeights."""
    mean, std = (_read(metadata, name, path, _NUMBERS, "finite numbers") for name in ("mean", "std"))
    if len(mean) != len(std) or not all(each > 0 for each in std):
        raise UnreadableWeights(
            f"{path}: `mean` and `std` of its metadata have a number for each channel, `std` above zero"
        )
    return Description(_read(metadata, "class_names", path, _TEXTS, "texts"), mean, std)


def _read(metadata: Mapping[str, str], name: str, path: Path, schema: TypeAdapter[_T], of: str) -> _T:
    try:
        return schema.validate_json(metadata.get(name, "[]"))
    except ValidationError as error:
        raise UnreadableWeights(f"{path}: `{name}` of its metadata is no JSON list of {of}") from error
