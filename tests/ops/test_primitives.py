"""The rules of every primitive say what torch does."""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from archdsl.nets.layers import layer
from archdsl.ops import Primitive, Shape
from archdsl.ops.bind import show
from archdsl.ops.primitives import PRIMITIVES
from tests.primitive_cases import CASES, Case

REFERENCE = (Path(__file__).parents[2] / "docs/language.md").read_text(encoding="utf-8")


def tensors(case: Case) -> list[torch.Tensor]:
    return [torch.randn(2, int(str(c)), h, w) for c, h, w in case.maps]


def module(case: Case) -> torch.nn.Module:
    return layer(case.primitive, case.attributes, case.maps, "cell.layer").eval()


def test_every_primitive_has_cases() -> None:
    assert CASES.keys() == PRIMITIVES.keys()


@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=lambda primitive: primitive.name)
def test_the_reference_has_every_primitive_with_its_parameters(primitive: Primitive) -> None:
    rows = [line.split(" | ") for line in REFERENCE.splitlines() if line.startswith(f"| `{primitive.name}` |")]
    named = [
        f"`{each.name}`" if each.required or each.default is None else f"`{each.name} = {show(each.default)}`"
        for each in primitive.parameters
    ]
    assert [(row[1], row[2].removesuffix(" |")) for row in rows] == [(", ".join(named), primitive.summary)]


@pytest.mark.parametrize("primitive", CASES)
@given(data=st.data())
@settings(max_examples=60)
def test_shape_is_that_of_torch(primitive: str, data: st.DataObject) -> None:
    case = data.draw(CASES[primitive])
    y = module(case)(*tensors(case))
    assert Shape(*y.shape[1:]) == case.result


@pytest.mark.parametrize("primitive", ["conv", "dwconv", "conv_transpose", "linear", "bn"])
@given(data=st.data())
@settings(max_examples=40)
def test_weights_are_those_of_torch(primitive: str, data: st.DataObject) -> None:
    case = data.draw(CASES[primitive])
    weights = PRIMITIVES[primitive].weights(case.maps, case.attributes)
    found = module(case)
    own = {name: tuple(tensor.shape) for name, tensor in found.state_dict().items() if name != "num_batches_tracked"}
    assert {weight.name: weight.shape for weight in weights} == own
    assert {weight.name for weight in weights if weight.trained} == {name for name, _ in found.named_parameters()}
    counted = sum(prod(int(str(n)) for n in weight.shape) for weight in weights if weight.trained)
    assert counted == sum(parameter.numel() for parameter in found.parameters())


@pytest.mark.parametrize("primitive", CASES)
@given(data=st.data())
@settings(max_examples=25)
def test_macs_are_half_of_the_flops_that_torch_counts(primitive: str, data: st.DataObject) -> None:
    case = data.draw(CASES[primitive])
    maps = [map_[:1] for map_ in tensors(case)]
    with FlopCounterMode(display=False) as counter:
        module(case)(*maps)
    assert 2 * PRIMITIVES[primitive].macs(case.maps, case.result, case.attributes) == counter.get_total_flops()


@pytest.mark.parametrize("primitive", CASES)
@given(data=st.data())
@settings(max_examples=25)
def test_a_size_that_the_scale_divides_comes_out_whole(primitive: str, data: st.DataObject) -> None:
    case = data.draw(CASES[primitive])
    scale = PRIMITIVES[primitive].scale(case.attributes)
    if (
        primitive == "crop"
        or PRIMITIVES[primitive].traits.spreads
        or scale is None
        or isinstance(case.attributes.get("pad"), tuple)
    ):
        return
    for length, factor, made in zip(case.maps[0].size, scale, case.result.size, strict=True):
        assert made == length * factor or (length * factor).denominator != 1
