"""The published network and its space, loaded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from archdsl.pipeline import Loaded, load

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "spaces" / "fasterseg.arch"
STUDENT = ROOT / "spaces" / "genotypes" / "fasterseg_student.arch"
TEACHER = ROOT / "spaces" / "genotypes" / "fasterseg_teacher.arch"


@cache
def loaded(path: Path) -> Loaded:
    return load(str(path))
