"""One short training, for all tests that use a trained network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.train.commands import finished
from tests.train.small import write_text


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on small streets; its text lies beside it."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = ["train", str(write_text(folder)), "--data", "streets", "--size", "32x64", "--out", str(folder / "run")]
    length = ["--iterations", "12", "--batch", "4", "--device", "cpu"]
    done = finished([sys.executable, "-m", "archdsl", *arguments, *length])
    assert done.returncode == 0, done.stderr
    return folder / "run"
