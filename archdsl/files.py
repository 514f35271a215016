"""Outputs that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Staging:
    """Files that are not yet where they belong.

    `write` puts a file beside its place under a hidden name; `publish` renames all of them. A rename within a
    folder is atomic, so each place holds its previous file or its new one at every moment.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staged: dict[str, Path] = {}
        self._created = tuple(_make_folder(folder))

    def write(self, name: str, data: bytes) -> Path:
        """Stages `data` as `folder/name` and returns where it waits.

        Raises ValueError where `name` is not the name of a file in the folder, OSError from the disk.
        """
        if name != Path(name).name or name in ("", ".", ".."):
            raise ValueError(f"`{name}` is not the name of a file")
        with _naming(self._folder / name):
            handle, waiting = tempfile.mkstemp(prefix=f".{name[:64]}.", suffix=".part", dir=self._folder)
        previous = self._staged.get(name)
        self._staged[name] = Path(waiting)
        if previous is not None:
            previous.unlink()
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        place = self._folder / name
        Path(waiting).chmod(place.stat().st_mode if place.is_file() else _mode_of_new_files())
        return Path(waiting)

    @property
    def places(self) -> tuple[Path, ...]:
        """Where the staged files will stand, in the order of `write`."""
        return tuple(self._folder / name for name in self._staged)

    def publish(self) -> tuple[Path, ...]:
        """Renames everything staged to its place and returns the places in the order of `write`.

        Where one rename fails, the places already taken get their previous files back and OSError is raised.
        """
        saved: dict[Path, Path | None] = {}
        try:
            for name, waiting in self._staged.items():
                place = self._folder / name
                saved[place] = _set_aside(place)
                with _naming(place):
                    waiting.replace(place)
        except BaseException:
            for place, previous in reversed(saved.items()):
                _restore(place, previous)
            raise
        for previous in saved.values():
            if previous is not None:
                previous.unlink()
        self._staged.clear()
        self._created = ()
        return tuple(saved)

    def discard(self) -> None:
        """Removes what is staged, and the folders made for it where nothing else has come to stand in them."""
        for waiting in self._staged.values():
            waiting.unlink(missing_ok=True)
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

    What is no file, such as `/dev/stdout` or a named pipe, stays and is written to. Raises OSError.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    with staged(path.parent) as staging:
        staging.write(path.name, data)


@contextmanager
def _naming(place: Path) -> Generator[None, None, None]:
    """Errors of the disk name the file that was asked for, not the one that waits for its place."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from error


def _make_folder(folder: Path) -> Iterator[Path]:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        yield parent


def _set_aside(place: Path) -> Path | None:
    """A second name for the file at `place`, so that it can come back.

    A hard link leaves the file where it is. On a disk that has none, None: the rename itself stays atomic, only
    the way back from a later failure is lost.
    """
    if not place.is_file():
        return None
    aside = place.with_name(f".{place.name[:64]}.{os.getpid()}.previous")
    aside.unlink(missing_ok=True)
    try:
        os.link(place, aside)
    except OSError:
        return None
    return aside


def _restore(place: Path, previous: Path | None) -> None:
    if previous is not None:
        previous.replace(place)
    elif place.is_file():
        place.unlink()


def _mode_of_new_files() -> int:
    """What a user's new files may be read by; temporary files are their owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
