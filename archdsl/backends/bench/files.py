"""Compiled files found and opened to be timed, each by the back end that wrote it."""

from __future__ import annotations

from pathlib import Path

from archdsl.backends.bench.timing import NotTimed
from archdsl.backends.protocol import Backend, GraphOf, MadeAnew, TimedFile
from archdsl.backends.registry import backends
from archdsl.ops import Shape


def find_files(out: Path) -> tuple[Path, ...]:
    """The file, or what can be timed in a folder. Raises NotTimed where there is nothing."""
    if not out.exists():
        raise NotTimed(f"`{out}` does not exist: name what `archdsl compile` wrote")
    if not out.is_dir():
        if _backend_of(out) is None:
            raise NotTimed(f"`{out}` is no compiled file: those end in {_suffixes()}")
        return (out,)
    found = tuple(each for each in sorted(out.iterdir()) if (by := _backend_of(each)) and by.recognises(each))
    if not found:
        raise NotTimed(f"there is no compiled file in `{out}`: those end in {_suffixes()}")
    return found


def open_file(file: Path, asked: Shape | None, threads: int, graph_of: GraphOf, *, trust: bool) -> TimedFile:
    """A file to time. Without `trust` only code is executed that was made anew from the text of the file's manifest.

    Raises NotTimed, Untrusted, ToolMissing, TargetFailed, ManifestUnreadable, UnreadableWeights, OSError.
    """
    backend = _backend_of(file)
    if backend is None:
        raise NotTimed(f"`{file}` is no compiled file: those end in {_suffixes()}")
    if isinstance(backend, MadeAnew) and not trust:
        return backend.open_anew(file, asked, threads, graph_of)
    return backend.open(file, asked, threads, trust=trust)


def _backend_of(file: Path) -> Backend | None:
    return next((each for each in backends() if file.name.endswith(each.timed)), None)


def _suffixes() -> str:
    return ", ".join(sorted(suffix for each in backends() for suffix in each.timed))
