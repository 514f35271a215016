"""Sizes as papers give them, beside the exact count."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.pipeline import load
from archdsl.space.nominal_size import by_operators, every_question

ROOT = Path(__file__).parents[2]


def test_fasterseg_as_its_paper_counts() -> None:
    found = by_operators(load(str(ROOT / "spaces" / "fasterseg.arch")).program)
    assert found is not None
    assert str(found) == "21^42 * 5^3"
    assert found.count == (1 + 4 * 5) ** (15 + 14 + 13) * 5**3


@pytest.mark.parametrize(
    ("target", "formula", "count"),
    [
        ("spaces/gas.arch", "8^70", 8**70),
        ("spaces/cas.arch:cas", "21 * 15 * 11^18 * 10^28 * 6^3 * 3^3", (18 * 11**6) ** 2 * 56_700 * 11**6 * 10**27),
        ("spaces/nasbench201.arch", "5^6", 5**6),
    ],
)
def test_one_answer_to_each_question(target: str, formula: str, count: int) -> None:
    """CAS asks for an op on all 9 + 9 + 27 edges, of which 6 + 6 + 12 are kept."""
    program = load(str(ROOT / target)).program
    found = every_question(program)
    assert (str(found), found.count) == (formula, count)
    assert by_operators(program) is None
