"""Where the files of a compile go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archdsl.backends.options import Refused
from archdsl.backends.protocol import Backend
from archdsl.backends.registry import backends

DEFAULT_FOLDER = Path("compiled")


@dataclass(frozen=True, slots=True)
class OutputPath:
    """Artefacts are `folder/stem` and a suffix."""

    folder: Path
    stem: str


def output_path(out: Path | None, name: str, target: Backend) -> OutputPath | Refused:
    """A known suffix is that file, anything else a folder, nothing at all `compiled/NAME/`."""
    if out is None:
        return OutputPath(DEFAULT_FOLDER / name, name)
    found = [(suffix, each) for each in backends() for suffix in each.suffixes if _has(out, suffix)]
    if not found:
        return OutputPath(out, name)
    suffix, other = max(found, key=lambda pair: len(pair[0]))
    if other.name != target.name:
        return Refused(
            f"`{out.name}` is a file of the target `{other.name}`, and the target is `{target.name}`",
            f"write `--target {other.name}`, or give a folder",
        )
    return OutputPath(out.parent, out.name.removesuffix(suffix))


def _has(out: Path, suffix: str) -> bool:
    return out.name.endswith(suffix) and out.name != suffix
