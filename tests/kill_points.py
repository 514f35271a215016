"""Processes in which something happens at each point where they touch a file of a folder, one process after the other.

What is touched is what Python tells of: files opened, renamed, linked, removed, folders made and listed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


def killed_at_each_point(folder: Path, work: Callable[[], object]) -> Iterator[int]:
    """Does a work in processes of their own, the n-th of which is killed before it touches `folder` for the n-th time.

    Gives the number of each point, after the process that was killed there; ends with the first process that ends by
    itself.
    """

    def killed(number: int) -> bool:
        def doomed() -> None:
            at_point(folder, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            work()

        return _status(doomed) == signal.SIGKILL

    number = 1
    while killed(number):
        yield number
        number += 1
    assert number > 1, f"nothing touches {folder}"


def at_point(folder: Path, number: int, happens: Callable[[], object]) -> None:
    """From now on in this process: before it touches `folder` for the n-th time, something happens."""
    touched, place = 0, os.fspath(folder)

    def look(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal touched
        if event != "open" and not event.startswith(("os.", "shutil.", "tempfile.", "ctypes.dlsym")):
            return
        within = any(isinstance(each, str | Path) and str(each).startswith(place) for each in arguments)
        if within or "renameat2" in arguments:  # which Python has no function for
            touched += 1
            if touched == number:
                happens()

    sys.addaudithook(look)


def in_a_process(work: Callable[[], object]) -> None:
    """Does a work in a process of its own, which has to end well."""
    assert _status(work) == 0


def _status(work: Callable[[], object]) -> int:
    """Of a process: 0, or the signal that killed it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:  # noqa: BLE001 - it is said, and the process ends
            sys.stderr.write(f"{error!r}\n")
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the process failed by itself"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
