"""Augmentation: image and label stay together, chance comes from the generator alone, edges are what they should be.

Legend of shape suffixes: B images, 3 colours, H height, W width.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from archdsl.data.augment import augment, normalise
from archdsl.data.model import IGNORE
from archdsl.settings.trainings import Augmentation, Colour, Crop, Flip, Scale

MEAN = (0.485, 0.456, 0.406)
SIZE = (40, 64)


def coded(images: int = 4) -> tuple[Tensor, Tensor]:
    """Images that say at each pixel, in red and green, which row and column it is; labels say the row, modulo 8."""
    row, column = torch.arange(SIZE[0])[:, None].expand(SIZE), torch.arange(SIZE[1])[None].expand(SIZE)
    image_3HW = torch.stack([4 * row, 3 * column, 0 * row]).byte()
    label_HW = (row // 5 * 10 + column // 8).byte()
    return image_3HW.expand(images, -1, -1, -1).contiguous(), label_HW.expand(images, -1, -1).contiguous()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def run(steps: tuple[Augmentation, ...], *, seed: int = 0, size: tuple[int, int] = SIZE) -> tuple[Tensor, Tensor]:
    return augment(*coded(), steps, size=size, generator=seeded(seed))


@settings(max_examples=40)
@given(
    st.integers(0, 10_000),
    st.permutations([Flip(), Scale(0.5, 2.0), Crop((24, 32))]),
    st.sampled_from([(), (Flip(),), (Scale(0.75, 1.25),)]),
)
def test_the_label_of_a_pixel_is_that_of_the_place_that_its_colours_name(
    seed: int, steps: list[Augmentation], more: tuple[Augmentation, ...]
) -> None:
    images_B3HW, labels_BHW = run((*more, *steps), seed=seed)
    row_BHW, column_BHW = images_B3HW[:, 0] / 4, images_B3HW[:, 1] / 3
    # Between pixels colours are mixtures: a place is where it says, give or take half a pixel.
    fits = torch.zeros_like(labels_BHW, dtype=torch.bool)
    for down in (-0.51, 0, 0.51):
        for right in (-0.51, 0, 0.51):
            row = (row_BHW + down).round().clamp(0, SIZE[0] - 1).long()
            column = (column_BHW + right).round().clamp(0, SIZE[1] - 1).long()
            fits |= labels_BHW == row // 5 * 10 + column // 8
    inside_BHW = labels_BHW != IGNORE

    assert inside_BHW.any()
    assert fits[inside_BHW].all()


def test_padding_is_the_mean_and_ignored_and_nothing_else_is() -> None:
    images_B3HW, labels_BHW = run((Scale(0.5, 0.5), Crop((40, 64)), Colour(0.5, 0.5, 0.5)))
    outside_BHW = labels_BHW == IGNORE
    padding = 255 * torch.tensor(MEAN)

    assert outside_BHW.float().mean() == pytest.approx(0.75)
    assert torch.equal(images_B3HW.permute(0, 2, 3, 1)[outside_BHW], padding.expand(int(outside_BHW.sum()), 3))
    assert normalise(images_B3HW, MEAN, (0.2, 0.2, 0.2)).permute(0, 2, 3, 1)[outside_BHW].abs().max() < 1e-5


def test_a_crop_keeps_pixels_as_they_are() -> None:
    images_B3HW, labels_BHW = run((Crop((16, 24)),))
    source_B3HW, source_BHW = coded()

    for image, label in zip(images_B3HW, labels_BHW, strict=True):
        row, column = round(float(image[0, 0, 0]) / 4), round(float(image[1, 0, 0]) / 3)
        window = (slice(row, row + 16), slice(column, column + 24))
        torch.testing.assert_close(image, source_B3HW[0][:, *window].float(), atol=0.01, rtol=0)
        assert torch.equal(label, source_BHW[0][window])


def test_crops_reach_every_place_and_flips_come_every_other_time() -> None:
    source_B3HW, source_BHW = coded(400)
    images_B3HW, _ = augment(source_B3HW, source_BHW, (Crop((36, 60)),), size=SIZE, generator=seeded())
    assert {round(float(red) / 4) for red in images_B3HW[:, 0, 0, 0]} == {0, 1, 2, 3, 4}
    assert {round(float(green) / 3) for green in images_B3HW[:, 1, 0, 0]} == {0, 1, 2, 3, 4}

    images_B3HW, labels_BHW = augment(source_B3HW, source_BHW, (Flip(),), size=SIZE, generator=seeded())
    mirrored = images_B3HW[:, 1, 0, 0] > 100
    assert 150 < int(mirrored.sum()) < 250
    assert torch.equal(labels_BHW[mirrored], source_BHW[mirrored].flip(2))
    assert torch.equal(labels_BHW[~mirrored], source_BHW[~mirrored])


def test_scaling_twice_as_large_shows_each_pixel_twice() -> None:
    _, labels_BHW = run((Scale(2.0, 2.0),), size=(80, 128))

    assert torch.equal(labels_BHW, coded()[1].repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_without_steps_nothing_changes() -> None:
    images_B3HW, labels_BHW = run(())

    torch.testing.assert_close(images_B3HW, coded()[0].float(), atol=0.01, rtol=0)
    assert torch.equal(labels_BHW, coded()[1])


def test_what_is_given_is_not_written_to() -> None:
    source_B3HW, source_BHW = coded()
    augment(source_B3HW, source_BHW, (Flip(), Colour(0.9, 0.9, 0.9)), size=SIZE, generator=seeded())

    assert torch.equal(source_B3HW, coded()[0])
    assert torch.equal(source_BHW, coded()[1])


def test_the_generator_alone_decides() -> None:
    steps = (Flip(), Scale(0.5, 2.0), Crop((24, 32)), Colour(0.2, 0.2, 0.2))
    torch.rand(5)  # torch's own generator is another one
    first, again, other = run(steps, seed=3), run(steps, seed=3), run(steps, seed=4)

    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first[1], other[1])


def test_each_image_of_a_batch_has_its_own_chance() -> None:
    _, labels_BHW = run((Scale(0.5, 2.0), Crop((24, 32))))

    assert len({bytes(label.numpy()) for label in labels_BHW}) == 4


def test_colours_change_by_factors_and_stay_colours() -> None:
    grey_B3HW = torch.full((200, 3, 4, 4), 100, dtype=torch.uint8)
    labels_BHW = torch.zeros(200, 4, 4, dtype=torch.uint8)

    def coloured(step: Colour, images_B3HW: Tensor) -> Tensor:
        return augment(images_B3HW, labels_BHW, (step,), size=(4, 4), generator=seeded())[0]

    bright_B3HW = coloured(Colour(brightness=0.4), grey_B3HW)
    assert 60 <= bright_B3HW.min() < 65
    assert 135 < bright_B3HW.max() <= 140
    # Contrast is about the middle, and saturation about grey: a grey surface has neither.
    for step in (Colour(contrast=0.5), Colour(saturation=0.5)):
        torch.testing.assert_close(coloured(step, grey_B3HW), grey_B3HW.float(), atol=0.01, rtol=0)
    red_B3HW = torch.tensor([200, 50, 50], dtype=torch.uint8)[:, None, None].expand(200, 3, 4, 4)
    vivid_B3HW = coloured(Colour(saturation=0.5), red_B3HW)
    spread_B = vivid_B3HW[:, 0, 0, 0] - vivid_B3HW[:, 1, 0, 0]
    assert 75 <= spread_B.min() < 85
    assert 215 < spread_B.max() <= 225.1
    wild_B3HW = coloured(Colour(1.0, 1.0, 1.0), red_B3HW)
    assert wild_B3HW.min() >= 0
    assert wild_B3HW.max() <= 255


def test_everything_happens_where_the_images_are() -> None:
    # The meta device computes shapes alone, and refuses to mix its tensors with others, as an accelerator does.
    source_B3HW, source_BHW = (each.to("meta") for each in coded())
    steps = (Flip(), Scale(0.5, 2.0), Crop((24, 32)), Colour(0.2, 0.2, 0.2))

    images_B3HW, labels_BHW = augment(source_B3HW, source_BHW, steps, size=SIZE, generator=seeded())
    ready_B3HW = normalise(images_B3HW, MEAN, MEAN)

    assert (images_B3HW.device.type, images_B3HW.shape) == ("meta", (4, 3, 24, 32))
    assert (labels_BHW.device.type, labels_BHW.shape) == ("meta", (4, 24, 32))
    assert ready_B3HW.device.type == "meta"


def test_classes_of_whole_images_stay_as_they_are() -> None:
    labels_B = torch.tensor([3, 1, 4, 1])

    images_B3HW, same_B = augment(coded()[0], labels_B, (Scale(1.0, 2.0), Crop()), size=(24, 24), generator=seeded())

    assert images_B3HW.shape == (4, 3, 24, 24)
    assert torch.equal(same_B, labels_B)


def test_normalised_images_have_mean_0_and_deviation_1() -> None:
    images_B3HW = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, 3, 2, 2)
    ready_B3HW = normalise(images_B3HW, (0.5, 0.25, 0.0), (0.5, 0.25, 1.0))

    assert ready_B3HW.dtype == torch.float32
    torch.testing.assert_close(ready_B3HW[:, :, 0, 0], torch.tensor([[-1.0, -1, 0], [1, 3, 1]]))
