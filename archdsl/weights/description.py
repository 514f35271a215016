"""What a file of trained weights says of the data behind it: classes, and how images were prepared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from archdsl.weights.files import UnreadableWeights, load_metadata


@dataclass(frozen=True, slots=True)
class Description:
    """Empty where a file says nothing, as those that others wrote mostly do."""

    class_names: tuple[str, ...] = ()
    """In the order of the channels."""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    """Of RGB between 0 and 1."""

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
    mean, std = (tuple(float(each) for each in _list(metadata, name, path, (int, float))) for name in ("mean", "std"))
    if len(mean) != len(std) or len(mean) not in (0, 3) or not all(each > 0 for each in std):
        raise UnreadableWeights(f"{path}: `mean` and `std` of its metadata are three numbers each, `std` above zero")
    return Description(tuple(map(str, _list(metadata, "class_names", path, (str,)))), mean, std)


def _list(metadata: Mapping[str, str], name: str, path: Path, kinds: tuple[type, ...]) -> list[Any]:
    try:
        found: Any = json.loads(metadata.get(name, "[]"))
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, kinds) for each in cast("list[Any]", found)):
        raise UnreadableWeights(f"{path}: `{name}` of its metadata is no JSON list of what it should hold")
    return cast("list[Any]", found)
