"""What somebody does first: a clone, and `make demo` with nothing else done before."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MADE = (
    "fasterseg_student/fasterseg_student.py",
    "fasterseg_student/fasterseg_student.onnx",
    "fasterseg_student/fasterseg_student.rtx.plan",
    "fasterseg_student/fasterseg_student.svg",
    "fasterseg_student/fasterseg_student.png",
    "fasterseg_student/fp16/fasterseg_student.rtx.plan",
    "fasterseg_student/teacher_to_student.svg",
    "fasterseg_student/teacher_to_student.txt",
    "fasterseg_small/fasterseg_small.onnx",
    "fasterseg_small/labelled.png",
    "fasterseg_small/predicted/val_00000.png",
)


@pytest.mark.slow
def test_demo_in_a_fresh_clone(tmp_path: Path) -> None:
    """Makes a virtual environment, so it needs what `pip` needs."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    bare = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "PHOTO")}

    subprocess.run(["make", "demo", "CAMVID="], cwd=clone, env=bare, check=True, stdin=subprocess.DEVNULL, timeout=1800)

    assert [name for name in MADE if not (clone / "compiled" / name).is_file()] == []
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, check=True, capture_output=True, text=True)
    tracked = [line for line in status.stdout.splitlines() if not line.startswith("?? compiled/")]
    assert tracked == []
