"""What a session does once, and what it does again when a text or a file changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archdsl.sema.modules.files import Disk, shown
from archdsl.session import Buffers, Checked, Session, Statistics, Text
from archdsl.syntax import read
from archdsl.text import SourceFile

ROOT = Path(__file__).resolve().parents[2]
SPACES = sorted((ROOT / "spaces").rglob("*.arch"))

CELLS = "archdsl 1\n\nop body(c) = conv(c, k = 3) -> relu\n"
NET = """archdsl 1

use "cells.arch"

space net(c = 4) {
  in image: 3x32x64
  out y = image -> {body, conv}
}
"""
FOUND = """archdsl 1

use "net.arch"

genotype found of net {
  y.image = conv
}
"""
ALONE = NET.replace('use "cells.arch"\n\n', "").replace("{body, conv}", "conv(c)").replace("net", "alone")
PROJECT = {"cells.arch": CELLS, "net.arch": NET, "found.arch": FOUND, "alone.arch": ALONE}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    for name, text in PROJECT.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def on_disk(path: Path, **given: str) -> Text:
    source = read(shown(path))
    assert isinstance(source, SourceFile)
    return Text(source, path, overrides=given)


def check_all(session: Session, project: Path) -> list[Checked]:
    return [session.check(on_disk(project / name)) for name in PROJECT]


def done(session: Session, before: Statistics) -> tuple[int, int]:
    """How many texts were parsed, and how many results were computed."""
    now = session.statistics
    return now.parses - before.parses, now.checks - before.checks


def test_an_unchanged_project_is_answered_from_the_cache(project: Path) -> None:
    session = Session()
    first = check_all(session, project)
    assert session.statistics.parses == len(PROJECT)
    before = session.statistics
    again = check_all(session, project)
    assert done(session, before) == (0, 0)
    assert session.statistics.reuses == before.reuses + len(PROJECT)
    assert [each.meanings for each in again] == [each.meanings for each in first]
    assert all(
        new is old
        for one, other in zip(first, again, strict=True)
        for new, old in zip(one.meanings, other.meanings, strict=True)
    )


@pytest.mark.parametrize(
    ("changed", "dependents"), [("cells.arch", 3), ("net.arch", 2), ("found.arch", 1), ("alone.arch", 1)]
)
def test_only_what_depends_on_a_changed_file_is_done_again(project: Path, changed: str, dependents: int) -> None:
    session = Session()
    check_all(session, project)
    before = session.statistics
    (project / changed).write_text(PROJECT[changed] + "\n# changed\n", encoding="utf-8")
    check_all(session, project)
    assert done(session, before) == (1, dependents)


def test_a_change_that_is_taken_back_is_known(project: Path) -> None:
    session = Session()
    check_all(session, project)
    (project / "cells.arch").write_text(CELLS.replace("relu", "relu6"), encoding="utf-8")
    check_all(session, project)
    before = session.statistics
    (project / "cells.arch").write_text(CELLS, encoding="utf-8")
    check_all(session, project)
    assert done(session, before) == (0, 0)


def test_a_file_that_appears_is_seen(project: Path) -> None:
    session = Session()
    (project / "cells.arch").unlink()
    assert [each.code for each in session.check(on_disk(project / "net.arch")).diagnostics] == ["E0020"]
    (project / "cells.arch").write_text(CELLS, encoding="utf-8")
    assert session.check(on_disk(project / "net.arch")).diagnostics == ()


def test_unsaved_buffers_lie_over_the_disk(project: Path) -> None:
    session = Session()
    saved = session.check(on_disk(project / "found.arch"))
    source = saved.source
    wrong = Buffers({project / "net.arch": NET.replace("{body, conv}", "body")})
    assert [each.code for each in session.check(Text(source, project / "found.arch", wrong)).diagnostics] == ["E0410"]
    assert session.check(Text(source, project / "found.arch", Disk())).diagnostics == ()


def test_a_folder_of_buffers_needs_no_disk(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    files = Buffers({folder / name: text for name, text in PROJECT.items()})
    checked = Session().check(Text(SourceFile("found.arch", FOUND), folder / "found.arch", files))
    assert [each.name for each in checked.meanings] == ["found"]
    assert files.is_folder(folder) and not files.is_folder(folder / "net.arch")
    assert files.names(folder) == sorted(PROJECT)


def test_parameters_and_sizes_have_results_of_their_own(project: Path) -> None:
    session = Session()
    path = project / "alone.arch"
    plain, wide, flag = (session.check(on_disk(path, **given)) for given in ({}, {"c": "8"}, {"c": "yes"}))
    assert plain.meanings[0].program is not wide.meanings[0].program
    assert not plain.failed and not wide.failed and flag.failed
    assert session.statistics.parses == 1


def test_items_of_one_text_share_what_was_laid_out(project: Path) -> None:
    session = Session()
    text = on_disk(project / "net.arch")
    everything, alone = session.check(text), session.check_item(text, "net")
    assert everything.meanings[0].program is alone.meanings[0].program


COSTS = """archdsl 1

cost time = table("tables/device.json", unit = ms)
"""


def test_a_table_that_changes_is_read_again(project: Path) -> None:
    session = Session()
    path = project / "costs.arch"
    text = Text(SourceFile(str(path), COSTS), path)
    assert session.check(text).diagnostics == ()
    table = project / "tables" / "device.json"
    table.parent.mkdir()
    table.write_text(json.dumps({"rows": "none"}), encoding="utf-8")
    assert [each.code for each in session.check(text).diagnostics] == ["E0701"]
    table.unlink()
    assert session.check(text).diagnostics == ()


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    session = Session(texts=4, snapshots=2)
    path = tmp_path / "net.arch"

    def check(numbers: Sequence[int]) -> None:
        for number in numbers:
            session.check(Text(SourceFile(str(path), ALONE.replace("c = 4", f"c = {number}")), path))

    check(range(1, 10))
    before = session.statistics
    check([9, 8])
    assert done(session, before) == (0, 0)
    check([1])
    assert done(session, before) == (1, 1)


def texts() -> Iterator[Text]:
    return (on_disk(path) for path in SPACES)


def test_threads_find_what_one_thread_finds() -> None:
    alone = [Session().check(text).diagnostics for text in texts()]
    session = Session()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(session.check, [*texts(), *texts()]))
    assert [each.diagnostics for each in found] == [*alone, *alone]
    assert session.statistics.loads == len(SPACES)
    assert session.statistics.checks == len(SPACES)
    assert session.statistics.reuses == len(SPACES)
