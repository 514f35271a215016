"""A sampled network of every space is one function: as a module, as the compiled torch file, in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from archdsl.backends import Compiled, Request, compile_graph
from archdsl.backends.manifest import RandomWeights
from archdsl.ir import ClosedGraph
from archdsl.nets import Network, load_weights
from archdsl.weights import random_weights
from tests.backends.modules import module_of
from tests.onnx_session import run
from tests.pipeline.spaces import SMALL, Case, graph_of, laws, samples

TOLERANCE = 1e-5
"""Of the largest logit."""

Floats = NDArray[np.float32]


def compiled(graph: ClosedGraph, target: str, folder: Path) -> Path:
    """The file that holds the network; its weights and its manifest lie beside it."""
    done = compile_graph(Request(graph, random_weights(graph), RandomWeights(seed=0), target, folder))
    assert isinstance(done, Compiled)
    return done.files[0]


def of_module(graph: ClosedGraph, x_BCHW: Floats) -> list[Floats]:
    """The outputs without auxiliary ones, in the order of the text."""
    network = Network(graph)
    load_weights(network, random_weights(graph))
    with torch.inference_mode():
        return [output.numpy() for output in network.eval().outputs(torch.as_tensor(x_BCHW)).values()]


def of_file(graph: ClosedGraph, x_BCHW: Floats, folder: Path) -> list[Floats]:
    file = compiled(graph, "torch", folder)
    module: Any = module_of(file.read_text(encoding="utf-8"))
    with torch.inference_mode():
        found: Tensor | tuple[Tensor, ...] = module.load(file.with_suffix(".safetensors"))(torch.as_tensor(x_BCHW))
    return [output.numpy() for output in (found if isinstance(found, tuple) else (found,))]


def of_onnx(graph: ClosedGraph, x_BCHW: Floats, folder: Path) -> list[Floats]:
    model = onnx.load_model_from_string(compiled(graph, "onnx", folder).read_bytes())
    return list(run(model, x_BCHW).values())


@pytest.mark.parametrize(("case", "count"), laws(few=1, many=5, cases=[case.wide for case in SMALL]))
def test_module_file_and_onnx_agree(case: Case, count: int, tmp_path: Path) -> None:
    for number, answers in enumerate(samples(case, count)):
        graph = graph_of(case, answers)
        image = graph.node(graph.images[0]).shape
        x_BCHW = np.random.default_rng(number).normal(size=(1, 3, image.height, image.width)).astype(np.float32)
        expected = of_module(graph, x_BCHW)
        assert expected
        for found in (of_file(graph, x_BCHW, tmp_path), of_onnx(graph, x_BCHW, tmp_path)):
            for output, same in zip(expected, found, strict=True):
                assert output.shape == same.shape
                largest = np.abs(output).max()
                assert largest > 0
                assert np.abs(output - same).max() <= TOLERANCE * largest
