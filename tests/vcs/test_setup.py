"""What `git setup` and `--undo` write: whole files, whatever ends the process, and what others wrote stays."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import pytest

from archdsl.staging import ChangedMeanwhile
from archdsl.vcs.git import GitRefused
from archdsl.vcs.setup import LINE, Place, install, missing, remove
from tests.kill_points import in_a_process, killed_at_each_point

OTHERS = b"*.png binary\n\xff\xfe.txt text\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A repository with attributes of its own, whose file names are no UTF-8."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitattributes").write_bytes(OTHERS)
    return Place.repository(tmp_path)


def files(place: Place) -> tuple[bytes, bytes]:
    return place.attributes.read_bytes(), place.config.read_bytes()


def hidden(place: Place) -> list[str]:
    """What waits for its place in the folders of both files."""
    return [each.name for file in (place.attributes, place.config) for each in file.parent.glob(".*.archdsl.*")]


def test_killed_at_any_point_both_files_are_whole(place: Place) -> None:
    before = files(place)
    in_a_process(lambda: install(place))
    after = files(place)
    assert after[0] == OTHERS + f"{LINE}\n".encode()
    assert not missing(place)
    in_a_process(lambda: remove(place))
    assert files(place) == before
    for point in killed_at_each_point(place.folder, lambda: install(place)):
        assert all(each in both for each, *both in zip(files(place), before, after, strict=True)), f"point {point}"
        in_a_process(lambda: remove(place))
        assert files(place) == before
    assert files(place) == after
    for point in killed_at_each_point(place.folder, lambda: remove(place)):
        assert all(each in both for each, *both in zip(files(place), before, after, strict=True)), f"point {point}"
        in_a_process(lambda: install(place))
        assert files(place) == after
    assert files(place) == before
    in_a_process(lambda: install(place))
    assert not hidden(place)


def test_a_full_disk_leaves_both_files(place: Place) -> None:
    place.attributes.write_bytes(OTHERS * 100)
    before = files(place)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
        with pytest.raises(OSError, match="File too large"):
            install(place)

    in_a_process(full)
    assert files(place)[0] == before[0]
    assert not hidden(place)


def test_links_and_permissions_stay(place: Place) -> None:
    elsewhere = place.folder / "attributes"
    place.attributes.rename(elsewhere)
    place.attributes.symlink_to(elsewhere.name)
    elsewhere.chmod(0o640)
    install(place)
    assert place.attributes.is_symlink()
    assert (elsewhere.read_bytes(), elsewhere.stat().st_mode & 0o777) == (OTHERS + f"{LINE}\n".encode(), 0o640)


def test_what_git_is_changing_is_left_alone(place: Place) -> None:
    before = files(place)
    (place.folder / ".git" / "config.lock").touch()
    with pytest.raises(GitRefused, match="git is changing"):
        install(place)
    assert files(place) == before


def test_a_change_meanwhile_is_not_lost(place: Place) -> None:
    install(place)
    before = place.config.read_bytes()
    with pytest.raises(ChangedMeanwhile):
        place.change([("core.editor", "ed"), ("--file", os.fspath(place.config), "user.name", "ada")])
    assert place.config.read_bytes().startswith(before)
    assert place.get("user.name") == "ada"


def test_in_a_working_tree_beside_the_first_it_is_the_same_configuration(place: Place, tmp_path: Path) -> None:
    at = ["git", "-C", str(place.folder), "-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    subprocess.run([*at, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*at, "worktree", "add", "-q", str(tmp_path / "other")], check=True)
    install(Place.repository(tmp_path / "other"))
    assert missing(place) == [str(place.attributes)]
