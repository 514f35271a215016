"""Whole trainings as commands: the same curve twice, killed and resumed to the same bits, told to end, refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archdsl.train.typed_torch import load_file
from tests.train.commands import ENVIRONMENT, ROOT, finished
from tests.train.small import write_text

LENGTH = ["--iterations", "14", "--batch", "4", "--save-every", "3"]


def command(text: Path, out: Path, *more: str) -> list[str]:
    data = ["--data", "streets", "--size", "32x64", "--device", "cpu"]
    return [sys.executable, "-m", "archdsl", "train", str(text), *data, "--out", str(out), *LENGTH, *more]


def steps(run: Path) -> list[dict[str, object]]:
    lines = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == "step"]


def _heed_interrupts() -> None:
    """A shell that runs tests in the background has SIGINT ignored, and children take that over."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def ended_by(number: int, arguments: list[str], run: Path, *, after: int) -> tuple[int, str]:
    """Starts a command, sends it a signal once its journal has so many steps, and gives its exit code and words."""
    with subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - the test has no other threads
    ) as process:
        while process.poll() is None:
            if (run / "journal.jsonl").exists() and len((run / "journal.jsonl").read_text().splitlines()) >= after:
                process.send_signal(number)
                break
            time.sleep(0.02)
        _, words = process.communicate(timeout=120)
        return process.returncode, words


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    done = finished(command(write_text(folder), folder / "run"))
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_the_same_seed_gives_the_same_curve(whole: Path, tmp_path: Path) -> None:
    done = finished(command(write_text(tmp_path), tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert steps(tmp_path / "run") == steps(whole)
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == (whole / "last.safetensors").read_bytes()
    other = finished(command(write_text(tmp_path), tmp_path / "other", "--seed", "1"))
    assert other.returncode == 0, other.stderr
    assert steps(tmp_path / "other") != steps(whole)


def test_killed_in_the_middle_it_is_resumed_bit_for_bit(whole: Path, tmp_path: Path) -> None:
    arguments, run = command(write_text(tmp_path), tmp_path / "run"), tmp_path / "run"
    code, _ = ended_by(signal.SIGKILL, arguments, run, after=8)
    assert code == -signal.SIGKILL
    assert not (run / "last.safetensors").exists()
    done = finished([*arguments, "--resume"])
    assert done.returncode == 0, done.stderr
    assert steps(run) == steps(whole)
    for name in ("last.safetensors", "best.safetensors"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_told_to_end_it_saves_and_leaves(number: int, exit_code: int, whole: Path, tmp_path: Path) -> None:
    arguments, run = command(write_text(tmp_path), tmp_path / "run"), tmp_path / "run"
    code, words = ended_by(number, arguments, run, after=2)
    assert code == exit_code
    assert "resume with `--resume`" in words
    assert finished([*arguments, "--resume"]).returncode == 0
    assert (run / "last.safetensors").read_bytes() == (whole / "last.safetensors").read_bytes()


def test_a_folder_with_a_run_is_not_begun_again(whole: Path) -> None:
    done = finished(command(whole.parent / "small.arch", whole))
    assert done.returncode == 2
    assert "resume it with `--resume`" in done.stderr


def test_another_training_does_not_go_on_with_it(whole: Path) -> None:
    done = finished(command(whole.parent / "small.arch", whole, "--resume", "--seed", "3"))
    assert done.returncode == 2
    assert "`seed` was 0 and is 3" in done.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--batch", "100000"], "do not fill one batch of 100000"),
        (["--crop", "31x61"], "does not divide"),
        (["--set", "classes=5"], "gives 5 classes"),
        (["--recipe", "smal_final"], "known are: `small_final`"),
        (["--train-on", "night"], "no split `night`"),
        (["--accumulate", "3"], "cannot be shared"),
    ],
)
def test_what_cannot_begin_says_why(more: list[str], words: str, tmp_path: Path) -> None:
    done = finished(command(write_text(tmp_path), tmp_path / "run", *more))
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert not (tmp_path / "run").exists()


def test_two_processes_train_as_one(whole: Path, tmp_path: Path) -> None:
    """Also on augmented images: those of a joined batch do not hang on which process they go to."""
    arguments = command(write_text(tmp_path), tmp_path / "run")[1:]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = finished([*torchrun, *arguments])
    assert done.returncode == 0, done.stderr
    both, alone = steps(tmp_path / "run"), steps(whole)
    assert len(both) == len(alone)
    for mine, other in zip(both[:5], alone[:5], strict=True):  # rounding grows from step to step
        assert mine["loss"] == pytest.approx(other["loss"], rel=1e-4)


@pytest.mark.parametrize(
    ("rate", "auxiliary", "save_every", "words"),
    [
        ("1e20", "0.4", "9", "the training has diverged: in step 2 `loss` is nan"),
        ("1e30", "1e10", "1", "after step 1 `network.stem_conv3x3.conv.weight` and"),
    ],
)
def test_what_diverges_ends_and_keeps_no_broken_weights(
    rate: str, auxiliary: str, save_every: str, words: str, tmp_path: Path
) -> None:
    text, run = write_text(tmp_path), tmp_path / "run"
    wild = text.read_text().replace("poly(0.05)", f"poly({rate})").replace(", clip = 5", "")
    text.write_text(wild.replace("auxiliary = 0.4", f"auxiliary = {auxiliary}"))
    done = finished([*command(text, run), "--save-every", save_every])
    assert done.returncode == 1
    assert words in done.stderr
    assert len(steps(run)) == 1
    assert not list(run.glob("**/*.safetensors"))


def test_a_student_learns_from_a_teacher(whole: Path, tmp_path: Path) -> None:
    text = write_text(tmp_path)
    text.write_text(text.read_text().replace("  ema = 0.9", "  distill = kl(weight = 0.5, temperature = 2)"))
    refused = finished(command(whole.parent / "small.arch", tmp_path / "none", "--teacher", str(whole)))
    assert refused.returncode == 2
    assert "write `distill = kl()`" in refused.stderr
    done = finished(command(text, tmp_path / "run", "--teacher", str(whole)))
    assert done.returncode == 0, done.stderr
    assert all(float(str(step["distill"])) > 0 for step in steps(tmp_path / "run"))
    alone = finished(command(text, tmp_path / "alone"))
    assert "learns from labels alone" in alone.stderr
    assert "distill" not in steps(tmp_path / "alone")[0]


def test_what_was_pretrained_on_whole_images_is_begun_with(tmp_path: Path) -> None:
    folders = tmp_path / "images"
    for split, count in (("train", 8), ("val", 4)):
        for turned, name in enumerate(("lying", "standing")):
            (folders / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = np.random.default_rng((turned, number, len(split))).integers(60, 180, (32, 64, 3), np.uint8)
                striped = pixels[::4] if turned else pixels[:, ::4]
                striped[:] = 255 - striped // 4
                Image.fromarray(pixels).save(folders / split / name / f"{number}.png")
    text = write_text(tmp_path)
    data = ["--data", f"folder:{folders}", "--epochs", "10", "--iterations", "12"]
    wrong = finished(command(text, tmp_path / "wrong", *data))
    assert wrong.returncode == 2  # a length in epochs and one in iterations
    first = finished(command(text, tmp_path / "first", "--data", f"folder:{folders}"))
    assert first.returncode == 0, first.stderr
    assert "by the mean of `body[2].relu`, 8 channels" in first.stderr
    kept = load_file(tmp_path / "first" / "best.safetensors")
    assert kept
    assert not any(name.startswith(("logits", "early")) for name in kept)
    second = finished(command(text, tmp_path / "second", "--init", str(tmp_path / "first")))
    assert second.returncode == 0, second.stderr
    assert f"{len(kept)} tensors are initialised from the file" in second.stderr
    assert "not in the file, initialised at random: " in second.stderr
