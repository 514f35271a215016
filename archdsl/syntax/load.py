"""From bytes to text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from archdsl.diagnostics import Diagnostic, Label
from archdsl.files import read_whole
from archdsl.syntax import codes
from archdsl.text import SourceFile, Span, hidden, visible_line

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_LINE: Final = 20_000
_PIECE: Final = 1 << 16


def read(path: str | os.PathLike[str]) -> SourceFile | Diagnostic:
    """The source of a file, named as `path` spells it, or a diagnostic for an unreadable file."""
    name = os.fspath(path)
    if "\0" in name:
        return _unreadable(name.replace("\0", "U+0000"), "a path cannot hold a NUL character", "name another file")
    file = Path(name)
    try:
        if file.is_dir():
            return _unreadable(name, f"`{name}` is a folder", "name a file in it")
        data = read_whole(file, MAX_BYTES + 1)
    except FileNotFoundError:
        return _unreadable(name, f"the file `{name}` does not exist", "check the path")
    except PermissionError:
        return _unreadable(name, f"the file `{name}` may not be read", "change its permissions")
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        return _unreadable(name, f"the file `{name}` cannot be read: {reason}", "check the path")
    return decode(name, data)


def bytes_of(stream: BinaryIO) -> bytes:
    """The bytes of a stream, of a long one enough for `decode` to refuse it; nothing may have been read from it before.

    A single `read` waits for the end within one call, and a Ctrl-C that comes between two of its system calls is not
    heeded before that.
    """
    read: list[bytes] = []
    left = MAX_BYTES + 1
    while left > 0 and (piece := os.read(stream.fileno(), min(_PIECE, left))):
        read.append(piece)
        left -= len(piece)
    return b"".join(read)


def rest_of(stream: BinaryIO) -> Iterator[bytes]:
    """What `bytes_of` has left of a stream, piece by piece."""
    return iter(lambda: os.read(stream.fileno(), _PIECE), b"")


def decode(name: str, data: bytes) -> SourceFile | Diagnostic:
    """`data` decoded as UTF-8 without a byte order mark, or a diagnostic."""
    if len(data) > MAX_BYTES:
        return Diagnostic(
            codes.TOO_LARGE,
            f"the file is larger than {MAX_BYTES // (1024 * 1024)} MiB",
            None,
            help="split it, and join the parts with `use`",
            file=name,
        )
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(name, data, error.start + len(data) - len(body))
    source = SourceFile(name, text)
    return _nul(source) or _long_line(source) or _hidden(source) or source


def _unreadable(name: str, message: str, help_: str) -> Diagnostic:
    return Diagnostic(codes.UNREADABLE, message, None, help=help_, file=name)


def _not_utf8(name: str, data: bytes, at: int) -> Diagnostic:
    line = data.count(b"\n", 0, at) + 1
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return Diagnostic(
        codes.NOT_UTF8,
        f"the file is not UTF-8: byte 0x{data[at]:02x} at offset {at}, on line {line}",
        None,
        notes=("it begins like UTF-16",) if utf16 else (),
        help="save the file as UTF-8",
        file=name,
    )


def _nul(source: SourceFile) -> Diagnostic | None:
    at = source.text.find("\0")
    if at < 0:
        return None
    return Diagnostic(
        codes.NOT_SEEN,
        "the file holds a NUL byte and seems not to be a text",
        Label(Span(source, at, at + 1), "here"),
        help="name a text file",
        file=source.name,
    )


def _hidden(source: SourceFile) -> Diagnostic | None:
    at = hidden(source.text)
    if at is None:
        return None
    character = source.text[at]
    return Diagnostic(
        codes.NOT_SEEN,
        f"the character U+{ord(character):04X} cannot be seen",
        Label(Span(source, at, at + 1), f"`{visible_line(character)}` stands here"),
        notes=("such characters steer terminals, or show a text otherwise than it is read",),
        help="remove the character",
        file=source.name,
    )


def _long_line(source: SourceFile) -> Diagnostic | None:
    start = 0
    for line in source.text.split("\n"):
        if len(line) > MAX_LINE:
            return Diagnostic(
                codes.LONG_LINE,
                f"a line is longer than {MAX_LINE:,} characters",
                Label(Span(source, start, start + len(line)), f"{len(line):,} characters"),
                help="break the line inside brackets",
                file=source.name,
            )
        start += len(line) + 1
    return None
