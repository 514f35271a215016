"""Broken input of each kind of `benchmarks.fuzz`, a few cases: none is a finding, and the same seed gives the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.fuzz.kinds import KINDS
from benchmarks.fuzz.work import random_of

ROOT = Path(__file__).parents[2]
QUICK = {"texts": 30, "projects": 60, "tables": 60}
"""Those that need no torch, and so many cases of them."""


def fuzzed(name: str, count: int, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.fuzz", "--kind", name, "--count", str(count), "--out", str(out)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", QUICK)
def test_no_case_is_a_finding(name: str, tmp_path: Path) -> None:
    done = fuzzed(name, QUICK[name], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{QUICK[name]} cases: " in done.stdout
    assert "findings: 0" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KINDS.keys() - QUICK.keys()))
def test_no_case_that_needs_torch_is_a_finding(name: str, tmp_path: Path) -> None:
    done = fuzzed(name, 25, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "findings: 0" in done.stdout


def test_a_seed_gives_the_same_cases(tmp_path: Path) -> None:
    for name in ("texts", "projects"):
        kind = KINDS[name](tmp_path / name)
        for number in range(5):
            written: list[dict[str, bytes]] = []
            for place in (tmp_path / f"{name}{number}a", tmp_path / f"{name}{number}b"):
                place.mkdir()
                case = kind.make(random_of(number, 7), place)
                assert case.how
                files = [file for file in sorted(place.rglob("*")) if file.is_file() and not file.is_symlink()]
                written.append({str(file.relative_to(place)): file.read_bytes() for file in files})
            assert written[0] == written[1]
