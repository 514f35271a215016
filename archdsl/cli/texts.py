"""From a command's paths to files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click


def arch_files(paths: Sequence[str]) -> list[str]:
    """Files as they are given, folders as the texts in them, each once; the folder here where nothing is given."""
    return list(dict.fromkeys(file for path in paths or (".",) for file in _files(path)))


def _files(path: str) -> Iterator[str]:
    if path == "-" or not Path(path).is_dir():
        yield path
        return
    found = sorted(file for file in Path(path).rglob("*.arch") if file.is_file() and not _hidden(file, Path(path)))
    if not found:
        raise click.ClickException(f"there is no text (`*.arch`) in `{path}`")
    yield from map(str, found)


def _hidden(file: Path, folder: Path) -> bool:
    """Whether a file lies hidden below a folder; the folder itself was asked for, whatever it is called."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
