"""Weights for the standalone torch file, as `torch.load(weights_only=True)` reads them."""

from __future__ import annotations

import io

import torch

from archdsl.ir import Graph, tensor_name
from archdsl.space import Apply
from archdsl.weights import Tensors, specification


def torch_weights(graph: Graph, weights: Tensors) -> bytes:
    """Every tensor of the graph as float32, with the counters that torch's batch norms have; same bytes each time.

    Raises KeyError where a tensor is missing.
    """
    state = {name: torch.as_tensor(weights[name], dtype=torch.float32) for name in specification(graph)}
    for path, payload in graph.with_payload(Apply):
        if payload.primitive == "bn":
            state[tensor_name(graph.node(path), "num_batches_tracked")] = torch.tensor(0)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
