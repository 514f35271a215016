"""The estimate of a step, against what torch counts."""

from collections.abc import Mapping
from typing import Final

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.nets.supernet import Decisions, Supernet, resizing
from archdsl.relax.estimate import Estimate, Pass, estimate
from archdsl.relax.plan import keeping, planned
from archdsl.space import QuestionKind
from archdsl.train.typed_torch import backward

BATCH: Final = 2
SPACES: Final = {
    "spaces/gas.arch": (65, 129),
    "spaces/fasterseg.arch": (64, 128),
    "spaces/nasbench201.arch": (32, 32),
    "spaces/ofa_mobilenetv3.arch": (64, 64),
}
DENSE: Final = ("spaces/fasterseg.arch", "spaces/nasbench201.arch")
"""Without depthwise convolutions: of their weights' gradients torch's counter counts every pair of channels."""


PLANS: Final = {name: (name, False) for name in SPACES} | {f"{name}, kept": (name, True) for name in DENSE}


@pytest.fixture(scope="module", params=PLANS.values(), ids=tuple(PLANS))
def space(request: pytest.FixtureRequest) -> tuple[str, Supernet, Estimate]:
    name, keep_maps = request.param
    overrides = {"layers": 8} if "fasterseg" in name else {}
    supernet = archdsl.supernet(name, size=SPACES[name], overrides=overrides, keep_maps=keep_maps)
    return name, supernet, estimate(supernet.relaxer, batch=BATCH, plan=keeping if keep_maps else planned)


def decisions(supernet: Supernet) -> Decisions:
    """Widths at their largest, all else mixed."""
    widths = {path for path, question in supernet.questions.items() if question.kind is QuestionKind.WIDTH}
    counts = {path: len(supernet.answers(path)) for path in supernet.questions if path not in widths}
    weights = {path: torch.full((count,), 1 / count, requires_grad=True) for path, count in counts.items()}
    return Decisions({path: (max(supernet.answers(path), key=int),) for path in widths}, weights)


def test_parameters_are_exact(space: tuple[str, Supernet, Estimate]) -> None:
    _, supernet, found = space
    assert found.tensors.trained == sum(each.numel() for each in supernet.parameters())
    assert found.tensors.statistics == sum(each.numel() for each in supernet.buffers())
    asked = supernet.questions
    assert found.tensors.logits == sum(len(supernet.answers(path)) for path in asked)
    assert found.tensors_bytes == sum(each.numel() * each.element_size() for each in supernet.state_dict().values())
    assert sum(part.params for part in found.parts) == found.tensors.trained


@pytest.mark.parametrize("trains", [True, False], ids=["weights", "answers"])
def test_a_step(space: tuple[str, Supernet, Estimate], trains: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Multiply-adds exactly, maps within a twentieth: a view of a map counts as a map of its own."""
    monkeypatch.setattr(resizing, "SMALL", 0)  # by torch's own kernels, of which nothing is counted
    name, supernet, found = space
    said: Pass = found.weights if trains else found.answers
    supernet.requires_grad_(trains)
    own = {each.untyped_storage().data_ptr() for each in supernet.state_dict().values()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        is_map = tensor.dim() == 4 and tensor.shape[0] == BATCH
        by_place = tensor.dim() == 2 and tensor.shape[0] % BATCH == 0  # as products of matrices read it
        if (is_map or by_place) and tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with FlopCounterMode(display=False) as counter:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs: Mapping[str, Tensor] = supernet.outputs(torch.randn(BATCH, 3, *SPACES[name]), decisions(supernet))
        assert counter.get_total_flops() == 2 * found.forward_macs
        kept_bytes = sum(each.untyped_storage().nbytes() for each in kept.values())
        backward(torch.stack([each.square().mean() for each in outputs.values()]).sum())
    assert said.maps_bytes == pytest.approx(kept_bytes, rel=0.05)
    if name in DENSE:
        assert counter.get_total_flops() == 2 * said.macs


def test_parts_add_up(space: tuple[str, Supernet, Estimate]) -> None:
    *_, found = space
    assert sum(part.macs for part in found.parts) == found.forward_macs
    assert sum(part.maps_bytes for part in found.parts) == found.weights.maps_bytes
    assert found.step_bytes == found.tensors_bytes + 2 * found.gradients_bytes + found.weights.maps_bytes


def test_a_step_of_answers_takes_less(space: tuple[str, Supernet, Estimate]) -> None:
    *_, found = space
    assert found.forward_macs < found.answers.macs < found.weights.macs < 4 * found.forward_macs
    assert found.answers.maps_bytes < found.weights.maps_bytes


def test_what_keeps_every_map_takes_more_memory_and_fewer_multiply_adds() -> None:
    relaxer = Supernet(archdsl.load("spaces/gas.arch", size=SPACES["spaces/gas.arch"]).space).relaxer
    again, kept = (estimate(relaxer, batch=BATCH, plan=plan).weights for plan in (planned, keeping))
    assert kept.maps_bytes > again.maps_bytes
    assert kept.macs < again.macs


def test_images_count_each_by_itself() -> None:
    supernet = archdsl.supernet("spaces/nasbench201.arch", size=(32, 32))
    one, four = (estimate(supernet.relaxer, batch=batch) for batch in (1, 4))
    assert four.weights.macs == 4 * one.weights.macs
    assert four.weights.maps_bytes == 4 * one.weights.maps_bytes
    assert four.tensors == one.tensors
