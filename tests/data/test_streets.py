"""Drawn streets: the same everywhere and always, never the same twice, and not to be guessed from colour and place."""

from __future__ import annotations

import numpy as np
import pytest

from archdsl.data import hold, open_data
from archdsl.data.sheet import overlay
from archdsl.data.streets import CLASSES
from archdsl.data.streets.canvas import Label
from benchmarks.streets import best_table, ious, predicted, trained

SMALL = (48, 96)


def test_scenes_follow_from_seed_and_number_whatever_the_count() -> None:
    few, many = (open_data("streets", size=SMALL, count=count).splits["train"] for count in (3, 50))
    other = open_data("streets", size=SMALL, count=3, seed=1).splits["train"]

    for i in (2, 0, 1):
        assert np.array_equal(few.read(i).image, many.read(i).image)
        assert np.array_equal(few.read(i).label, many.read(i).label)
        assert not np.array_equal(few.read(i).label, other.read(i).label)


def test_splits_and_scenes_differ() -> None:
    data = open_data("streets", size=SMALL, count=8)
    scenes = [split.read(i).image.tobytes() for split in data.splits.values() for i in range(2)]

    assert len(set(scenes)) == 6
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 8, "val": 2, "test": 2}


def test_districts_are_groups_and_no_split_shares_one() -> None:
    groups = [set(split.groups) for split in open_data("streets", count=100).splits.values()]

    assert [len(each) for each in groups] == [18, 6, 6]
    assert len({district for each in groups for district in each}) == 30


def test_every_class_is_there_and_none_has_no_pixels() -> None:
    split = open_data("streets", size=SMALL, count=60).splits["train"]
    shares = np.bincount(np.stack([split.read(i).label for i in range(60)]).ravel(), minlength=256) / (60 * 48 * 96)

    assert len(CLASSES.names) == len(CLASSES.colours) == len(Label)
    assert [label.name.lower() for label in Label] == list(CLASSES.names)
    assert (shares[: len(Label)] > 0.002).all()
    assert shares[len(Label) :].sum() == 0


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7), (64, 128)])
def test_scenes_have_the_size_that_is_asked_for(size: tuple[int, int]) -> None:
    example = open_data("streets", size=size, count=1).splits["train"].read(0)

    assert example.image.shape == (*size, 3)
    assert example.label.shape == size


def test_a_label_is_seen_over_its_image() -> None:
    example = open_data("streets", size=SMALL, count=1).splits["train"].read(0)
    label = example.label.astype(np.uint8)
    label[:5] = 255
    seen = overlay(example.image, label, CLASSES)

    expected = 0.55 * np.array(CLASSES.colours)[label[-1]] + 0.45 * example.image[-1]
    assert np.abs(seen[-1] - expected).max() <= 1
    assert np.abs(seen[0] - 0.45 * example.image[0]).max() <= 1


@pytest.mark.slow
def test_colour_and_place_are_worth_less_than_half_of_a_small_network() -> None:
    data = open_data("streets", size=(96, 192), count=384)
    train, val = hold(data.splits["train"]), hold(data.splits["val"])

    _, by_table = best_table(train, val)
    by_network = ious(predicted(trained(train, cpu_s=60), val), val)

    assert float(by_table.nanmean()) < 0.5 * float(by_network.nanmean())
