"""What is timed: each row of a network as a network of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.cost.rows import rows_of
from archdsl.measure.subjects import graph_of
from archdsl.pipeline import load

PUBLISHED = Path(__file__).parents[1] / "texts" / "published"


@pytest.mark.parametrize("page", sorted(PUBLISHED.glob("*.arch")), ids=lambda page: page.stem)
def test_the_network_of_a_row_has_that_row_alone(page: Path) -> None:
    """Also where it crops its map, as no network may do at its end."""
    for row in rows_of(load(str(page)).network()):
        assert rows_of(graph_of(row)) == (row,)
