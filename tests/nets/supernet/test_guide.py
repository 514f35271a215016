"""The GCN-guided module of GAS: equations 5 to 7."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import torch
from torch import Tensor

import archdsl
from archdsl.nets.supernet.guide import Guide, cells_along
from archdsl.settings.searches import GcnGuide, ReasoningGraph
from archdsl.space import Program, QuestionPath
from archdsl.train.typed_torch import backward

SETTINGS: Final = GcnGuide(along="trunk", dim=6, layers=2)
GRAPHS: Final = tuple(ReasoningGraph)


@pytest.fixture(scope="module")
def space() -> Program:
    return archdsl.load("spaces/gas.arch").space


def counts(program: Program) -> dict[QuestionPath, int]:
    return {path: len(question.answers) for path, question in program.questions.items()}


def drawn(program: Program, *, seed: int = 0, gradients: bool = False) -> dict[QuestionPath, Tensor]:
    """Logits for all questions of a program."""
    generator = torch.Generator().manual_seed(seed)
    return {
        path: torch.randn(count, generator=generator, dtype=torch.float64).requires_grad_(gradients)
        for path, count in counts(program).items()
    }


def guide(program: Program, graph: ReasoningGraph, **changes: float) -> Guide:
    return Guide(replace(SETTINGS, graph=graph, **changes), program, counts(program), seed=3).double()


def has_gradient(tensor: Tensor) -> bool:
    return tensor.grad is not None and bool(tensor.grad.any())


def test_cells_stand_in_the_order_of_the_chain(space: Program) -> None:
    cells = cells_along(space, "trunk")
    assert [len(cell) for cell in cells] == [5] * 14
    assert [cell[0].scope[-1].indices for cell in cells] == [(number,) for number in range(1, 15)]
    assert {path for cell in cells for path in cell} == set(space.questions)


@pytest.mark.parametrize("graph", GRAPHS)
def test_logits_keep_their_questions_and_sizes(space: Program, graph: ReasoningGraph) -> None:
    logits = drawn(space)
    guided = guide(space, graph)(logits)
    assert list(guided) == list(logits)
    first = cells_along(space, "trunk")[0]
    for path, each in guided.items():
        assert each.shape == logits[path].shape
        assert torch.equal(each, logits[path]) == (path in first)


@pytest.mark.parametrize("graph", GRAPHS)
def test_without_gamma_it_is_the_identity(space: Program, graph: ReasoningGraph) -> None:
    logits = drawn(space)
    guided = guide(space, graph, gamma=0.0)(logits)
    assert all(torch.equal(guided[path], logits[path]) for path in logits)


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_cell_reads_itself_and_the_one_before_it(space: Program, graph: ReasoningGraph) -> None:
    logits = drawn(space, gradients=True)
    cells = cells_along(space, "trunk")
    backward(torch.stack([guide(space, graph)(logits)[path] for path in cells[4]]).square().sum())
    reached = [any(has_gradient(logits[path]) for path in cell) for cell in cells]
    assert [number for number, each in enumerate(reached) if each] == [3, 4]


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_parameter_and_every_logit_gets_a_gradient(space: Program, graph: ReasoningGraph) -> None:
    logits, module = drawn(space, gradients=True), guide(space, graph)
    backward(torch.cat(list(module(logits).values())).square().sum())
    assert all(map(has_gradient, (*logits.values(), *module.parameters())))


@pytest.mark.parametrize("graph", GRAPHS)
def test_gradients_equal_finite_differences(graph: ReasoningGraph) -> None:
    program = archdsl.load("spaces/gas.arch", size=(65, 129)).space
    module = guide(program, graph, dim=2)
    paths = [path for cell in cells_along(program, "trunk")[:3] for path in cell]
    logits = drawn(program)

    def some(*given: Tensor) -> Tensor:
        guided = module({**logits, **dict(zip(paths, given, strict=True))})
        return torch.cat([guided[path] for path in paths])

    assert torch.autograd.gradcheck(some, tuple(logits[path].requires_grad_() for path in paths))


TINY: Final = """\
archdsl 1

use std

cell one(c) {
  in x
  y = x -> {identity, conv3x3(c = c)}
  out y -> {identity, relu}
}

space tiny() {
  in image: 3x8x8
  first = image -> conv3x3(4)
  trunk = chain(first) {
    each one(c = 4) * 2
  }
  out y = trunk.last
}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Program:
    file = tmp_path / "tiny.arch"
    file.write_text(TINY, encoding="utf-8")
    return archdsl.load(file).space


