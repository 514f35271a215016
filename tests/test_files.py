"""Outputs appear whole or not at all, also when the process is interrupted."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

import archdsl
from archdsl.files import read_whole
from archdsl.staging import ChangedMeanwhile, Staging, is_replaced, rewrite, staged, write_atomic
from tests.kill_points import at_point, in_a_process, killed_at_each_point


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_everything_is_published_together(tmp_path: Path) -> None:
    folder = tmp_path / "compiled" / "student"
    with staged(folder) as staging:
        staging.write("a.onnx", b"1")
        staging.write("b.json", b"2")
        assert {file.suffix for file in folder.iterdir()} == {".part"}
    assert contents(folder) == {"a.onnx": b"1", "b.json": b"2"}


def test_files_of_the_same_name_are_replaced_and_others_left(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"old")
    (tmp_path / "notes.txt").write_bytes(b"mine")
    with staged(tmp_path) as staging:
        staging.write("a.onnx", b"first")
        staging.write("a.onnx", b"second")
    assert contents(tmp_path) == {"a.onnx": b"second", "notes.txt": b"mine"}


def test_an_exception_leaves_the_previous_files(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), staged(tmp_path) as staging:
        staging.write("a.onnx", b"new")
        raise KeyboardInterrupt
    assert contents(tmp_path) == {"a.onnx": b"old"}


def test_folders_made_for_nothing_are_removed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="enough"), staged(tmp_path / "a" / "b") as staging:
        staging.write("x", b"1")
        raise ValueError("enough")
    assert contents(tmp_path) == {}


def test_a_rename_that_fails_takes_the_others_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "c").mkdir()
    with pytest.raises(OSError, match="c"), staged(tmp_path) as staging:
        for name in ("a", "b", "c"):
            staging.write(name, b"new")
    assert {file.name for file in tmp_path.iterdir()} == {"a", "c"}
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc/x"])
def test_a_name_may_not_leave_the_folder(tmp_path: Path, name: str) -> None:
    staging = Staging(tmp_path)
    with pytest.raises(ValueError, match="not the name of a file"):
        staging.write(name, b"")
    assert contents(tmp_path) == {}


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_atomic(tmp_path / "written", b"x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "written")}
    assert len(modes) == 1
    (tmp_path / "written").chmod(0o640)
    write_atomic(tmp_path / "written", b"y")
    assert stat.S_IMODE((tmp_path / "written").stat().st_mode) == 0o640


def test_what_cannot_be_replaced_stays_and_nothing_is_left_beside(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(IsADirectoryError) as refused:
        write_atomic(tmp_path / "place", b"data")
    assert refused.value.filename == str(tmp_path / "place")
    assert list(tmp_path.rglob("*")) == [tmp_path / "place"]


def test_a_folder_that_cannot_be_written_to_is_said_of_the_file_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as refused, staged(tmp_path / "file") as staging:
        staging.write("a.onnx", b"new")
    assert refused.value.filename == str(tmp_path / "file" / "a.onnx")


def test_what_is_no_file_stays_and_is_written_to(tmp_path: Path) -> None:
    place = tmp_path / "pipe"
    os.mkfifo(place)
    reader = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomic(place, b"data")
        assert os.read(reader, 100) == b"data"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(place.stat().st_mode)


def test_a_link_stays_and_what_it_means_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "target").write_bytes(b"old")
    (tmp_path / "far" / "target").chmod(0o640)
    (tmp_path / "far" / "hop").symlink_to("target")
    (tmp_path / "link").symlink_to("far/hop")
    (tmp_path / "dangling").symlink_to("far/new")
    with staged(tmp_path) as staging:
        staging.write("link", b"new")
        staging.write("dangling", b"first")
    assert (tmp_path / "link").readlink() == Path("far/hop")
    assert contents(tmp_path / "far") == {"target": b"new", "hop": b"new", "new": b"first"}
    assert stat.S_IMODE((tmp_path / "far" / "target").stat().st_mode) == 0o640


def test_an_exception_leaves_what_a_link_means(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("far/new")
    with pytest.raises(KeyboardInterrupt), staged(tmp_path) as staging:
        staging.write("link", b"new")
        raise KeyboardInterrupt
    assert contents(tmp_path / "far") == {}


def test_links_in_a_loop_are_said_of_the_place(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OSError, match="symbolic links") as refused:
        write_atomic(tmp_path / "one", b"data")
    assert refused.value.filename == str(tmp_path / "one")
    assert len(list(tmp_path.iterdir())) == 2


def test_devices_stay_also_behind_a_link(tmp_path: Path) -> None:
    place = tmp_path / "null"
    place.symlink_to("/dev/null")
    write_atomic(place, b"data")
    with staged(tmp_path) as staging:
        staging.write("null", b"data")
    assert place.readlink() == Path("/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert not is_replaced(place)


@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_an_open_descriptor_is_written_to_after_what_is_there(tmp_path: Path, place: str) -> None:
    """`{ echo before; archdsl draw … -o /dev/stdout; echo after; } > out`: a file, and the shell goes on in it."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    program = (
        f"from pathlib import Path; from archdsl.staging import write_atomic; write_atomic(Path({place!r}), b'data\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(archdsl.__path__[0]).parent)}
    shell = f'{{ echo before; "$0" -c "{program}"; echo after; }} > out'
    subprocess.run(["sh", "-c", shell, sys.executable], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "out").read_text() == "before\ndata\nafter\n"
    assert {each.name for each in tmp_path.iterdir()} == {"link", "out"}
    assert Path("/dev/stdout").is_symlink()


