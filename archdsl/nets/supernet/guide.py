"""The GCN-guided module: logits carried from cell to cell while a search runs (GAS, section 3.2, equations 5 to 7).

Legend of shape suffixes: K pairs of a cell and the one before it, P edges of a cell, Q candidates of an edge, D hidden
channels, N nodes of the reasoning graph, F features of a node, L layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

import torch
from torch import Tensor, nn

from archdsl.settings.searches import GcnGuide, ReasoningGraph
from archdsl.space import Program, QuestionKind, QuestionPath, QuestionScope, spell_scope


def cells_along(program: Program, chain: str) -> tuple[tuple[QuestionPath, ...], ...]:
    """The questions for an operator in each cell of a chain, cell by cell; cells that ask for none are left out."""
    found: dict[QuestionScope, list[QuestionPath]] = {}
    for path, question in program.questions.items():
        cell = _cell_of(path, chain)
        if cell is not None and question.kind is QuestionKind.OPERATOR:
            found.setdefault(cell, []).append(path)
    return tuple(tuple(found[cell]) for cell in sorted(found, key=lambda cell: cell[-1].indices))


def _cell_of(path: QuestionPath, chain: str) -> QuestionScope | None:
    """The place of a chain that asks a question, where one does."""
    for length, step in enumerate(path.scope, 1):
        around = (*path.scope[: length - 1], step.structure)
        if step.indices and chain in (step.name, spell_scope(around)):
            return path.scope[:length]
    return None


class Guide(nn.Module):
    """Changes the logits of each cell of a chain by those of the cell before it (equation 5).

        alpha'_k = alpha_k + gamma * Phi2(G(Phi1(alpha_{k-1}), Adj))

    The logits alpha_k of a cell are a matrix of P edges by Q candidates. It is used in the search alone: what is
    derived is read from alpha' (`argmax(guided)`), and no network has a guide.

    Where the paper is silent:
    - each pair of cells has parameters of its own, Phi and phi too (section 4.2: "one GCN between two adjacent cells");
    - a cell reads alpha_{k-1}, as equation 5 has it, and not alpha'_{k-1}; the first cell's logits stay as they are;
    - Phi is a convolution of window 1, which is a linear map of each node, with a bias;
    - matrices start by Glorot's rule, biases at zero, so that alpha' starts near alpha;
    - all cells have equally many edges, and edges equally many candidates, as equations 6 and 7 need it.
    """

    def __init__(
        self, settings: GcnGuide, program: Program, candidates: Mapping[QuestionPath, int], *, seed: int = 0
    ) -> None:
        """`candidates` says how many logits a question has, a further one for `none` included.

        Raises ValueError where the chain has less than two cells that ask for an operator, or they differ in size.
        """
        super().__init__()
        self.cells = cells_along(program, settings.along)
        self.gamma = settings.gamma
        self.edges, self.candidates = _size(settings.along, self.cells, candidates)
        pairs = len(self.cells) - 1
        generator = torch.Generator().manual_seed(seed)
        self.carrier: _EdgeSimilarity | _OperationIdentity | _FullyConnected
        match settings.graph:
            case ReasoningGraph.EDGE_SIMILARITY:
                self.carrier = _EdgeSimilarity(pairs, self.candidates, settings.dim, settings.layers, generator)
            case ReasoningGraph.OPERATION_IDENTITY:
                self.carrier = _OperationIdentity(pairs, settings.dim, settings.layers, generator)
            case ReasoningGraph.FULLY_CONNECTED:
                self.carrier = _FullyConnected(pairs, self.edges * self.candidates, generator)
            case _:
                assert_never(settings.graph)

    def forward(self, logits: Mapping[QuestionPath, Tensor]) -> dict[QuestionPath, Tensor]:
        """Guided logits by question, each with Q numbers; those of questions outside of the chain as they are."""
        alpha = torch.stack([torch.stack([logits[path] for path in cell]) for cell in self.cells])
        mine_KPQ, before_KPQ = alpha[1:], alpha[:-1]
        guided_KPQ = mine_KPQ + self.gamma * self.carrier(mine_KPQ, before_KPQ)
        found = dict(logits)
        for cell, guided_PQ in zip(self.cells[1:], guided_KPQ, strict=True):
            found |= zip(cell, guided_PQ, strict=True)
        return found


def _size(
    chain: str, cells: Sequence[Sequence[QuestionPath]], candidates: Mapping[QuestionPath, int]
) -> tuple[int, int]:
    """Edges of a cell, candidates of an edge."""
    if len(cells) < 2:
        raise ValueError(f"a guide along `{chain}` needs two cells that ask for an operator: write `each` before cells")
    edges = {len(cell) for cell in cells}
    counts = {candidates[path] for cell in cells for path in cell}
    if len(edges) > 1:
        raise ValueError(f"cells of `{chain}` have {_listed(edges)} questions: a guide needs as many in each")
    if len(counts) > 1:
        raise ValueError(f"questions along `{chain}` have {_listed(counts)} candidates: a guide needs as many in each")
    return edges.pop(), counts.pop()


def _listed(numbers: set[int]) -> str:
    return " and ".join(map(str, sorted(numbers)))


class _Convolution(nn.Module):
    """Phi1, the layers of a graph convolution, and Phi2: equation 7 with a residual connection in each layer.

    G(X, Adj) = Adj X W + X
    """

    def __init__(self, pairs: int, features: int, dim: int, layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.embed_KFD = _matrices((pairs, features, dim), generator)
        self.embed_bias_KD = nn.Parameter(torch.zeros(pairs, dim))
        self.reason_LKDD = _matrices((layers, pairs, dim, dim), generator)
        self.project_KDF = _matrices((pairs, dim, features), generator)
        self.project_bias_KF = nn.Parameter(torch.zeros(pairs, features))

    def forward(self, nodes_KNF: Tensor, adjacency_KNN: Tensor) -> Tensor:
        x_KND = nodes_KNF @ self.embed_KFD + self.embed_bias_KD[:, None]
        for weight_KDD in self.reason_LKDD:
            x_KND = adjacency_KNN @ x_KND @ weight_KDD + x_KND
        return x_KND @ self.project_KDF + self.project_bias_KF[:, None]


class _EdgeSimilarity(nn.Module):
    """Edges are the nodes: Adj = softmax(alpha_k w1 (alpha_{k-1} w2)^T), each row summing to 1 (equation 6)."""

    def __init__(self, pairs: int, candidates: int, dim: int, layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.convolution = _Convolution(pairs, candidates, dim, layers, generator)
        self.mine_KQQ = _matrices((pairs, candidates, candidates), generator)
        self.before_KQQ = _matrices((pairs, candidates, candidates), generator)

    def forward(self, mine_KPQ: Tensor, before_KPQ: Tensor) -> Tensor:
        similarity_KPP = (mine_KPQ @ self.mine_KQQ) @ (before_KPQ @ self.before_KQQ).mT
        found: Tensor = self.convolution(before_KPQ, similarity_KPP.softmax(-1))
        return found


class _OperationIdentity(nn.Module):
    """Each candidate of each edge is a node with one feature: Adj = alpha_k alpha_{k-1}^T, both flat (section 4.4.1).

    The paper does not speak of a softmax here, and none is taken.
    """

    def __init__(self, pairs: int, dim: int, layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.convolution = _Convolution(pairs, 1, dim, layers, generator)

    def forward(self, mine_KPQ: Tensor, before_KPQ: Tensor) -> Tensor:
        mine_KN1, before_KN1 = (each.flatten(1)[:, :, None] for each in (mine_KPQ, before_KPQ))
        found: Tensor = self.convolution(before_KN1, mine_KN1 @ before_KN1.mT)
        return found.reshape(mine_KPQ.shape)


class _FullyConnected(nn.Module):
    """A fully connected layer over all logits of the cell before, which the paper compares with (section 4.4.1, c).

    How it joins alpha_k is not said: here it takes the place of Phi2(G(Phi1(...))) in equation 5.
    """

    def __init__(self, pairs: int, count: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight_KNN = _matrices((pairs, count, count), generator)
        self.bias_KN = nn.Parameter(torch.zeros(pairs, count))

    def forward(self, mine_KPQ: Tensor, before_KPQ: Tensor) -> Tensor:
        found_KN = (before_KPQ.flatten(1)[:, None] @ self.weight_KNN)[:, 0] + self.bias_KN
        return found_KN.reshape(mine_KPQ.shape)


def _matrices(shape: tuple[int, ...], generator: torch.Generator) -> nn.Parameter:
    """Matrices in the last two axes, by Glorot's rule (2010, equation 16)."""
    bound = (6 / (shape[-2] + shape[-1])) ** 0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))