def matrix(logits: dict[QuestionPath, Tensor], cell: tuple[QuestionPath, ...]) -> Tensor:
    return torch.stack([logits[path] for path in cell])


def test_edge_similarity_by_hand(tiny: Program) -> None:
    """Equations 5 to 7, entry by entry."""
    logits, module = drawn(tiny), guide(tiny, ReasoningGraph.EDGE_SIMILARITY, layers=1)
    before, mine = (matrix(logits, cell) for cell in cells_along(tiny, "trunk"))
    found = {name: each.detach() for name, each in module.carrier.named_parameters()}
    w1, w2 = found["mine_KQQ"][0], found["before_KQQ"][0]
    similarity = [[((mine[i] @ w1) @ (before[j] @ w2)).item() for j in range(2)] for i in range(2)]
    exponentials = [[2.718281828459045**each for each in row] for row in similarity]
    adjacency = torch.tensor([[each / sum(row) for each in row] for row in exponentials], dtype=torch.float64)
    embedded = before @ found["convolution.embed_KFD"][0] + found["convolution.embed_bias_KD"][0]
    reasoned = adjacency @ embedded @ found["convolution.reason_LKDD"][0, 0] + embedded
    carried = reasoned @ found["convolution.project_KDF"][0] + found["convolution.project_bias_KF"][0]
    guided = matrix(module(logits), cells_along(tiny, "trunk")[1])
    assert torch.allclose(guided, mine + 0.5 * carried)


def test_operation_identity_by_hand(tiny: Program) -> None:
    """Section 4.4.1: Adj is the outer product of the flat logits."""
    logits, module = drawn(tiny), guide(tiny, ReasoningGraph.OPERATION_IDENTITY, layers=1)
    before, mine = (matrix(logits, cell).flatten() for cell in cells_along(tiny, "trunk"))
    found = {name: each.detach() for name, each in module.carrier.named_parameters()}
    embedded = before[:, None] @ found["convolution.embed_KFD"][0] + found["convolution.embed_bias_KD"][0]
    reasoned = torch.outer(mine, before) @ embedded @ found["convolution.reason_LKDD"][0, 0] + embedded
    carried = reasoned @ found["convolution.project_KDF"][0] + found["convolution.project_bias_KF"][0]
    guided = matrix(module(logits), cells_along(tiny, "trunk")[1]).flatten()
    assert torch.allclose(guided, mine + 0.5 * carried[:, 0])


def test_fully_connected_by_hand(tiny: Program) -> None:
    logits, module = drawn(tiny), guide(tiny, ReasoningGraph.FULLY_CONNECTED)
    before, mine = (matrix(logits, cell).flatten() for cell in cells_along(tiny, "trunk"))
    found = {name: each.detach() for name, each in module.carrier.named_parameters()}
    guided = matrix(module(logits), cells_along(tiny, "trunk")[1]).flatten()
    assert torch.allclose(guided, mine + 0.5 * (before @ found["weight_KNN"][0] + found["bias_KN"][0]))


def test_each_pair_of_cells_has_a_convolution_of_its_own(space: Program) -> None:
    """Sizes as in section 4.2: one layer of 64 x 64 between two cells."""
    module = Guide(GcnGuide(along="trunk"), space, counts(space))
    sizes = {name: tuple(each.shape) for name, each in module.named_parameters()}
    assert sizes["carrier.convolution.reason_LKDD"] == (1, 13, 64, 64)
    assert sizes["carrier.mine_KQQ"] == sizes["carrier.before_KQQ"] == (13, 8, 8)


def test_chains_that_cannot_be_guided(tiny: Program, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs two cells that ask for an operator"):
        Guide(GcnGuide(along="elsewhere"), tiny, counts(tiny))
    uneven = tmp_path / "uneven.arch"
    uneven.write_text(TINY.replace("{identity, relu}", "{identity, relu, relu6}"), encoding="utf-8")
    program = archdsl.load(uneven).space
    with pytest.raises(ValueError, match="have 2 and 3 candidates"):
        Guide(GcnGuide(along="trunk"), program, counts(program))
    two = TINY.replace("space tiny", "cell two(c) {\n  in x\n  out x -> {identity, relu}\n}\n\nspace tiny")
    uneven.write_text(two.replace("one(c = 4) * 2", "one(c = 4)\n    each two(c = 4)"), encoding="utf-8")
    program = archdsl.load(uneven).space
    with pytest.raises(ValueError, match="have 1 and 2 questions"):
        Guide(GcnGuide(along="trunk"), program, counts(program))
