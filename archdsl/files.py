"""A file at a path: read whole, appended to, written into where it is no regular file; links on the way to it."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

_PIECE: Final = 1 << 20
_LARGEST_OF_DEVICE: Final = 16 * _PIECE
_MOST_LINKS: Final = 40
"""As Linux follows them."""
_DESCRIPTORS: Final = re.compile(r"/dev/fd|/proc/(?P<process>\d+)(?:/task/\d+)?/fd")


def read_whole(path: Path, most: int | None = None) -> bytes:
    """What a file holds, of a larger one the first `most` bytes.

    A pipe is read to its end. A named pipe that is empty and that nothing has open to write would be waited for
    without end: it is an OSError, as all else that the disk refuses, and so is a device that gives without end.
    """
    with naming(path):
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(number, "rb", buffering=0) as file:
            pieces: list[bytes] = []
            kind = os.fstat(number).st_mode
            if stat.S_ISFIFO(kind):
                pieces.append(_first_of_pipe(number))
            if stat.S_ISCHR(kind):
                return _of_device(file, most)
            os.set_blocking(number, True)
            left = -1 if most is None else most - sum(map(len, pieces))
            while left and (piece := file.read(_PIECE if left < 0 else min(_PIECE, left))):
                pieces.append(piece)
                left -= len(piece) if left > 0 else 0
    return b"".join(pieces)[:most]


def _of_device(file: FileIO, most: int | None) -> bytes:
    """`/dev/null` holds nothing, a terminal what somebody types, and `/dev/zero` has no end."""
    os.set_blocking(file.fileno(), True)
    data = b""
    while (most is None or len(data) < most) and (piece := file.read(_PIECE)):
        data += piece
        if len(data) > _LARGEST_OF_DEVICE:
            raise OSError(errno.EFBIG, "the device gives without end")
    return data[:most]


def _first_of_pipe(number: int) -> bytes:
    try:
        first = os.read(number, _PIECE)
    except BlockingIOError:  # somebody has it open to write, and has written nothing yet
        return b""
    if not first:
        raise OSError(errno.ENXIO, "the pipe is empty and nothing writes to it")
    return first


def append(file: FileIO, piece: bytes, path: Path) -> None:
    """A piece at the end of a file that is open without a buffer, whole or not at all.

    Raises OSError, which names the file by `path`.
    """
    before = file.seek(0, os.SEEK_END)
    written = 0
    with naming(path):
        try:
            while written < len(piece):
                written += file.write(piece[written:])
        except OSError:
            file.truncate(before)
            raise


def written_into(place: Path) -> bool:
    """Whether writing goes into what stands there: a device, a pipe, a socket, a descriptor of some process."""
    return _descriptor(place) is not None or (place.exists() and not place.is_file() and not place.is_dir())


def write_into(place: Path, data: bytes) -> None:
    """A descriptor of this process is written to itself, which keeps what a shell has written there before.

    Opening `/dev/stdout` anew would empty the file that it stands for. A reader may leave, as that of standard output.
    """
    found = _descriptor(place)
    mine = found is not None and found[0] == os.getpid()
    with (
        suppress(BrokenPipeError),
        os.fdopen(os.dup(found[1]), "wb") if found is not None and mine else place.open("wb") as file,
    ):
        file.write(data)


def _descriptor(place: Path) -> tuple[int, int] | None:
    """The process and the number, where a place is an open descriptor or links lead to one.

    The descriptor may be of a regular file: only its way there tells that somebody has it open.
    """
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(place.parent)
        found = _DESCRIPTORS.fullmatch(folder)
        if found is not None and place.name.isdecimal():
            return int(found["process"] or os.getpid()), int(place.name)
        if not place.is_symlink():
            return None
        place = Path(folder) / place.readlink()
    return None


def behind_links(place: Path) -> Path:
    """The file that a place means, which need not be there. Raises OSError for links in a loop."""
    if not place.is_symlink():
        return place
    target = Path(os.path.realpath(place))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def circle_of_links(path: Path) -> tuple[Path, ...]:
    """The symbolic links on the way to a path that lead to each other in a circle, the first again at the end.

    Empty where there is no such circle; no name may hold a NUL.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            circles = (_circle_from(each) for each in (*reversed(path.parents), path))
            return next((circle for circle in circles if circle), ())
    return ()


def _circle_from(link: Path) -> tuple[Path, ...]:
    passed: list[Path] = []
    while link not in passed:
        if not link.is_symlink():
            return ()
        passed.append(link)
        link = Path(os.path.normpath(link.parent / link.readlink()))
    return (*passed[passed.index(link) :], link)


@contextmanager
def naming(place: Path) -> Generator[None, None, None]:
    """Errors of the disk name the file that was asked for, not the one that waits for its place."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from error
