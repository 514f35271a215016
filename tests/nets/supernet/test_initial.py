"""The weights with which a supernet begins, and its state as a file."""

import re
from math import prod, sqrt
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import torch

import archdsl
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.weights.files import save
from archdsl.weights.mismatch import WeightsMismatch
from archdsl.weights.stored import BrokenWeights

SPACE: Final = """\
archdsl 1

use std

space small(classes = 5) {
  in image: 3x32x64
  x = image -> conv(16, k = 3)
  choose width in {8, 32}
  y = x -> relu -> conv(width, k = 3) -> {conv3x3(c = 32), sep_conv3x3(c = 32)}
  out logits = y -> conv(classes, k = 1, bias = yes)
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.arch"
    path.write_text(SPACE, encoding="utf-8")
    return path


def uniform(supernet: Supernet) -> Decisions:
    counts = {path: len(supernet.answers(path)) for path in supernet.questions}
    return Decisions(weights={path: torch.full((count,), 1 / count) for path, count in counts.items()})


def test_learned_maps_begin_as_the_text_says(tmp_path: Path) -> None:
    learned = "parameter(like = image, c = 16, size = 1x1, init = 1 / 8)"
    text = SPACE.replace("x = image -> conv(16, k = 3)", f"x = (image -> conv(16, k = 3)) * {learned}")
    path = tmp_path / "small.arch"
    path.write_text(text, encoding="utf-8")
    (begun,) = [tensor for _, tensor in archdsl.supernet(path).named_parameters() if tensor.dim() == 3]
    assert torch.equal(begun, torch.full((16, 1, 1), 0.125))


def test_a_seed_gives_one_draw(file: Path) -> None:
    one, again, other = (archdsl.supernet(file, seed=seed).state_dict() for seed in (1, 1, 2))
    assert one.keys() == again.keys() == other.keys()
    assert all(torch.equal(one[name], again[name]) for name in one)
    kernels = [name for name in one if one[name].dim() == 4]
    assert len(kernels) == 6 and not any(torch.equal(one[name], other[name]) for name in kernels)


def test_a_kernel_has_the_scale_of_its_full_fan_in(file: Path) -> None:
    state = archdsl.supernet(file).state_dict()
    wide = {name: tensor for name, tensor in state.items() if tensor.dim() == 4 and tensor.numel() > 1000}
    assert {tuple(tensor.shape) for tensor in wide.values()} == {(32, 16, 3, 3), (32, 32, 3, 3), (32, 32, 1, 1)}
    for name, tensor in wide.items():
        # Behind a relu the mean square is one half, before it one.
        square = 0.5 if tuple(tensor.shape) == (32, 16, 3, 3) else 1.0
        wanted = 1 / sqrt(prod(tensor.shape[1:]) * square)
        assert tensor.std().item() == pytest.approx(wanted, rel=0.1), name


def test_a_change_elsewhere_leaves_a_draw_alone(file: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.arch"
    changed.write_text(SPACE.replace("sep_conv3x3(c = 32)", "sep_conv3x3_x2(c = 32)"), encoding="utf-8")
    one, other = (archdsl.supernet(each).state_dict() for each in (file, changed))
    both = one.keys() & other.keys()
    assert both != one.keys() and both
    assert all(torch.equal(one[name], other[name]) for name in both)


def test_batch_norms_and_biases_begin_at_the_identity(file: Path) -> None:
    rest = {name: each for name, each in archdsl.supernet(file).state_dict().items() if each.dim() == 1}
    assert rest
    for name, tensor in rest.items():
        parts = name.split(".")[-1]
        ones = parts.startswith(("weight", "running_var"))
        assert torch.equal(tensor, torch.full_like(tensor, 1.0 if ones else 0.0)), name


def test_maps_have_values_of_size_one(file: Path) -> None:
    supernet = archdsl.supernet(file)
    made = supernet(torch.randn(4, 3, 32, 64, generator=torch.Generator().manual_seed(0)), uniform(supernet))
    assert 0.2 < made.std().item() < 3


def test_the_state_round_trips(file: Path, tmp_path: Path) -> None:
    supernet = archdsl.supernet(file, seed=7)
    image = torch.randn(2, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    supernet(image, uniform(supernet))  # statistics of batch norms move
    weights = tmp_path / "supernet.safetensors"
    save(weights, {name: tensor.numpy() for name, tensor in supernet.state_dict().items()}, {})
    read = archdsl.supernet(file, weights=weights)
    own, found = supernet.state_dict(), read.state_dict()
    assert own.keys() == found.keys() and all(torch.equal(own[name], found[name]) for name in own)
    assert torch.equal(supernet.eval()(image, uniform(supernet)), read.eval()(image, uniform(supernet)))


def test_another_supernets_state_is_refused(file: Path, tmp_path: Path) -> None:
    weights = tmp_path / "supernet.safetensors"
    state = archdsl.supernet(file, overrides={"classes": 7}).state_dict()
    save(weights, {name: tensor.numpy() for name, tensor in state.items()}, {})
    with pytest.raises(WeightsMismatch, match="of another shape"):
        archdsl.supernet(file, weights=weights)


@pytest.mark.parametrize(("ending", "number"), [("weight", np.nan), ("running_mean", np.inf), ("running_var", -1.0)])
def test_numbers_that_are_none_are_refused_by_name(file: Path, tmp_path: Path, ending: str, number: float) -> None:
    tensors = {name: tensor.numpy().copy() for name, tensor in archdsl.supernet(file).state_dict().items()}
    name = next(name for name in tensors if name.endswith(f".{ending}"))
    tensors[name].flat[0] = number
    save(tmp_path / "w", tensors, {})
    with pytest.raises(BrokenWeights, match=re.escape(f"`{name}`")):
        archdsl.supernet(file, weights=tmp_path / "w")


def test_what_a_wrapper_put_before_names_is_left_out(file: Path, tmp_path: Path) -> None:
    own = archdsl.supernet(file, seed=3).state_dict()
    torch.save({f"module.{name}": tensor for name, tensor in own.items()}, tmp_path / "w.pt")
    found = archdsl.supernet(file, weights=tmp_path / "w.pt").state_dict()
    assert all(torch.equal(own[name], found[name]) for name in own)


def test_it_says_what_it_is(file: Path) -> None:
    supernet = archdsl.supernet(file)
    count = sum(parameter.numel() for parameter in supernet.parameters())
    assert repr(supernet) == f"<supernet of `small`: 2 questions, {count:,} parameters>"


def test_a_network_has_no_supernet(file: Path, tmp_path: Path) -> None:
    with pytest.raises(archdsl.Refused, match=r"leaves no question open: name its space, `fasterseg`"):
        archdsl.supernet("spaces/genotypes/fasterseg_student.arch")
    closed = tmp_path / "closed.arch"
    closed.write_text(
        "archdsl 1\n\nspace closed() {\n  in image: 3x8x8\n  out y = image -> relu\n}\n", encoding="utf-8"
    )
    with pytest.raises(archdsl.Refused, match="asks no question"):
        archdsl.supernet(closed)
    with pytest.raises(archdsl.NotLoaded):
        archdsl.supernet(tmp_path / "none.arch")
