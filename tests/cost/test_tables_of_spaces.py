"""The tables in spaces/tables: each has every row of its space at the size that it was filled for."""

from pathlib import Path
from typing import Final

import pytest

from archdsl.cost.estimate import estimate
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import read_table
from archdsl.measure.subjects import drawn
from archdsl.pipeline import load

SPACES: Final = Path(__file__).parents[2] / "spaces"
TABLES: Final = {
    "fasterseg_onnxruntime_epyc": ("fasterseg", (512, 1024)),
    "gas_onnxruntime_epyc": ("gas", (385, 769)),
}


def test_each_table_is_here() -> None:
    assert {path.stem for path in (SPACES / "tables").iterdir()} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_prices_any_network_of_its_space(name: str) -> None:
    space, size = TABLES[name]
    table = read_table(SPACES / "tables" / f"{name}.json")
    loaded = load(str(SPACES / f"{space}.arch"), size=size)
    assert table.missing(rows_of_space(loaded.program)) == ()
    assert table.measured is not None and table.measured.scale is not None
    assert table.measured.scale.error < 0.05
    for graph in drawn(loaded, 3, seed=7):
        assert estimate(graph, table).seconds > 0
