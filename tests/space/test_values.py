"""Which maps depend on the image: by traces as by graphs, and what stands between."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from archdsl.cost.graph_passes import depending_on_images as by_graph
from archdsl.ir import closed
from archdsl.pipeline import load
from archdsl.space import Apply, Result
from archdsl.space.count import Census
from archdsl.space.trace import trace
from archdsl.space.values import cuts, depending_on_images

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", range(4))
def test_zeros_stand_between_an_image_and_what_does_not_depend_on_it(seed: int) -> None:
    program = load(str(ROOT / "spaces/nasbench201.arch"), overrides={"cells": "1"}).program
    census, random = Census(program), Random(seed)
    found: set[bool] = set()
    for _ in range(10):
        answers = {
            path: ("none",) if random.random() < 0.7 else answer for path, answer in census.sample(random).items()
        }
        traced = trace(program, answers)
        (end,) = [key for key, each in traced.computed.items() if isinstance(each.payload, Result)]
        graph = closed(program, traced, "net")
        depends = not by_graph(graph).isdisjoint(graph.results)
        assert depends == (end in depending_on_images(traced))
        zeros = cuts(traced, end)
        assert depends == (not zeros)
        for zero in zeros:
            payload = traced.computed[zero].payload
            assert isinstance(payload, Apply) and payload.primitive == "zero"
            assert not depending_on_images(traced).isdisjoint(traced.computed[zero].inputs)
        found.add(depends)
    assert found == {True, False}
