"""From bytes to text."""

from pathlib import Path

import pytest

from archdsl.diagnostics import Diagnostic
from archdsl.syntax import decode, parse, read
from archdsl.text import SourceFile

BAD = {
    b"archdsl 1\nuse \xffstd": ("E0002", "the file is not UTF-8: byte 0xff at offset 14, on line 2"),
    b"\xef\xbb\xbfa\n\xff": ("E0002", "the file is not UTF-8: byte 0xff at offset 5, on line 2"),
    "archdsl 1".encode("utf-16"): ("E0002", "the file is not UTF-8: byte 0xff at offset 0, on line 1"),
    b"x" * (2 * 1024 * 1024 + 1): ("E0003", "the file is larger than 2 MiB"),
    b"archdsl\0 1": ("E0004", "the file holds a NUL byte and seems not to be a text"),
    b"archdsl 1\n# \x1b[31mred": ("E0004", "the character U+001B cannot be seen"),
    b"archdsl 1\rop a(c)": ("E0004", "the character U+000D cannot be seen"),
    "archdsl 1\n# \u202e".encode(): ("E0004", "the character U+202E cannot be seen"),
    'use "\u200b.arch"'.encode(): ("E0004", "the character U+200B cannot be seen"),
    b"archdsl 1\n" + b"a" * 20_001: ("E0005", "a line is longer than 20,000 characters"),
}


@pytest.mark.parametrize("data", BAD, ids=[f"{code} {number}" for number, (code, _) in enumerate(BAD.values())])
def test_bytes_that_are_no_text(data: bytes) -> None:
    found = decode("x.arch", data)
    assert isinstance(found, Diagnostic)
    assert (found.code, found.message) == BAD[data]
    assert found.file == "x.arch"


def test_a_byte_order_mark_is_left_out() -> None:
    assert decode("x.arch", b"\xef\xbb\xbfarchdsl 1\n") == SourceFile("x.arch", "archdsl 1\n")


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_bytes(b"archdsl 1\r\nuse std\r\n")
    assert read(tmp_path / "a.arch") == SourceFile(str(tmp_path / "a.arch"), "archdsl 1\r\nuse std\r\n")
    for name in (tmp_path, tmp_path / "none.arch", tmp_path / "a.arch" / "b", "a\0b", "x" * 5000):
        found = read(name)
        assert isinstance(found, Diagnostic)
        assert found.code == "E0001"


@pytest.mark.parametrize("text", ["", "\n \n", "# only\n  # comments"])
def test_nothing_to_read(text: str) -> None:
    assert [found.code for found in parse(SourceFile("x", text)).diagnostics] == ["E0006"]


def test_tables_are_made_without_a_cache_that_can_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from archdsl.syntax.grammar import tables

    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(tables.__wrapped__().rules) == len(tables().rules)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first, second = tables.__wrapped__(), tables.__wrapped__()
    assert first.actions == second.actions
    assert len(first.actions) == len(tables().actions)
    assert list((tmp_path / "cache" / "archdsl").iterdir())
