"""Where the files of a compile go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archdsl.backends.options import Refused
from archdsl.backends.registry import SUPERNET, backends

_FOLDER = Path("compiled")
REPORT_SUFFIXES = (".supernet.txt", ".supernet.json")
"""Of a supernet's report, which no back end writes."""


@dataclass(frozen=True, slots=True)
class OutputPath:
    """Artefacts are `folder/stem` and a suffix."""

    folder: Path
    stem: str


def output_path(out: Path | None, name: str, target: str) -> OutputPath | Refused:
    """A known suffix is that file, anything else a folder, nothing at all `compiled/NAME/`."""
    if out is None:
        return OutputPath(_FOLDER / name, name)
    suffixes = {each.name: each.suffixes for each in backends()} | {SUPERNET: REPORT_SUFFIXES}
    found = [(suffix, other) for other, mine in suffixes.items() for suffix in mine if _has(out, suffix)]
    if not found:
        return OutputPath(out, name)
    suffix, other = max(found, key=lambda pair: len(pair[0]))
    if other != target:
        return Refused(
            f"`{out.name}` is a file of the target `{other}`, and the target is `{target}`",
            f"write `--target {other}`, or give a folder",
        )
    return OutputPath(out.parent, out.name.removesuffix(suffix))


def _has(out: Path, suffix: str) -> bool:
    return out.name.endswith(suffix) and out.name != suffix
