"""Sheets of examples: whatever names and sizes are, there is a picture of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archdsl.cli.main import run
from archdsl.data import Classes, Example
from archdsl.data.sheet import sheet, short
from tests.data import folders

TWO = ((255, 0, 0), (0, 255, 0))


def example(height: int, width: int) -> Example:
    return Example(np.zeros((height, width, 3), dtype=np.uint8), np.zeros((height, width), dtype=np.uint8))


@pytest.mark.parametrize("name", ["a" * 1_000_000, "two\nlines", "\x1b[2J", "\udcff", "", "雪"])
def test_any_name_can_be_drawn(name: str) -> None:
    page = sheet([(name, example(32, 64))], Classes((name, "other"), TWO))

    assert page.width < 1000 and page.height < 200
    assert len(short(name)) <= 60 and short(name).isprintable()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 20_000), (20_000, 1)])
def test_any_size_can_be_drawn(height: int, width: int) -> None:
    page = sheet([("a", example(height, width))], Classes(("a", "b"), TWO))

    assert page.width < 1000 and page.height < 3000


def test_a_sheet_that_is_too_tall_for_a_jpeg_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(260):
        path = folders.picture(tmp_path / "data" / "train" / f"a_{number}.png", size=(1, 1))
        Image.new("RGB", (8, 600)).save(path)
        folders.numbers(tmp_path / "data" / "trainannot" / f"a_{number}.png", [number % 11], size=(600, 8))

    show = ["data", "show", f"camvid:{tmp_path / 'data'}", "--count", "260", "-o"]
    assert run([*show, str(tmp_path / "sheet.jpg")]) == 2
    assert "taller than a JPEG can be: write a .png, or fewer examples with `--count`" in capsys.readouterr().err
    assert run([*show, str(tmp_path / "sheet.png")]) == 0
