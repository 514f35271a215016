"""Files that are written whole: what was there stays until what comes is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.files import write_whole


def test_a_new_file_may_be_read_as_any_other_and_an_old_one_keeps_its_permissions(tmp_path: Path) -> None:
    written, plain = tmp_path / "written", tmp_path / "plain"
    plain.touch()
    write_whole(written, b"first")
    assert written.stat().st_mode == plain.stat().st_mode
    written.chmod(0o640)
    write_whole(written, b"second")
    assert (written.read_bytes(), written.stat().st_mode & 0o777) == (b"second", 0o640)


def test_what_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "inside").write_bytes(b"kept")
    with pytest.raises(IsADirectoryError):
        write_whole(place, b"data")  # a folder cannot be replaced by a file
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "file", b"data")
    assert sorted(tmp_path.rglob("*")) == [place, place / "inside"]
