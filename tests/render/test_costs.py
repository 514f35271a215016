"""Pictures that are coloured by costs: their shares are those of the network, and all are read."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from archdsl.cost.node_costs import Counted, NodeCosts
from archdsl.render import NotApart, Picture, draw, render
from archdsl.render.model.picture import PAPER, TINT, Text
from archdsl.render.views.shares import SCALE
from archdsl.settings.costs import Unit
from tests.render.items import HYPER_ANSWERED, STUDENT, TEACHER, TEXTS, counts, loaded

CHAIN = f"{TEXTS / 'chain.arch'}:chain12_mixed"
GRIDS = f"{TEXTS / 'two_grids.arch'}:two_grids_short"
NETWORKS = [STUDENT, TEACHER, HYPER_ANSWERED, CHAIN, GRIDS]
CELLS = [
    (STUDENT, "refined"),
    (STUDENT, "zoomed_conv3x3_x2"),
    (STUDENT, "stem"),
    (STUDENT, "logits"),
    (HYPER_ANSWERED, "normal@h2"),
    (HYPER_ANSWERED, "aggregation"),
    (HYPER_ANSWERED, "h2"),
    (CHAIN, "trunk"),
]
PERCENT = re.compile(r"(?:(?P<times>\d+) × )?(?P<amount>[\d.,]+)(?: (?P<unit>[kMG]))?\b.*, (?P<share>[\d.]+) %")
UNITS = {None: 1, "k": 1e3, "M": 1e6, "G": 1e9}


def labels(picture: Picture) -> list[tuple[str, tuple[Text, ...]]]:
    """The fill and the text of everything in a picture, without its legend."""
    boxes = [(box.fill, box.label) for box in picture.boxes if not box.name.startswith("legend")]
    return boxes + [(line.fill, line.label) for line in picture.lines]


def amounts(picture: Picture) -> list[tuple[float, float, str]]:
    """What each part costs, its share, and its fill."""
    found: list[tuple[float, float, str]] = []
    for fill, label in labels(picture):
        for match in filter(None, (PERCENT.fullmatch(line.text) for line in label)):
            amount = float(match["amount"].replace(",", "")) * UNITS[match["unit"]] * int(match["times"] or 1)
            found.append((amount, float(match["share"]) / 100, fill))
    return found


def assert_adds_up(picture: Picture, total: float) -> None:
    """As far as three digits go."""
    found = amounts(picture)
    assert sum(amount for amount, _, _ in found) == pytest.approx(total, rel=0.006)
    assert sum(share for _, share, _ in found) == pytest.approx(1, abs=0.006 * len(found))


@pytest.mark.parametrize("what", list(Counted))
@pytest.mark.parametrize("path", NETWORKS, ids=str)
def test_the_shares_of_a_network_sum_to_one(path: str, what: Counted) -> None:
    item = loaded(path)
    costs = counts(item, what)
    assert_adds_up(draw(item, costs=costs), costs.total)


@pytest.mark.parametrize(("path", "cell"), CELLS, ids=str)
def test_the_shares_of_a_cell_sum_to_one(path: str, cell: str) -> None:
    item = loaded(path)
    picture = draw(item, cell=cell, costs=counts(item, Counted.ACTIVATIONS))
    heading = " ".join(line.text for line in picture.heading)
    total = re.search(r"colour: share of the ([\d.]+) ([kMG]) activations", heading)
    assert total is not None
    assert_adds_up(picture, float(total[1]) * UNITS[total[2]])


def test_a_darker_colour_is_a_larger_share() -> None:
    item = loaded(STUDENT)
    order = [step.swatch.fill for step in SCALE]
    found = sorted((share, order.index(fill)) for _, share, fill in amounts(draw(item, costs=counts(item))))
    assert all(one[1] <= other[1] for one, other in pairwise(found))
    assert found[0][1] < found[-1][1]


def test_what_costs_nothing_has_no_colour() -> None:
    item = loaded(STUDENT)
    boxes = {box.name: box for box in draw(item, costs=counts(item)).boxes}
    assert boxes["deep"].fill == PAPER, "an auxiliary head is not there at inference"
    coloured = draw(item, cell="refined", costs=counts(item))
    assert {box.fill for box in coloured.boxes if box.label[0].text == "in"} == {TINT}


def test_times_are_those_of_whole_ops() -> None:
    item = loaded(STUDENT)
    costs = NodeCosts(dict.fromkeys(item.network(), 0.5), Unit.MS)
    assert any(share for _, share, _ in amounts(draw(item, cell="refined", costs=costs)))
    with pytest.raises(NotApart, match="one row of a cost table"):
        draw(item, cell="zoomed_conv3x3_x2", costs=costs)


def test_the_scale_is_read_without_hues_and_so_are_its_letters() -> None:
    """Lightness falls evenly; letters have the contrast that WCAG 2 asks of small text, 4.5 to 1."""
    light = [_luminance(step.swatch.fill) for step in SCALE]
    steps = [one ** (1 / 3) - other ** (1 / 3) for one, other in pairwise(light)]
    assert min(steps) > 0.5 * sum(steps) / len(steps)
    for step in SCALE:
        one, other = sorted((_luminance(step.swatch.fill), _luminance(step.swatch.ink)))
        assert (other + 0.05) / (one + 0.05) >= 4.5, step


def _luminance(colour: str) -> float:
    """WCAG 2, relative luminance of `#rrggbb`."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_legend_says_from_which_amount_a_colour_is_used() -> None:
    item = loaded(STUDENT)
    for picture in (draw(item, costs=counts(item)), draw(item, cell="refined", costs=counts(item))):
        dot = render(picture, "dot").decode()
        assert all(step.swatch.fill in dot for step in SCALE)
        assert "from 10 %" in dot
    assert "2.78 G" in render(draw(item, costs=counts(item)), "dot").decode()
