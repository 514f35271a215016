"""How a strategy and those who evaluate for it talk."""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import Random
from typing import TypeAlias

from archdsl.search.baselines.members import Members
from archdsl.space.trace import Answers

Evaluate: TypeAlias = "Callable[[Answers], float]"
"""The accuracy of a genotype; more is better."""
Proposals: TypeAlias = "Generator[Answers, float, None]"
"""Yields one genotype after the other, without end, and is sent the accuracy of each."""
Strategy: TypeAlias = "Callable[[Members, int], Proposals]"
"""What a strategy proposes of some genotypes, by a seed.

Random numbers depend on the seed and on how many genotypes were proposed before: whoever sends the accuracies that a
journal has gets the same genotypes again, and goes on behind them.
"""


def random_of(seed: int, number: int) -> Random:
    """The random numbers for one proposal, from 0."""
    return Random(f"{seed}:{number}")
