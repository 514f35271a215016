"""`archdsl compile` where something is missing, does not fit, or is interrupted: what is said, and what is left."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from archdsl.cli.main import run
from archdsl.weights import save
from tests.backends.command import SMALL, STUDENT, finish, start


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["compile", STUDENT, "--input", SMALL, *arguments])
    return code, capsys.readouterr().err


def test_weights_of_another_network_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = {"stem_conv3x3.conv.weight": np.zeros((8, 3, 3, 3), np.float32), "mine.weight": np.zeros(5, np.float32)}
    save(tmp_path / "w.safetensors", tensors, {})
    out = tmp_path / "out"
    code, said = refused(capsys, "--target", "onnx", "--weights", str(tmp_path / "w.safetensors"), "-o", str(out))
    assert code == 1
    assert "stem_conv3x3.conv.weight is 8x3x3x3, wanted 32x3x3x3" in said
    assert "mine.weight 5" in said
    assert "missing:\n    stem_conv3x3.bn.weight 32\n" in said
    assert not out.exists()


@pytest.mark.parametrize("target", ["torch", "onnx", "trt"])
def test_garbage_is_no_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    file = tmp_path / "weights.pt"
    file.write_bytes(b"PK\x03\x04" + bytes(500))
    code, said = refused(capsys, "--target", target, "--weights", str(file), "-o", str(tmp_path / "out"))
    assert code == 2
    assert f"{file} cannot be read as a file of torch: it is cut off or damaged" in said
    assert not (tmp_path / "out").exists()


def test_weights_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = refused(capsys, "--target", "onnx", "--weights", str(tmp_path / "no"), "-o", str(tmp_path / "out"))
    assert code == 2
    assert str(tmp_path / "no") in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    code, said = refused(capsys, "--target", "onnx", "-o", str(tmp_path / "file" / "out"))
    assert code == 2
    assert str(tmp_path / "file") in said
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_which_nothing_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = refused(capsys, "--target", "onnx", "-o", "/proc/self")
    assert code == 2
    assert "/proc/self" in said


HIDDEN = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec


def without(name, path=None, target=None):
    return None if name == "{module}" else find(name, path, target)


PathFinder.find_spec = without
"""


@pytest.mark.parametrize(
    ("module", "target", "package"),
    [
        ("tensorrt_rtx", "trt", "tensorrt-rtx"),
        ("onnx", "onnx", "onnx"),
        ("torch", "torch", "torch"),
    ],
)
def test_a_tool_that_is_missing_says_how_to_install_it(tmp_path: Path, module: str, target: str, package: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDDEN.format(module=module))
    out = tmp_path / "out"
    arguments = ("compile", STUDENT, "--target", target, "--input", SMALL, "-o", str(out))
    code, _, said = finish(*arguments, before=str(tmp_path))
    assert code == 3, said
    assert said == f"error: `{package}` is not installed: pip install 'archdsl[{target}]'\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("target", "library", "in_child"),
    [
        ("onnx", "_multiarray_umath", False),
        ("torch", "libtorch_cpu", False),
        ("onnx", "onnxruntime_pybind11_state", False),
        ("trt", "libtensorrt", True),
    ],
    ids=["before it builds", "while torch loads", "while it compares", "while TensorRT works"],
)
def test_an_interrupt_leaves_nothing(tmp_path: Path, target: str, library: str, in_child: bool) -> None:
    """The moments are those at which a library has come into the process's memory."""
    mark, out = str(tmp_path), tmp_path / "a" / "out"
    arguments = ("--target", target, "--input", "1x3x512x1024", "--verify", "-o", str(out))
    with start("compile", STUDENT, *arguments, ARCHDSL_TEST_MARK=mark) as process:
        while not any(library in maps(each) for each in (children(process.pid) if in_child else [process.pid])):
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    # CPython may die of the signal after all was said and done, if the interrupt came within an `exec` of a string;
    # a shell shows 130 for both.
    assert process.returncode in (130, -signal.SIGINT)
    assert "interrupted; partial output was removed" in said
    assert list(tmp_path.iterdir()) == []
    assert list(marked(mark)) == []


def maps(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/maps").read_text()
    return ""


def children(process: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def marked(mark: str) -> Iterator[int]:
    """Every process that was started with this mark, or by one that was."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"ARCHDSL_TEST_MARK={mark}".encode() in (folder / "environ").read_bytes():
                yield int(folder.name)