def test_a_file_is_read_whole_or_up_to_a_length(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc" * 1_000_000)
    assert read_whole(tmp_path / "file") == b"abc" * 1_000_000
    assert read_whole(tmp_path / "file", 4) == b"abca"
    assert len(read_whole(Path("/dev/zero"), 3_000_000)) == 3_000_000


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    place = tmp_path / "pipe"
    os.mkfifo(place)
    writing = "import sys; open(sys.argv[1], 'wb').write(b'x' * 300_000)"
    keep = os.open(place, os.O_RDWR)
    with subprocess.Popen([sys.executable, "-c", writing, str(place)]) as writer:
        assert read_whole(place, 200_000) == b"x" * 200_000
        os.close(keep)
        writer.kill()


def test_a_pipe_that_nothing_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    place = tmp_path / "pipe"
    os.mkfifo(place)
    with pytest.raises(OSError, match="nothing writes to it") as refused:
        read_whole(place)
    assert refused.value.filename == str(place)


WRITER = textwrap.dedent(
    """
    import signal, sys
    from pathlib import Path
    from archdsl.staging import staged
    with staged(Path(sys.argv[1])) as staging:
        staging.write("a.onnx", b"new" * 1000)
        print("staged", flush=True)
        signal.pause()
        staging.write("b.onnx", b"never")
    """
)


def test_an_interrupted_process_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.onnx").write_bytes(b"old")
    environment = {**os.environ, "PYTHONPATH": str(Path(archdsl.__path__[0]).parent)}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"staged\n"
        assert len(list(folder.iterdir())) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait() != 0
    assert contents(folder) == {"a.onnx": b"old"}


def test_killed_at_any_point_a_file_is_the_old_or_the_new_one_and_nothing_is_left_for_long(tmp_path: Path) -> None:
    place = tmp_path / "out" / "a.onnx"
    write_atomic(place, b"old")
    for point in killed_at_each_point(tmp_path, lambda: write_atomic(place, b"new")):
        assert place.read_bytes() in (b"old", b"new"), f"killed at point {point}"
        in_a_process(lambda: write_atomic(place, b"old"))
        assert contents(place.parent) == {"a.onnx": b"old"}, f"killed at point {point}"
    assert contents(place.parent) == {"a.onnx": b"new"}


def publish(folder: Path, data: bytes) -> None:
    with staged(folder) as staging:
        staging.write("a.onnx", data)
        staging.write("b.json", data)


def test_killed_at_any_point_of_several_files_nothing_is_left_for_long(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    for point in killed_at_each_point(tmp_path, lambda: publish(tmp_path, b"new")):
        in_a_process(lambda: publish(tmp_path, b"old"))
        assert contents(tmp_path) == {"a.onnx": b"old", "b.json": b"old"}, f"killed at point {point}"
    assert contents(tmp_path) == {"a.onnx": b"new", "b.json": b"new"}


def test_what_a_living_process_stages_is_not_taken_away(tmp_path: Path) -> None:
    with staged(tmp_path) as staging:
        staging.write("a.onnx", b"slow")
        in_a_process(lambda: write_atomic(tmp_path / "a.onnx", b"quick"))
        in_a_process(lambda: write_atomic(tmp_path / "b.json", b"quick"))
    assert contents(tmp_path) == {"a.onnx": b"slow", "b.json": b"quick"}


def test_a_file_that_was_saved_since_it_was_read_stays(tmp_path: Path) -> None:
    place = tmp_path / "net.arch"
    place.write_bytes(b"read")
    rewrite(place, b"read", b"formatted")
    assert contents(tmp_path) == {"net.arch": b"formatted"}
    place.write_bytes(b"saved by an editor")
    with pytest.raises(ChangedMeanwhile, match="another program has saved it meanwhile"):
        rewrite(place, b"formatted", b"formatted again")
    assert contents(tmp_path) == {"net.arch": b"saved by an editor"}


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "by a rename"])
def test_an_editor_that_saves_at_any_point_of_a_rewrite_loses_nothing(tmp_path: Path, in_place: bool) -> None:
    """The editor saves before the n-th time that the rewrite touches a file."""
    folder = tmp_path / "texts"
    folder.mkdir()
    place, saved = folder / "net.arch", tmp_path / "saved"

    def save() -> None:
        if in_place:
            place.write_bytes(b"saved")
        else:
            saved.write_bytes(b"saved")
            saved.replace(place)

    def left(point: int) -> dict[str, bytes]:
        def work() -> None:
            at_point(folder, point, save)
            with suppress(ChangedMeanwhile):
                rewrite(place, b"read", b"formatted")

        place.write_bytes(b"read")
        in_a_process(work)
        return contents(folder)

    found = [left(1)]
    while found[-1] == {"net.arch": b"saved"}:
        found.append(left(len(found) + 1))
    assert len(found) > 4
    assert found[-1] == {"net.arch": b"formatted"}


def test_a_disk_that_is_full_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        for write in (
            lambda: write_atomic(tmp_path / "a", b"new" * 1_000),
            lambda: rewrite(tmp_path / "a", b"old", b"new" * 1_000),
        ):
            with pytest.raises(OSError, match="File too large") as full:
                write()
            assert full.value.filename == str(tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(tmp_path) == {"a": b"old"}


def test_a_device_without_an_end_is_refused(tmp_path: Path) -> None:
    endless = tmp_path / "zero"
    endless.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="without end"):
        read_whole(endless)
    with pytest.raises(OSError, match="without end"):
        read_whole(endless, 1 << 31)
    assert read_whole(endless, 5) == b"\0" * 5
    assert read_whole(Path("/dev/null")) == b""
