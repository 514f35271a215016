"""What a command does not load: import-linter sees imports as they are written, this sees them as they happen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDENT = "spaces/genotypes/fasterseg_student.arch"
TEACHER = "spaces/genotypes/fasterseg_teacher.arch"
LOGITS = "spaces/logits/fasterseg_student.json"
HEAVY = {"torch", "onnx", "onnxruntime", "tensorrt_rtx", "tensorrt"}


def loaded(*arguments: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    program = f"""
import sys
from archdsl.cli.main import run

code = run({list(arguments)!r})
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", STUDENT),
        ("fmt", "--check", STUDENT),
        ("show", STUDENT),
        ("stats", STUDENT),
        ("diff", STUDENT, TEACHER),
        ("derive", "spaces/fasterseg.arch", "--logits", LOGITS, "--ends", "a=16,b=32"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_reading_texts_needs_no_compiler(arguments: tuple[str, ...]) -> None:
    assert not HEAVY & loaded(*arguments)


def test_drawing_needs_no_compiler(tmp_path: Path) -> None:
    assert not HEAVY & loaded("draw", STUDENT, "-o", str(tmp_path / "student.svg"))


@pytest.mark.parametrize("arguments", [("check", STUDENT), ("fmt", "--check", STUDENT)], ids=["check", "fmt"])
def test_checking_and_formatting_start_fast(arguments: tuple[str, ...]) -> None:
    assert not {"networkx", "numpy", "pydantic", "rich"} & loaded(*arguments)


def test_what_can_be_compiled_to_is_known_without_what_that_needs() -> None:
    assert not (HEAVY | {"numpy", "pydantic"}) & loaded("compile", "--help")


def test_onnx_is_written_without_torch(tmp_path: Path) -> None:
    modules = loaded("compile", STUDENT, "--target", "onnx", "-o", str(tmp_path / "student.onnx"))

    assert "torch" not in modules
