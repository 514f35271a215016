"""Weights shared between places: a network is the torch module that one writes by hand, in every form it has."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]
import pytest
import torch
from torch import Tensor, nn

from archdsl.backends.onnx.model import to_onnx
from archdsl.backends.torch_source.source import to_torch_source
from archdsl.backends.torch_source.standalone import load_standalone
from archdsl.cost import figures
from archdsl.cost.expectation import measures
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Work
from archdsl.ir import ClosedGraph, canonical_hash, closed, for_inference, same_network
from archdsl.nets import Network
from archdsl.nets.transfer import load_weights
from archdsl.pipeline import check, load
from archdsl.pipeline.ranges import Figure, Ranges
from archdsl.space import Apply
from archdsl.space.count import Census
from archdsl.space.trace import trace
from archdsl.weights import fold_batch_norm, random_weights, specification, to_bytes

SIAMESE = """archdsl 1

op block(c, s = 1) = conv(c, s = s) -> bn -> relu

cell encoder(c) {
  in x
  y = x -> block(c, s = 2)
  out y -> block(c) + y
}

space changes() {
  in before: 3x16x32, after: 3x16x32
  a = before -> encoder(c = 8, weights@encoder)
  b = after -> encoder(c = 8, weights@encoder)
  out change = concat(a, b) -> conv(2, k = 1, bias = yes)
}
"""

LEVELS = """archdsl 1

op block(c) = conv(c) -> bn(weights@each) -> relu

op tower(c, classes) = block(c) -> block(c) -> conv(classes, bias = yes)

space detector() {
  in image: 3x16x32
  fine = image -> conv(8, s = 2)
  coarse = fine -> conv(8, s = 2)
  out near = fine -> tower(8, classes = 5, weights@tower)
  out far = coarse -> tower(8, classes = 5, weights@tower)
  out aux help = coarse -> relu -> tower(8, classes = 5, weights@tower)
}
"""


class Block(nn.Module):
    def __init__(self, c_in: int, c: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(c)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class Encoder(nn.Module):
    def __init__(self, c_in: int, c: int) -> None:
        super().__init__()
        self.first = Block(c_in, c, 2)
        self.second = Block(c, c)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        return self.second(y) + y


class Changes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(3, 8)
        self.head = nn.Conv2d(16, 2, 1)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        return self.head(torch.cat((self.encoder(before), self.encoder(after)), 1))


class Detector(nn.Module):
    """Convolutions of all levels are one; each level has batch norms of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(3, 8, 3, 2, padding=1, bias=False)
        self.coarse = nn.Conv2d(8, 8, 3, 2, padding=1, bias=False)
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.conv_2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.near, self.near_2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.far, self.far_2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.last = nn.Conv2d(8, 5, 3, padding=1)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        fine = self.fine(image)
        coarse = self.coarse(fine)
        near = self.near_2(self.conv_2(self.near(self.conv(fine)).relu())).relu()
        far = self.far_2(self.conv_2(self.far(self.conv(coarse)).relu())).relu()
        return self.last(near), self.last(far)


def graph_of(folder: Path, text: str) -> ClosedGraph:
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    return load(str(file)).network()


def images_of(graph: ClosedGraph) -> list[Tensor]:
    draw = torch.Generator().manual_seed(3)
    shapes = [graph.node(path).shape for path in graph.images]
    return [torch.randn(2, int(str(each.channels)), *each.size, generator=draw) for each in shapes]


BY_HAND = [(SIAMESE, Changes), (LEVELS, Detector)]


