"""The files that a command's paths stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click


def arch_files(paths: Sequence[str]) -> Iterator[str]:
    """Files as they are given, folders as the texts in them; the folder here where nothing is given."""
    for path in paths or (".",):
        if path == "-" or not Path(path).is_dir():
            yield path
            continue
        found = sorted(
            str(file)
            for file in Path(path).rglob("*.arch")
            if not any(part.startswith(".") and part not in (".", "..") for part in file.parts)
        )
        if not found:
            raise click.UsageError(f"there is no text (`*.arch`) in `{path}`")
        yield from found
