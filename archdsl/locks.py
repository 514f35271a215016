"""Locks on files in a shared folder. The system releases them when the processes that hold them have ended.

`flock` belongs to an open file, and a process inherits it with the file: a member's command keeps its member locked
when the worker that started it is killed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held until `release`, and by all processes that inherited `handle`."""

    handle: int

    @classmethod
    def take(cls, path: Path, *, wait: bool = False) -> Lock | None:
        """The lock of a file, which is made where there is none; None where another process has it. Raises OSError."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        return cls(handle)

    def release(self) -> None:
        """Ends this process's hold: a process that inherited the lock keeps it."""
        os.close(self.handle)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """The body has the lock of a file; waits for it."""
    lock = Lock.take(path, wait=True)
    assert lock is not None
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """Whether a process has the lock of a file."""
    if not path.exists():
        return False
    lock = Lock.take(path)
    if lock is not None:
        lock.release()
    return lock is None
