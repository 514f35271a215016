"""A structure as one graph of torch's own operations (`torch.fx`), for `torch.compile`.

What is structural is fixed while the graph is traced; what is left are tensors, so that a compiler sees one function
without a branch, and never a new one from step to step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Tracer

from archdsl.nets.supernet.evaluate import Evaluation, Weights
from archdsl.space import QuestionPath


class CompiledStructure:
    """An evaluation of single nodes that `torch.compile` compiles whole, once."""

    def __init__(
        self,
        evaluation: Evaluation,
        positions: Mapping[QuestionPath, Mapping[str, int]],
        options: Mapping[str, Any],
    ) -> None:
        self.graph = evaluation.graph
        graph = traced(evaluation, positions)
        self._run: Any = torch.compile(graph, fullgraph=True, **options)  # pyright: ignore[reportUnknownMemberType]

    def __call__(self, x_BCHW: Tensor, weights: Weights) -> dict[str, Tensor]:
        return self._run(x_BCHW, [weights.given[path] for path in self.graph.questions])


class _Root(nn.Module):
    """An evaluation as a function of an image and of the weights of its questions, in their order."""

    def __init__(self, evaluation: Evaluation, positions: Mapping[QuestionPath, Mapping[str, int]]) -> None:
        super().__init__()
        self.kernels = nn.ModuleList(evaluation.kernels())
        self.layers = nn.ModuleList()
        """Layers without tensors of their own, as they are met."""
        self._evaluation = evaluation
        self._positions = positions
        self._questions = tuple(evaluation.graph.questions)

    def forward(self, x_BCHW: Tensor, weights: list[Tensor]) -> dict[str, Tensor]:
        given = {path: weights[place] for place, path in enumerate(self._questions)}
        return self._evaluation.outputs(x_BCHW, Weights(given, self._positions))


def traced(evaluation: Evaluation, positions: Mapping[QuestionPath, Mapping[str, int]]) -> GraphModule:
    """The graph of an evaluation of single nodes, in the mode, training or not, that its supernet is in.

    It shares the tensors of the supernet, and follows them to where they are moved.
    """
    root = _Root(evaluation, positions)
    made = GraphModule(root, _Tracer(root).trace(root), "Structure")
    made.kernels, made.layers = root.kernels, root.layers
    return made


class _Tracer(Tracer):
    """Takes each layer as it is, and tensors by the names that a list of kernels gives them."""

    proxy_buffer_attributes = True

    def __init__(self, root: _Root) -> None:
        super().__init__()
        self._traced = root
        self._names = {id(tensor): name for name, tensor in _tensors(root.kernels)}
        self._layers: dict[nn.Module, str] = {}

    def path_of_module(self, mod: nn.Module) -> str:
        if mod not in self._layers:
            self._layers[mod] = f"layers.{len(self._layers)}"
            self._traced.layers.append(mod)
        return self._layers[mod]

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True

    def create_arg(self, a: Any) -> Any:
        if isinstance(a, nn.Module):
            return self.create_node("get_attr", self.path_of_module(a), (), {})
        return super().create_arg(a)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """A tensor of a kernel by its name."""
        name = self._names.get(id(attr_val))
        if name is None:
            return attr_val
        if name not in parameter_proxy_cache:
            parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {})
        return parameter_proxy_cache[name]


def _tensors(kernels: nn.ModuleList) -> Iterable[tuple[str, Tensor]]:
    for name, tensor in (*kernels.named_parameters(), *kernels.named_buffers()):
        yield f"kernels.{name}", tensor
