"""A text that an editor saves while it is formatted: what the editor saved is there afterwards, formatted or not."""

from __future__ import annotations

from pathlib import Path

from archdsl.cli.formatting import Status, format_file
from tests.kill_points import at_point, in_a_process

BEFORE = "archdsl 1\n\nspace  one() {\n  in image: 3x8x8\n  out y = image -> relu\n}\n"
SAVED = BEFORE.replace("one", "two")


def test_a_text_that_is_saved_at_any_point_of_formatting_is_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    file = folder / "one.arch"

    def left(point: int) -> str:
        def work() -> None:
            at_point(folder, point, lambda: file.write_text(SAVED, encoding="utf-8"))
            assert format_file(str(file), write=True).status in (Status.FORMATTED, Status.UNWRITABLE)

        file.write_text(BEFORE, encoding="utf-8")
        in_a_process(work)
        assert [each.name for each in folder.iterdir()] == ["one.arch"]
        return file.read_text(encoding="utf-8")

    found = [left(1)]
    while "two" in found[-1]:
        found.append(left(len(found) + 1))
    assert len(found) > 4
    assert found[-1] == BEFORE.replace("  one", " one")
    assert set(found[:-1]) == {SAVED, SAVED.replace("  two", " two")}
