"""Kernels of a supernet: windows inside of each other, slices by width, norms by width."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from archdsl.nets.supernet import Decisions, Supernet
from archdsl.relax import NotRelaxable
from archdsl.relax.relaxed import Mask, Spread, Structure
from archdsl.space import QuestionKind, QuestionPath
from archdsl.train.typed_torch import backward
from tests.nets.supernet.scrambled import differs_from_network, images, scrambled
from tests.properties.test_small_spaces import program_of

WINDOWS = """archdsl 1

space net() {
  in image: 3x9x9
  choose k in {1, 3, 5, 7}
  out y = image -> conv(4, k = k)
}
"""
TWO_OPS = """archdsl 1

space net() {
  in image: 3x9x9
  out y = image -> {conv(c = 4, k = 3), conv(c = 4, k = 5)}
}
"""
WIDTHS = """archdsl 1

space net() {
  in image: 3x5x5
  choose w in {2, 3, 6}
  x = image -> conv(w) -> bn
  out y = concat(image, x) -> conv(4, k = 1)
}
"""


MANY = """archdsl 1

space net() {
  in image: 3x5x5
  choose a in {NUMBERS}
  choose b in {NUMBERS}
  out y = image -> conv(a + 70 * b, k = 1) -> conv(2, k = 1)
}
"""
NUMBERS = ", ".join(map(str, range(1, 71)))


HALVES = """archdsl 1

op whole(c) {
  in x
  out x -> conv(c)
}

op halves(c) {
  in x
  out concat(x -> conv(c / 2), x -> conv(c / 2, k = 1))
}

space net() {
  in image: 3x5x5
  choose w in {2, 4, 8}
  x = image -> {whole(c = w), halves(c = w)} -> bn
  out y = x -> conv(4, k = 1)
}
"""


def question(net: Supernet) -> QuestionPath:
    (path,) = net.questions
    return path


def test_a_kernel_whose_widths_are_too_many_to_list_has_the_largest(tmp_path: Path) -> None:
    net = scrambled(program_of(tmp_path, MANY.replace("NUMBERS", NUMBERS)))
    first, _ = net.parameters()
    assert first.shape == (70 + 70 * 70, 3, 1, 1)
    answers = {path: (answer,) for path, answer in zip(net.questions, ("18", "9"), strict=True)}
    assert differs_from_network(net, answers, images(net.program)) <= 1e-5


def test_a_kernel_beyond_all_sizes_is_shown_where_it_stands(tmp_path: Path) -> None:
    text = MANY.replace("NUMBERS", NUMBERS).replace("a + 70 * b", "300 * a + 21000 * b")
    with pytest.raises(NotRelaxable, match="has more than 1,000,000 output channels"):
        Supernet(program_of(tmp_path, text))


def test_a_smaller_window_is_the_middle_of_the_largest(tmp_path: Path) -> None:
    net = scrambled(program_of(tmp_path, WINDOWS))
    (kernel,) = net.parameters()
    assert kernel.shape == (4, 3, 7, 7)
    for k in (1, 3, 5, 7):
        edge = (7 - k) // 2
        middle = kernel[..., edge : edge + k, edge : edge + k]
        (found,) = net.weights_for({question(net): (str(k),)}).values()
        assert torch.equal(found, middle)


def test_a_smaller_window_goes_through_the_transforms_of_those_between(tmp_path: Path) -> None:
    """Once-for-all, elastic kernel size."""
    net = scrambled(program_of(tmp_path, WINDOWS), kernel_transform=True)
    tensors = {name.rpartition(".")[2]: each for name, each in net.named_parameters()}
    assert tensors.keys() == {"weight", "transform_5x5", "transform_3x3", "transform_1x1"}
    kernel = tensors["weight"]
    for k in (5, 3, 1):
        middle = kernel[..., 1:-1, 1:-1]
        kernel = (middle.reshape(4, 3, k * k) @ tensors[f"transform_{k}x{k}"]).reshape(middle.shape)
        answers = {question(net): (str(k),)}
        (found,) = net.weights_for(answers).values()
        torch.testing.assert_close(found, kernel)
        assert differs_from_network(net, answers, images(net.program)) <= 1e-5


def test_transforms_start_as_the_middle(tmp_path: Path) -> None:
    program = program_of(tmp_path, WINDOWS)
    plain, transformed = scrambled(program), Supernet(program, kernel_transform=True)
    transformed.load_state_dict(plain.state_dict(), strict=False)
    for k in ("1", "3", "5", "7"):
        answers = {question(plain): (k,)}
        for name, tensor in plain.weights_for(answers).items():
            torch.testing.assert_close(transformed.weights_for(answers)[name], tensor)


def test_ops_with_windows_of_their_own_have_kernels_of_their_own(tmp_path: Path) -> None:
    net = scrambled(program_of(tmp_path, TWO_OPS))
    assert sorted(tuple(each.shape) for each in net.parameters()) == [(4, 3, 3, 3), (4, 3, 5, 5)]


def normed(tensors: Mapping[str, Tensor], x_BCHW: Tensor, width: int) -> Tensor:
    """The batch norm `x_bn` of one width at inference."""
    mean, variance, weight, bias = (
        tensors[f"x_bn.{name}_0_{width}"] for name in ("running_mean", "running_var", "weight", "bias")
    )
    return functional.batch_norm(x_BCHW, mean, variance, weight, bias)


@pytest.mark.parametrize("width", [2, 3, 6])
def test_a_narrow_map_is_read_and_written_by_slices(width: int, tmp_path: Path) -> None:
    net = scrambled(program_of(tmp_path, WIDTHS))
    tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    x_BCHW = images(net.program)
    with torch.no_grad():
        x = functional.conv2d(x_BCHW, tensors["x_conv.weight"][:width], padding=1)
        x = normed(tensors, x, width)
        y = functional.conv2d(torch.cat([x_BCHW, x], 1), tensors["y_conv.weight"][:, : 3 + width])
        torch.testing.assert_close(net(x_BCHW, Decisions({question(net): (str(width),)})), y)


def test_a_narrow_concat_of_halves_is_read_as_other_ops_of_its_width_are(tmp_path: Path) -> None:
    """As in FasterSeg's code: a narrow skip of stride 2 is no wider than the convolutions that it is mixed with."""
    net = scrambled(program_of(tmp_path, HALVES))
    (operator,) = (path for path in net.questions if net.program.questions[path].kind is QuestionKind.OPERATOR)
    (width,) = (path for path in net.questions if path != operator)
    kernel = dict(net.named_parameters())["y_conv.weight"]
    for w in (2, 4, 8):
        for op in net.answers(operator):
            answers = {width: (str(w),), operator: (op,)}
            read = [each for each in net.weights_for(answers).values() if each.shape == (4, w, 1, 1)]
            assert any(torch.equal(each, kernel[:, :w]) for each in read)
            assert differs_from_network(net, answers, images(net.program)) <= 1e-5
        mixed = net.evaluation(Structure.of({width: (str(w),)})).graph
        assert not any(isinstance(node.payload, Spread | Mask) for node in mixed.nodes)


