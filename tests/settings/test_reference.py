"""The reference of the language names every word that a setting can have."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest
from archdsl.sema.settings.losses import LOSSES
from archdsl.sema.settings.optimizers import OPTIMIZERS
from archdsl.sema.settings.schedules import SCHEDULES

from archdsl.sema.settings.searches import PHASE_ONLY
from archdsl.sema.settings.trainings import AUGMENTATIONS, DATA
from archdsl.settings.costs import Unit
from archdsl.settings.losses import ClassWeights, Direction, Heads, Mean
from archdsl.settings.relaxations import KeepBy, Method
from archdsl.settings.searches import Order, ReasoningGraph

REFERENCE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[a-z_]+", REFERENCE.partition("## Searches, costs, trainings")[2]))
ENUMERATIONS: tuple[type[StrEnum], ...] = (
    Unit,
    ClassWeights,
    Direction,
    Heads,
    Mean,
    KeepBy,
    Method,
    Order,
    ReasoningGraph,
)


@pytest.mark.parametrize(
    "forms", [LOSSES, OPTIMIZERS, SCHEDULES, AUGMENTATIONS], ids=["loss", "optimizer", "schedule", "augment"]
)
def test_every_form_is_named(forms: dict[str, object]) -> None:
    assert set(forms) <= WORDS


@pytest.mark.parametrize("words", ENUMERATIONS, ids=lambda each: each.__name__)
def test_every_word_is_named(words: type[StrEnum]) -> None:
    assert {each.value for each in words} <= WORDS


def test_every_line_of_a_phase_and_every_kind_of_data_is_named() -> None:
    assert set(PHASE_ONLY) <= WORDS
    assert set(DATA) <= WORDS
