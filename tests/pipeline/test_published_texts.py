"""Published networks as texts, a page each: `tests/texts/published`. Their ops stand in the packaged library `zoo`.

`figures.csv` beside them says what `stats` has to count of each at the size of its text. `published_macs` is what its
authors' code counts, exactly or rounded to the billions that were published; it is empty where only a part of the
network was counted. Of STDC1 that is its features, 752,614,912, without the classifier behind them. `macs_of_layers`
are those without products of matrices, which most counters leave out.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from archdsl.fmt import format_source
from archdsl.pipeline import load
from archdsl.pipeline.stats import network_stats
from archdsl.text import SourceFile
from tests.pipeline.test_parity import TOLERANCE, of_file, of_module, of_onnx

FOLDER = Path(__file__).parents[1] / "texts/published"
SMALL = (64, 64)
SIZES = {"pidnet_m": (512, 512), "pidnet_s": (512, 512), "vit_b16": (224, 224)}
"""Every other network reads images of the small size too."""
TOLERANCES = {"pidnet_m": 1e-3, "pidnet_s": 1e-3}
"""Gates of sums over channels are steep under random weights: in 64 bits PIDNet's logits differ by 2e-4."""
QUICK = {"convnext_t", "efficientvit_seg_b0", "segformer_b0", "shufflenetv2_1_0", "squeezenet1_1"}


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    params: int
    params_training: int
    macs: int
    macs_of_layers: int
    published_macs: str
    size: tuple[int, int] | None
    """Of the image; None for that of the text."""

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.text}.arch"


def rows() -> list[Row]:
    with (FOLDER / "figures.csv").open(encoding="utf-8", newline="") as file:
        return [
            Row(
                each["text"],
                int(each["params"]),
                int(each["params_training"]),
                int(each["macs"]),
                int(each["macs_of_layers"]),
                each["published_macs"],
                _size(each["size"]),
            )
            for each in csv.DictReader(file)
        ]


def _size(written: str) -> tuple[int, int] | None:
    if not written:
        return None
    height, width = written.split("x")
    return int(height), int(width)


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_a_text_has_the_figures_of_its_network(row: Row) -> None:
    found = network_stats(load(str(row.file), size=row.size))
    assert (found.params, found.params_training) == (row.params, row.params_training)
    assert (found.macs, found.macs_of_layers) == (row.macs, row.macs_of_layers)


@pytest.mark.parametrize("row", [row for row in ROWS if row.published_macs], ids=lambda row: row.text)
def test_its_multiply_adds_are_those_that_were_published(row: Row) -> None:
    published = Decimal(row.published_macs)
    counted = row.macs if published == int(published) else (Decimal(row.macs) / 10**9).quantize(published)
    assert counted == published


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_a_text_is_canonical(row: Row) -> None:
    text = row.file.read_text(encoding="utf-8")
    assert format_source(SourceFile(row.file.name, text)).text == text


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=() if row.text in QUICK else pytest.mark.slow, id=row.text) for row in ROWS]
)
def test_module_file_and_onnx_agree(row: Row, tmp_path: Path) -> None:
    size = SIZES.get(row.text, SMALL)
    graph = load(str(row.file), size=size).network()
    x_BCHW = np.random.default_rng(0).normal(size=(1, 3, *size)).astype(np.float32)
    expected = of_module(graph, x_BCHW)
    assert expected
    for found in (of_file(graph, x_BCHW, tmp_path), of_onnx(graph, x_BCHW, tmp_path)):
        for output, same in zip(expected, found, strict=True):
            assert output.shape == same.shape
            largest = np.abs(output).max()
            assert largest > 0
            assert np.abs(output - same).max() <= TOLERANCES.get(row.text, TOLERANCE) * largest
