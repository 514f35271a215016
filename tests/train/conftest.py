"""One short training, for all tests that use a trained network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.small import write_text

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on small streets; its text lies beside it."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = ["train", str(write_text(folder)), "--data", "streets", "--size", "32x64", "--out", str(folder / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "archdsl", *arguments, "--iterations", "12", "--batch", "4", "--device", "cpu"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"