def test_gradients_that_are_added_in_slices_are_those_of_the_kernels(tmp_path: Path) -> None:
    whole, sliced = (scrambled(program_of(tmp_path, text)).train() for text in (WIDTHS, WIDTHS))
    sliced.accumulate_in_slices()
    for width in ("6", "2", "3", "2"):
        for net in (whole, sliced):
            found = net(images(net.program), Decisions({question(net): (width,)}))
            assert isinstance(found, Tensor)
            backward(found.square().sum())
    wanted = dict(whole.named_parameters())
    assert all(each.grad is not None for each in wanted.values())
    for name, each in sliced.named_parameters():
        torch.testing.assert_close(each.grad, wanted[name].grad)
    sliced.zero_grad()
    sliced.requires_grad_(False)
    found = sliced(images(sliced.program), Decisions({question(sliced): ("2",)}))
    assert isinstance(found, Tensor)
    assert not found.requires_grad


def test_mixed_widths_weigh_channels_by_the_chance_that_they_are_there(tmp_path: Path) -> None:
    """FasterSeg, section 3.1.3, with soft weights: the largest width runs, with the norm of the largest."""
    net = scrambled(program_of(tmp_path, WIDTHS))
    tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    x_BCHW = images(net.program)
    chances = torch.tensor([1.0, 1.0, 0.8, 0.3, 0.3, 0.3])
    with torch.no_grad():
        x = normed(tensors, functional.conv2d(x_BCHW, tensors["x_conv.weight"], padding=1), 6)
        x = x * chances[:, None, None]
        y = functional.conv2d(torch.cat([x_BCHW, x], 1), tensors["y_conv.weight"])
        found = net(x_BCHW, Decisions(weights={question(net): torch.tensor([0.2, 0.5, 0.3])}))
    torch.testing.assert_close(found, y)


def statistics(net: Supernet) -> dict[str, Tensor]:
    return {name: each.clone() for name, each in net.named_buffers()}


def test_training_updates_the_statistics_of_the_width_that_is_run_alone(tmp_path: Path) -> None:
    net = scrambled(program_of(tmp_path, WIDTHS)).train()
    before = statistics(net)
    net(images(net.program, 2), Decisions({question(net): ("3",)}))
    changed = {name for name, each in statistics(net).items() if not torch.equal(each, before[name])}
    assert changed == {"x_bn.running_mean_0_3", "x_bn.running_var_0_3"}
