"""No test depends on how fast the machine is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TESTS: Final = Path(__file__).resolve().parents[1]
PROFILE: Final = TESTS / "conftest.py"
TIMED: Final = {"deadline", "suppress_health_check"}
"""Settings of hypothesis that look at the clock: a list of health checks replaces the one of the profile."""


@given(st.builds(settings))
def test_the_profile_looks_at_no_clock(used: settings) -> None:
    assert used.deadline is None
    assert HealthCheck.too_slow in used.suppress_health_check


def _timed(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.keyword(arg=str(name)) if name in TIMED:
                yield f"{file.relative_to(TESTS)}:{node.lineno}: {name}"
            case _:
                pass


def test_only_the_profile_speaks_of_time() -> None:
    files = [file for file in TESTS.rglob("*.py") if file not in (PROFILE, Path(__file__).resolve())]

    assert [line for file in files for line in _timed(file)] == []
    assert {line.rpartition(": ")[2] for line in _timed(PROFILE)} == TIMED
