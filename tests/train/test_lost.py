"""Trainings that are killed, find their disk full, or meet another one in their folder: what they have is not lost."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archdsl.train.typed_torch import load_file
from tests.train.commands import ENVIRONMENT, ROOT, finished
from tests.train.small import write_text
from tests.train.test_runs import command, steps


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text and a training of nine steps."""
    folder = tmp_path_factory.mktemp("begun")
    done = finished(command(write_text(folder), folder / "run", "--iterations", "9"))
    assert done.returncode == 0, done.stderr
    return folder


def limited(size: int) -> Callable[[], None]:
    """No file of the process may become larger than `size` bytes: the error of a quota."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def run_limited(arguments: list[str], size: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=limited(size),
    )


def test_a_full_disk_names_the_file_and_the_checkpoint_from_which_the_run_goes_on(tmp_path: Path) -> None:
    arguments, run = command(write_text(tmp_path), tmp_path / "run"), tmp_path / "run"
    full = run_limited(arguments, 6_000)
    assert full.returncode == 2, full.stderr
    assert f"error: `{run}/checkpoints/step-00000003` cannot be written: file too large" in full.stderr
    assert "there is no checkpoint yet: make room, and go on with `--resume`" in full.stderr
    assert "Traceback" not in full.stderr
    again = finished([*arguments, "--resume"])
    assert again.returncode == 0, again.stderr
    assert "has saved no checkpoint yet: it begins again at step 0" in again.stderr
    assert [line["step"] for line in steps(run)] == list(range(1, 15))


def test_two_trainings_do_not_share_a_folder(begun: Path) -> None:
    run = begun / "shared"
    shutil.copytree(begun / "run", run)
    with lock_held(run / ".lock"):
        refused = finished(command(begun / "small.arch", run, "--iterations", "9", "--resume"))
        assert refused.returncode == 2
        assert refused.stderr.splitlines()[-1] == (
            f"error: another process is running in `{run}`: let it end, or give another `--out`"
        )


@contextmanager
def lock_held(lock: Path) -> Generator[None]:
    with subprocess.Popen(
        ["flock", str(lock), "sh", "-c", "echo locked && cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            assert holder.stdin is not None
            holder.stdin.close()


def test_of_two_trainings_begun_at_once_one_is_refused_and_one_is_whole(tmp_path: Path) -> None:
    text, run = write_text(tmp_path), tmp_path / "run"
    both = [
        subprocess.Popen(
            command(text, run), cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    words = [each.communicate(timeout=300)[1] for each in both]
    assert sorted(each.returncode for each in both) == [0, 2], words
    assert [line["step"] for line in steps(run)] == list(range(1, 15))
    assert set(load_file(run / "last.safetensors"))


def test_a_checkpoint_that_is_gone_is_not_begun_without(begun: Path) -> None:
    run = begun / "gone"
    shutil.copytree(begun / "run", run)
    before = (run / "journal.jsonl").read_bytes()
    for place in (run / "checkpoints").iterdir():
        shutil.rmtree(place)
    refused = finished(command(begun / "small.arch", run, "--iterations", "9", "--resume"))
    assert refused.returncode == 2
    assert f"`{run}/checkpoints` holds no checkpoint any more: put the last one back" in refused.stderr
    assert (run / "journal.jsonl").read_bytes() == before
