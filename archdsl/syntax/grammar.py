"""The grammar file, and the cache of its LALR tables."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from archdsl.files import read_whole
from archdsl.staging import write_atomic
from archdsl.syntax.tables import Tables

_FILE_NAME = "arch.lark"
_LAYOUT = "2"
"""The version of the cache format; each version has a file of its own."""


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The tables of the grammar, from the user's cache folder where it has them.

    Making them takes lark a quarter of a second; reading them takes a millisecond, and lark is not imported.
    """
    grammar = grammar_text()
    kept = _kept(grammar)
    found = _read(kept) if kept is not None else None
    if found is None:
        from archdsl.syntax.generate import generate

        found = generate(grammar)
        if kept is not None:
            _keep(kept, found)
    return found


def grammar_text() -> str:
    """The text of the grammar, from the installed package or from the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "grammars" / _FILE_NAME
    chosen = inside if inside.is_file() else package.parent / "grammars" / _FILE_NAME
    return chosen.read_text(encoding="utf-8")


def _read(path: Path) -> Tables | None:
    """The cached tables; None where there are none, or the file is not what was written."""
    try:
        kept = read_whole(path)
    except OSError:
        return None
    digest, _, data = kept.partition(b"\n")
    return Tables.of_data(json.loads(data)) if digest == _digest(data) else None


def _keep(path: Path, found: Tables) -> None:
    """Write the cache atomically. Errors of the disk are ignored, and what is no file stays: tables are built again."""
    data = json.dumps(found.as_data()).encode()
    if path.exists() and not path.is_file():
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, _digest(data) + b"\n" + data)


def _digest(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode()


def _kept(grammar: str) -> Path | None:
    """The path of the cache, in the user's cache folder; its name has the grammar's hash."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        base = given if given.is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    digest = sha256(f"{_LAYOUT}\n{grammar}".encode()).hexdigest()[:16]
    return base / "archdsl" / f"grammar-{digest}.json"
