"""Batches: every example once, the same after a resume, and the same on any number of processes."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest
import torch

from archdsl.data import BadData, Batches, Held, Split, hold, split_indices
from archdsl.data.model import Example
from archdsl.settings.searches import GroupSplit, RandomSplit


def counted(count: int, size: tuple[int, int] = (4, 6)) -> Split:
    """Example i is all i."""

    def read(i: int) -> Example:
        return Example(np.full((*size, 3), i, dtype=np.uint8), np.full(size, i, dtype=np.uint8))

    return Split("train", tuple(f"n{i}" for i in range(count)), tuple(f"g{i % 5}" for i in range(count)), read)


def order(batches: Batches, epoch: int, start: int = 0) -> list[list[int]]:
    return [[int(i) for i in indices] for _, _, indices in batches.epoch(epoch, start)]


@pytest.fixture(params=["read", "held"])
def source(request: pytest.FixtureRequest) -> Split | Held:
    split = counted(23)
    return hold(split) if request.param == "held" else split


def test_images_and_labels_are_those_of_the_indices(source: Split | Held) -> None:
    for images, labels, indices in Batches(source, batch=4, seed=1).epoch(0):
        assert (images.shape, images.dtype) == ((4, 3, 4, 6), torch.uint8)
        assert (labels.shape, labels.dtype) == ((4, 4, 6), torch.uint8)
        assert torch.equal(images[:, 0, 0, 0].long(), indices)
        assert torch.equal(labels[:, 3, 5].long(), indices)


def test_an_epoch_has_every_example_once(source: Split | Held) -> None:
    batches = Batches(source, batch=4, seed=1, drop_last=False)

    assert sorted(i for batch in order(batches, 0) for i in batch) == list(range(23))
    assert len(batches) == len(order(batches, 0)) == 6
    assert len(Batches(source, batch=4, seed=1)) == len(order(Batches(source, batch=4, seed=1), 0)) == 5


def test_the_order_is_a_function_of_seed_and_epoch_alone(source: Split | Held) -> None:
    batches = Batches(source, batch=4, seed=1)
    late = order(batches, 7)
    order(batches, 0)

    assert order(Batches(source, batch=4, seed=1), 7) == late
    assert order(batches, 6) != late
    assert order(Batches(source, batch=4, seed=2), 7) != late


def test_an_epoch_goes_on_where_it_was_left(source: Split | Held) -> None:
    batches = Batches(source, batch=4, seed=1)

    assert order(batches, 3, start=2) == order(batches, 3)[2:]
    assert order(batches, 3, start=5) == []


@pytest.mark.parametrize("world", [2, 4])
def test_processes_together_see_what_one_sees(source: Split | Held, world: int) -> None:
    alone = order(Batches(source, batch=8, seed=1), 0)
    ranks = [order(Batches(source, batch=8 // world, seed=1, rank=rank, world=world), 0) for rank in range(world)]

    for joined, *parts in zip(alone, *ranks, strict=True):
        assert all(part == joined[rank::world] for rank, part in enumerate(parts))


def test_the_last_batch_is_shared_as_far_as_it_goes() -> None:
    ranks = [Batches(counted(9), batch=2, seed=0, rank=rank, world=2, drop_last=False) for rank in range(2)]

    assert [[len(batch) for batch in order(each, 0)] for each in ranks] == [[2, 2, 1], [2, 2]]
    assert [len(each) for each in ranks] == [3, 2]


def test_a_subset_gives_its_own_examples(source: Split | Held) -> None:
    found = order(Batches(source, batch=2, seed=0, subset=[3, 5, 20, 21]), 0)

    assert sorted(i for batch in found for i in batch) == [3, 5, 20, 21]


def test_too_few_examples_for_a_batch_are_said(source: Split | Held) -> None:
    with pytest.raises(BadData, match=r"gives 3 examples, too few for one batch of 8; take a smaller batch"):
        Batches(source, batch=4, seed=0, world=2, subset=[1, 2, 3])


def test_a_reader_that_is_left_early_leaves_no_threads() -> None:
    before = threading.active_count()
    reading = iter(Batches(counted(200), batch=2, seed=0).epoch(0))
    next(reading)
    del reading

    assert threading.active_count() == before


def test_what_goes_wrong_while_reading_ahead_arrives() -> None:
    def read(i: int) -> Example:
        raise BadData("train", [])

    split = Split("train", ("a", "b"), ("", ""), read)
    with pytest.raises(BadData):
        next(Batches(split, batch=1, seed=0).epoch(0))


def test_a_split_is_held_as_bytes() -> None:
    told: list[tuple[int, int]] = []
    held = hold(counted(5), lambda done, total: told.append((done, total)))

    assert torch.equal(held.images_N3HW[:, 2, 1, 1], torch.arange(5).byte())
    assert torch.equal(held.labels_NHW[:, 0, 0], torch.arange(5).byte())
    assert held.bytes == 5 * 4 * 6 * 4
    assert told == [(n, 5) for n in range(1, 6)]


def test_a_split_of_several_sizes_is_not_held() -> None:
    def read(i: int) -> Example:
        return Example(np.zeros((4, 4 + i, 3), dtype=np.uint8), np.zeros((4, 4 + i), dtype=np.uint8))

    with pytest.raises(BadData, match="`b` differs in size from the first; give a size"):
        hold(Split("train", ("a", "b"), ("", ""), read))


def test_a_random_split_shares_without_overlap() -> None:
    split = counted(100)
    weights, answers = split_indices(split, RandomSplit(Fraction(1, 2), Fraction(1, 4)), 0)

    assert (len(weights), len(answers)) == (50, 25)
    assert not set(weights) & set(answers)
    assert split_indices(split, RandomSplit(Fraction(1, 2), Fraction(1, 4)), 0) == (weights, answers)
    assert split_indices(split, RandomSplit(Fraction(1, 2), Fraction(1, 4)), 1) != (weights, answers)


def test_a_split_by_groups_keeps_groups_together() -> None:
    split = counted(23)
    weights, answers = split_indices(split, GroupSplit(3, 2), 0)
    groups = [{split.groups[i] for i in part} for part in (weights, answers)]

    assert sorted(weights + answers) == list(range(23))
    assert [len(each) for each in groups] == [3, 2]
    assert not groups[0] & groups[1]


@pytest.mark.parametrize(
    ("split", "by", "said"),
    [
        (counted(1), RandomSplit(Fraction(1, 2), Fraction(1, 2)), "has 1 examples, too few for 1/2 and 1/2 of them"),
        (counted(23), GroupSplit(9, 9), "names 5 groups, and the split asks for 9 and 9; write fewer"),
    ],
)
def test_a_split_that_cannot_be_made(split: Split, by: RandomSplit | GroupSplit, said: str) -> None:
    with pytest.raises(BadData, match=said):
        split_indices(split, by, 0)
