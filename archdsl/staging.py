"""Outputs that appear whole or not at all: written beside their place, then renamed.

What stands at a place and is no regular file stays there: links are followed, and devices, pipes, sockets and open
descriptors (`/dev/stdout`) are written into.

A file that waits for its place is locked by its writer, and the lock ends with the process: what a killed one left is
removed by the next one that writes into the folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from archdsl.files import behind_links, naming, write_into, written_into

_PART: Final = ".archdsl.part"
_PREVIOUS: Final = ".archdsl.previous"
_LEFT: Final = re.compile(rf"\..*({re.escape(_PART)}|{re.escape(_PREVIOUS)})", re.DOTALL)
_LETTERS: Final = 32
"""Of its name, that a waiting file has in its own."""
_PATIENCE_S: Final = 2.0
_LOOK_S: Final = 0.005
_LOOKED_INTO: Final[set[tuple[int, Path]]] = set()
"""Folders that a process has cleared of what others left: once each, for a folder can have many files."""


class ChangedMeanwhile(OSError):
    """A file that another program saved after it was read, and which therefore stays as it is."""

    def __init__(self, place: Path) -> None:
        super().__init__(errno.EBUSY, "another program has saved it meanwhile: run the command again", str(place))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A file that waits for its place, locked as long as `handle` is open."""

    path: Path
    handle: int

    @classmethod
    def beside(cls, place: Path) -> _Waiting:
        """An empty one. Raises OSError."""
        import tempfile  # slow to import, and most commands write nothing

        while True:
            handle, path = tempfile.mkstemp(prefix=f".{place.name[:_LETTERS]}.", suffix=_PART, dir=place.parent)
            with suppress(OSError):  # a file system without locks, where nothing is removed as left either
                fcntl.flock(handle, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink:
                return cls(Path(path), handle)
            os.close(handle)  # another process took it for left before it was locked

    def write(self, data: bytes, mode: int) -> None:
        """Raises OSError."""
        with os.fdopen(self.handle, "wb", closefd=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.path.chmod(mode)

    def close(self) -> None:
        os.close(self.handle)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.close()


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of a staging: `data` for what is written into, else a file that waits to be renamed."""

    place: Path
    target: Path
    """What is at `place`, behind its links."""
    waiting: _Waiting | None
    data: bytes = b""


class Staging:
    """Files that are not yet where they belong.

    `write` puts a file beside its place under a hidden name; `publish` renames all of them. A rename within a
    folder is atomic, so each place holds its previous file or its new one at every moment.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staged: dict[str, _Part] = {}
        self._created = tuple(_make_folder(folder))

    def write(self, name: str, data: bytes) -> None:
        """Stages `data` as `folder/name`.

        Raises ValueError where `name` is not the name of a file in the folder, OSError from the disk.
        """
        if name != Path(name).name or name in ("", ".", ".."):
            raise ValueError(f"`{name}` is not the name of a file")
        place = self._folder / name
        previous = self._staged.pop(name, None)
        if previous is not None and previous.waiting is not None:
            previous.waiting.discard()
        if written_into(place):
            self._staged[name] = _Part(place, place, None, data)
            return
        with naming(place):
            target = behind_links(place)
            waiting = _Waiting.beside(target)
            self._staged[name] = _Part(place, target, waiting)
            waiting.write(data, _mode_for(target))

    @property
    def places(self) -> tuple[Path, ...]:
        """Where the staged files will stand, in the order of `write`."""
        return tuple(part.place for part in self._staged.values())

    def publish(self) -> tuple[Path, ...]:
        """Renames everything staged to its place and returns the places in the order of `write`.

        Where one rename fails, the places already taken get their previous files back and OSError is raised. Of two
        processes that publish into one folder one waits for the other, so that all files are those of one of them.
        """
        places = self.places
        saved: dict[Path, Path | None] = {}
        with _publishing(self._folder):
            try:
                for part in self._staged.values():
                    with naming(part.place):
                        if part.waiting is None:
                            write_into(part.place, part.data)
                            continue
                        saved[part.target] = _set_aside(part.target)
                        part.waiting.path.replace(part.target)
            except BaseException:
                for target, previous in reversed(saved.items()):
                    _restore(target, previous)
                raise
            for previous in saved.values():
                if previous is not None:
                    previous.unlink()
        for part in self._staged.values():
            if part.waiting is not None:
                part.waiting.close()
        self._staged.clear()
        self._created = ()
        return places

    def discard(self) -> None:
        """Removes what is staged, and the folders made for it where nothing else has come to stand in them."""
        for part in self._staged.values():
            if part.waiting is not None:
                part.waiting.discard()
        self._staged.clear()
        for made in reversed(self._created):
            with suppress(OSError):
                made.rmdir()


@contextmanager
def staged(folder: Path) -> Generator[Staging, None, None]:
    """A staging of `folder` that is published when the block ends, and discarded when anything is raised in it.

    KeyboardInterrupt is one of these. Files already in the folder under the same names are replaced, as compilers
    do; others are left alone.
    """
    staging = Staging(folder)
    try:
        yield staging
        staging.publish()
    except BaseException:
        staging.discard()
        raise


def write_atomic(path: Path, data: bytes) -> None:
    """`data` at `path`, whole or not at all; a file that stands there is replaced and keeps its permissions.

    A link is followed, as by `>`. What is no regular file, such as `/dev/stdout` or a named pipe, stays and is
    written to. Raises OSError, which names `path`.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with naming(path):
        if written_into(path):
            write_into(path, data)
            return
        target = behind_links(path)
        with staged(target.parent) as staging:
            staging.write(target.name, data)


def is_replaced(path: Path) -> bool:
    """Whether something stands at `path` that `write_atomic` would replace: a regular file, or what it refuses."""
    return path.exists() and not written_into(path)


def rewrite(path: Path, before: bytes, after: bytes) -> None:
    """Replaces what was read from a file. What another program has saved there since is not lost.

    The file and the new one trade places in one step, so that what was replaced can be looked at afterwards; if it is
    not `before` they trade again. Raises ChangedMeanwhile, OSError.
    """
    with naming(path):
        is_done = _rewrite(behind_links(path), before, after)
    if not is_done:
        raise ChangedMeanwhile(path)


def _rewrite(path: Path, before: bytes, after: bytes) -> bool:
    """Whether what was there was `before`, and is replaced."""
    with _publishing(path.parent):
        waiting = _Waiting.beside(path)
        try:
            waiting.write(after, _mode_for(path))
            if path.read_bytes() != before:
                return False
            if not _exchange(waiting.path, path):
                waiting.path.replace(path)
            elif waiting.path.read_bytes() != before:
                _exchange(waiting.path, path)
                if waiting.path.read_bytes() != after:  # saved once more in between: the last one stays
                    _exchange(waiting.path, path)
                return False
            return True
        finally:
            waiting.discard()


@contextmanager
def _publishing(folder: Path) -> Generator[None, None, None]:
    """The body has the folder to itself, without what killed processes left there."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        looked = (os.getpid(), folder)
        if _is_locked(handle) and looked not in _LOOKED_INTO:
            _remove_left(folder)
            _LOOKED_INTO.add(looked)
        yield
    finally:
        os.close(handle)


def _is_locked(handle: int) -> bool:
    """Locks a folder; not where the file system has no locks, or somebody holds it for longer than renames take."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:  # as in `flock FOLDER archdsl …`, which waits for this process
                return False
            time.sleep(_LOOK_S)
        except OSError:
            return False
        else:
            return True


def _remove_left(folder: Path) -> None:
    """Removes what waits for its place, and what was set aside, of processes that are no more."""
    for name in os.listdir(folder):  # noqa: PTH208 - folders can be large, and paths are slow
        match = _LEFT.fullmatch(name)
        if match is None:
            continue
        with suppress(OSError):
            handle = os.open(folder / name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if match[1] == _PART:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / name).unlink()
            finally:
                os.close(handle)


def _exchange(one: Path, other: Path) -> bool:
    """Two files trade places in one step (renameat2); False where the system or the disk cannot. Raises OSError."""
    import ctypes

    at_working_directory, exchange = -100, 2
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    names = (os.fsencode(each) for each in (one, other))
    if renameat2(at_working_directory, next(names), at_working_directory, next(names), exchange) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _make_folder(folder: Path) -> Iterator[Path]:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        yield parent


def _set_aside(place: Path) -> Path | None:
    """A second name for the file at `place`, so that it can come back; None where there is no file."""
    if not place.is_file():
        return None
    aside = place.with_name(f".{place.name[:_LETTERS]}.{os.getpid()}{_PREVIOUS}")
    aside.unlink(missing_ok=True)
    try:
        os.link(place, aside)
    except OSError:
        shutil.copy2(place, aside)  # a disk without hard links
    return aside


def _restore(place: Path, previous: Path | None) -> None:
    if previous is not None:
        previous.replace(place)
        previous.unlink(missing_ok=True)  # where both are names of one file, a rename leaves both
    elif place.is_file():
        place.unlink()


def _mode_for(place: Path) -> int:
    return place.stat().st_mode if place.is_file() else _mode_of_new_files()


def _mode_of_new_files() -> int:
    """What a user's new files may be read by; temporary files are their owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
