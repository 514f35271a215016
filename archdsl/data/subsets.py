"""Splits training data in two, for bilevel searches: weights and architecture parameters."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from archdsl.data.model import Split
from archdsl.data.problems import BadData, Problem
from archdsl.settings.searches import GroupSplit, RandomSplit
from archdsl.settings.searches import Split as Rule


def split_indices(split: Split, by: Rule, seed: int) -> tuple[list[int], list[int]]:
    """The examples for the weights and for the architecture parameters: disjoint, neither empty.

    Raises BadData where the split has too few examples or groups.
    """
    match by:
        case RandomSplit():
            return _random(split, by, seed)
        case GroupSplit():
            return _groups(split, by, seed)
        case _:
            assert_never(by)


def _random(split: Split, by: RandomSplit, seed: int) -> tuple[list[int], list[int]]:
    weights, answers = int(by.weights * len(split)), int(by.answers * len(split))
    if not weights or not answers:
        what = f"`{split.name}` has {len(split)} examples, too few for {by.weights} and {by.answers} of them"
        raise BadData(split.name, [Problem("", what, "take more data")])
    order = _order(len(split), seed)
    return sorted(order[:weights]), sorted(order[weights : weights + answers])


def _groups(split: Split, by: GroupSplit, seed: int) -> tuple[list[int], list[int]]:
    groups = sorted(set(split.groups) - {""})
    if by.weights + by.answers > len(groups):
        what = f"`{split.name}` names {len(groups)} groups, and the split asks for {by.weights} and {by.answers}"
        help_ = "write fewer" if len(groups) > 1 else "write `split = random(weights = 1 / 2, answers = 1 / 2)`"
        raise BadData(split.name, [Problem("", what, help_)])
    order = [groups[i] for i in _order(len(groups), seed)]
    weights, answers = set(order[: by.weights]), set(order[by.weights : by.weights + by.answers])
    members = list(enumerate(split.groups))
    return [i for i, group in members if group in weights], [i for i, group in members if group in answers]


def _order(count: int, seed: int) -> list[int]:
    return [int(i) for i in np.random.default_rng(seed).permutation(np.arange(count))]