@pytest.mark.parametrize(("text", "by_hand"), BY_HAND, ids=["siamese", "levels"])
@pytest.mark.parametrize("training", [False, True])
def test_it_is_the_module_that_one_writes_by_hand(
    tmp_path: Path, text: str, by_hand: type[nn.Module], training: bool
) -> None:
    graph = for_inference(graph_of(tmp_path, text))
    ours, theirs = Network(graph), by_hand()
    weights = random_weights(graph)
    load_weights(ours, weights)
    # Tensors in the order in which they are used for the first time, of one kind with the other's of that kind.
    for kind in ("conv", "norm"):
        pairs = zip(_layers(ours, kind), _layers(theirs, kind), strict=True)
        for mine, other in pairs:
            other.load_state_dict(mine.state_dict())
    ours.train(training)
    theirs.train(training)
    images = images_of(graph)
    left, right = list(ours.outputs(*images).values()), _listed(theirs(*images))
    for mine, other in zip(left, right, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)
    for outputs in (left, right):
        torch.autograd.backward([each.square().sum() for each in outputs])
    for kind in ("conv", "norm"):
        for mine, other in zip(_layers(ours, kind), _layers(theirs, kind), strict=True):
            for one, two in zip(mine.parameters(), other.parameters(), strict=True):
                assert one.grad is not None
                torch.testing.assert_close(one.grad, two.grad, rtol=1e-5, atol=1e-4)
            for one, two in zip(mine.buffers(), other.buffers(), strict=True):
                torch.testing.assert_close(one, two)


def _listed(output: Tensor | tuple[Tensor, ...]) -> list[Tensor]:
    return [output] if isinstance(output, Tensor) else list(output)


def _layers(network: nn.Module, kind: str) -> list[nn.Module]:
    of = nn.Conv2d if kind == "conv" else nn.BatchNorm2d
    return [each for each in network.modules() if isinstance(each, of)]


@pytest.mark.parametrize("text", [SIAMESE, LEVELS], ids=["siamese", "levels"])
def test_tensors_are_there_once(tmp_path: Path, text: str) -> None:
    graph = graph_of(tmp_path, text)
    network = Network(graph, auxiliary=True)
    found = figures(graph)
    assert sum(each.numel() for each in network.parameters()) == found.params_training
    assert sum(each.numel() for each in Network(graph).parameters()) == found.params
    names = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
    assert sorted(names) == sorted(specification(graph))
    assert any(name.startswith(("encoder.", "tower.")) for name in names)


def test_multiply_adds_count_at_each_place(tmp_path: Path) -> None:
    shared = figures(graph_of(tmp_path, SIAMESE))
    apart = figures(graph_of(tmp_path, SIAMESE.replace(", weights@encoder", "")))
    assert shared.macs == apart.macs
    assert apart.params - shared.params == 8 * 9 * (3 + 8) + 4 * 8


