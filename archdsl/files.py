"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Writes beside the file and renames: a reader finds the old file or the new one, at every moment.

    A file that is there keeps its permissions. Raises OSError, and leaves nothing behind.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", suffix=".part", dir=path.parent)
    waiting = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        waiting.chmod(path.stat().st_mode if path.exists() else mode_of_new_files())
        waiting.replace(path)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise


def mode_of_new_files() -> int:
    """What a user's new files may be read by; temporary files are their owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
