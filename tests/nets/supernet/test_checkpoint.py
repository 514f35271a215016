"""A supernet that computes maps again in the backward pass, against one that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.ir.scopes import scope_tree
from archdsl.nets.supernet import Supernet
from archdsl.relax.checkpoints import Budget, NotEnoughMemory, checkpointed, checkpoints
from archdsl.relax.estimate import estimate
from archdsl.relax.lower import Relaxer
from archdsl.relax.plan import Plan, planned
from archdsl.relax.relaxed import RelaxedGraph
from archdsl.space import FrameKind, Program
from archdsl.train.typed_torch import backward
from tests.nets.supernet.scrambled import images, scrambled
from tests.nets.supernet.test_estimate import decisions
from tests.nets.supernet.test_one_hot import ASKING
from tests.nets.supernet.test_plan import everything
from tests.pipeline.spaces import Case, loaded
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn
from tests.properties.wide_spaces import wide_spaces

BATCH: Final = 2
SPACES: Final = {"spaces/gas.arch": (65, 129), "spaces/nasbench201.arch": (32, 32)}
NOISY: Final = """\
archdsl 1

use std

cell noisy(c) {
  in x
  choose operator in {conv3x3, sep_conv3x3}
  out x -> operator(c) -> dropout(p = 1/2)
}

space small() {
  in image: 3x16x16
  trunk = chain(image -> conv3x3(8)) {
    noisy(c = 8) * 3
  }
  out logits = trunk.last -> conv(2, k = 1)
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoint")


def everywhere(program: Program) -> Callable[[RelaxedGraph], Plan]:
    """A plan that computes the maps of every cell again."""
    scopes = scope_tree([node.location for node in program.nodes])
    cells = [scope.path for scope in scopes if scope.kind is FrameKind.CELL]
    return lambda graph: checkpointed(planned(graph), cells)


@pytest.mark.parametrize("case", ASKING, ids=str)
def test_outputs_gradients_and_statistics_are_those_of_kept_maps(case: Case) -> None:
    are_equal(loaded(case).program)


@settings(max_examples=15)
@given(small_spaces())
def test_nothing_changes_in_spaces_that_nobody_wrote(folder: Path, text: str) -> None:
    are_equal(drawn(folder, text))


@settings(max_examples=15)
@given(wide_spaces())
def test_nothing_changes_where_widths_are_searched(folder: Path, text: str) -> None:
    are_equal(drawn(folder, text))


def are_equal(program: Program) -> None:
    kept, again = scrambled(program), scrambled(program, plan=everywhere(program))
    wanted, found = everything(kept.double().train()), everything(again.double().train())
    assert found.keys() == wanted.keys()
    largest = max(float(each.abs().max()) for each in wanted.values())
    for name, each in wanted.items():
        limit = 1e-10 * float(each.abs().max()) + 1e-13 * largest
        assert float((found[name] - each).abs().max()) <= limit, name


def test_random_numbers_are_drawn_again_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "noisy.arch"
    file.write_text(NOISY, encoding="utf-8")
    program = archdsl.load(file).space
    runs: list[dict[str, Tensor]] = []
    for plan in (planned, everywhere(program)):
        net = scrambled(program, plan=plan).train()
        torch.default_generator.manual_seed(5)
        runs.append(everything(net.double()))
    kept, again = runs
    assert len(kept) == len(again) > 4
    for name, each in kept.items():
        torch.testing.assert_close(again[name], each)


@pytest.mark.parametrize("name", ["spaces/nasbench201.arch", pytest.param("spaces/gas.arch", marks=pytest.mark.slow)])
def test_a_step_keeps_and_computes_what_is_said(name: str) -> None:
    program = archdsl.load(name, size=SPACES[name]).space
    net = Supernet(program).train()
    found = estimate(net.relaxer, batch=BATCH)
    half = found.step_bytes - found.weights.maps_bytes // 2
    again = Supernet(program, memory=Budget(half, BATCH)).train()
    said = again.checkpoints
    assert said is not None and 0 < len(said.cells) < said.of
    assert found.step_bytes - found.weights.maps_bytes + said.maps_bytes <= half
    assert macs(again) - macs(net) == said.again_macs
    assert saved_bytes(again) == pytest.approx(said.maps_bytes, rel=0.05)
    assert peak_bytes(again) < peak_bytes(net)


def test_a_budget_that_cannot_be_met_says_the_least() -> None:
    relaxer = Relaxer.of(archdsl.load("spaces/gas.arch", size=SPACES["spaces/gas.arch"]).space)
    with pytest.raises(NotEnoughMemory, match=r"a step on images 2x3x65x129 takes \d+\.\d MB at least") as refused:
        checkpoints(relaxer, Budget(1, BATCH))
    least = refused.value.least_bytes
    assert checkpoints(relaxer, Budget(least, BATCH)).cells
    with pytest.raises(NotEnoughMemory):
        checkpoints(relaxer, Budget(least - 1, BATCH))


def test_enough_memory_computes_nothing_again() -> None:
    relaxer = Relaxer.of(archdsl.load("spaces/gas.arch", size=SPACES["spaces/gas.arch"]).space)
    found = estimate(relaxer, batch=BATCH)
    said = checkpoints(relaxer, Budget(found.step_bytes, BATCH))
    assert said.cells == () and said.again_macs == 0 and said.maps_bytes == found.weights.maps_bytes


def outputs(net: Supernet) -> Mapping[str, Tensor]:
    return net.outputs(images(net.program, count=BATCH), decisions(net))


def loss(net: Supernet) -> Tensor:
    return torch.stack([each.square().mean() for each in outputs(net).values()]).sum()


def macs(net: Supernet) -> int:
    """Multiply-adds of a step."""
    with FlopCounterMode(display=False) as counter:
        backward(loss(net))
    return counter.get_total_flops() // 2


def saved_bytes(net: Supernet) -> int:
    """Maps that a forward pass saves."""
    own = {each.untyped_storage().data_ptr() for each in net.state_dict().values()}
    saved: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.dim() == 4 and tensor.shape[0] == BATCH and tensor.untyped_storage().data_ptr() not in own:
            saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        made = outputs(net)
    del made
    return sum(each.untyped_storage().nbytes() for each in saved.values())


def peak_bytes(net: Supernet) -> int:
    """Tensors that are there at one time of a step, at most, gradients apart."""
    backward(loss(net))
    with Live() as live:
        backward(loss(net))
    return live.peak


class Live(TorchDispatchMode):
    """Counts the bytes of tensors that operations have made and that are still there."""

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._sizes: dict[StorageWeakRef, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            if isinstance(each, Tensor):
                storage = each.untyped_storage()
                self._sizes.setdefault(StorageWeakRef(storage), storage.nbytes())
        self._sizes = {storage: size for storage, size in self._sizes.items() if not storage.expired()}
        self.peak = max(self.peak, sum(self._sizes.values()))
        return made