@pytest.mark.parametrize("text", [SIAMESE, LEVELS], ids=["siamese", "levels"])
def test_files_are_the_network(tmp_path: Path, text: str) -> None:
    graph = graph_of(tmp_path, text)
    weights, images = random_weights(graph), images_of(graph)
    network = Network(graph).eval()
    load_weights(network, weights)
    with torch.no_grad():
        wanted = network.outputs(*images)
        source = load_standalone(to_torch_source(graph).encode(), to_bytes(weights, {}))
        found = source(*images)
    for name, each in zip(wanted, _listed(found), strict=True):
        torch.testing.assert_close(each, wanted[name], rtol=1e-6, atol=1e-6)
    main = {name: weights[name] for name in specification(for_inference(graph))}
    model = to_onnx(graph, main, batch=2)
    assert len({each.name for each in model.graph.initializer}) == len(model.graph.initializer)
    given = {each.name: image.numpy() for each, image in zip(model.graph.input, images, strict=True)}
    session: Any = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for (name, each), theirs in zip(wanted.items(), session.run(None, given), strict=True):
        np.testing.assert_allclose(theirs, each.numpy(), rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_batch_norm_folds_into_a_shared_layer_only_where_it_is_shared_too(tmp_path: Path) -> None:
    def norms(text: str) -> int:
        graph = graph_of(tmp_path, text)
        folded, _ = fold_batch_norm(graph, random_weights(graph))
        return sum(payload.primitive == "bn" for _, payload in folded.with_payload(Apply))

    assert norms(SIAMESE) == 0
    assert norms(LEVELS) == 6
    assert norms(LEVELS.replace("(weights@each)", "")) == 0


def test_two_batch_norms_behind_a_shared_layer_fold_as_often_as_they_stand_there(tmp_path: Path) -> None:
    text = """archdsl 1

op twice(c) {
  in x
  y = x -> conv(c, weights@a) -> bn(weights@n) -> bn(weights@n)
  out y -> conv(c, weights@a) -> bn(weights@n) -> bn(weights@n)
}

space net() {
  in image: 4x8x8
  out y = image -> twice(4)
}
"""
    graph = graph_of(tmp_path, text)
    weights = random_weights(graph)
    folded, tensors = fold_batch_norm(graph, weights)
    assert not any(payload.primitive == "bn" for _, payload in folded.with_payload(Apply))
    one, two = Network(graph).eval(), Network(folded).eval()
    load_weights(one, weights)
    load_weights(two, tensors)
    (image,) = images_of(graph)
    torch.testing.assert_close(one(image), two(image), rtol=1e-4, atol=1e-5)


SEARCHED = """archdsl 1

op block(c, k = 3) = conv(c, k = k) -> bn -> relu
ops few = {block, block(k = 1)}

cell encoder(c) {
  in x
  choose width in {4, 8}
  y = x -> few(c = width)
  out y -> block(c)
}

space net() {
  in image: 8x8x16
  x = chain(image) {
    encoder(c = 8, weights@encoder)
    encoder(c = 8, weights@encoder)
    encoder@late(c = 8, weights@other) * 2
  }
  z = image -> block(8, weights@last)
  choose y in {x, z}
  out logits = y -> block(8, weights@last)
}
"""


def test_expected_parameters_are_those_of_the_network(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(SEARCHED, encoding="utf-8")
    (meaning,) = check(str(file)).meanings
    program = meaning.program
    work = Work.of(program, ops=False)
    counted = {"params": measures.params, "macs": measures.macs, "activations": measures.activations}
    expected = {name: Expectation.of(work, measure) for name, measure in counted.items()}
    census, random = Census(program), Random(4)
    seen: list[int] = []
    for _ in range(20):
        answers = census.sample(random)
        found = figures(closed(program, trace(program, answers), "net"))
        hot = {
            path: [1.0 if (each,) == answer else 0.0 for each in program.questions[path.question].answers]
            for path, answer in answers.items()
        }
        for name, expectation in expected.items():
            assert expectation.value(expectation.chances(hot)) == pytest.approx(getattr(found, name))
        seen.append(found.params)
    ends = Ranges(program).of(Figure.PARAMS)
    assert ends.least <= min(seen) < max(seen) <= ends.greatest
    assert all(ends.exact.values())


def test_sharing_is_part_of_what_a_network_is(tmp_path: Path) -> None:
    shared = graph_of(tmp_path, SIAMESE)
    apart = graph_of(tmp_path, SIAMESE.replace(", weights@encoder", ""))
    renamed = graph_of(tmp_path, SIAMESE.replace("@encoder", "@other"))
    assert canonical_hash(shared) == canonical_hash(renamed) != canonical_hash(apart)
    assert same_network(shared, renamed)
    assert not same_network(shared, apart)


def test_a_name_that_a_cell_has_too_makes_no_module_of_two(tmp_path: Path) -> None:
    text = SIAMESE.replace("  out change = concat(a, b)", "  out change = concat(a, b, later) -> encoder(c = 8)")
    text = text.replace("  b = after", "  later = after -> block(8, s = 2, weights@a_encoder)\n  b = after")
    graph = graph_of(tmp_path, text.replace(", weights@encoder)\n  later", ")\n  later"))
    names = list(specification(graph))
    assert "a_encoder_2.conv.weight" in names
    assert "a_encoder.y_block.conv.weight" in names
