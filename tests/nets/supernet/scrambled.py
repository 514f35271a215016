"""Supernets with random weights and random running statistics, and how far they are from networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from archdsl.ir import ClosedGraph
from archdsl.nets import Network, load_weights
from archdsl.nets.supernet import Supernet
from archdsl.relax.plan import Plan, planned
from archdsl.relax.relaxed import RelaxedGraph
from archdsl.space import Image, Program, QuestionPath
from archdsl.space.trace import Answers


def scrambled(
    program: Program, *, kernel_transform: bool = False, plan: Callable[[RelaxedGraph], Plan] = planned
) -> Supernet:
    """A supernet of which no two tensors are alike, so that taking the wrong one or the wrong slice shows."""
    net = Supernet(program, kernel_transform=kernel_transform, plan=plan)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter, generator=generator)
            else:
                parameter.uniform_(0.5, 1.5, generator=generator)
        for buffer in net.buffers():
            buffer.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


def images(program: Program, count: int = 1) -> Tensor:
    """Random images of the size of the text's, BxCxHxW."""
    (image,) = (node for node in program.nodes if isinstance(node.payload, Image))
    channels = image.shape.channels
    assert isinstance(channels, int)
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, channels, image.shape.height, image.shape.width, generator=generator)


def network(net: Supernet, answers: Answers) -> Network:
    """The network of a genotype with the supernet's weights."""
    graph: ClosedGraph = net.network_graph(answers)
    found = Network(graph, auxiliary=True).eval()
    load_weights(found, {name: tensor.numpy() for name, tensor in net.weights_for(answers).items()})
    return found


def differ(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> float:
    """The largest difference of outputs, in units of the largest value of its output."""
    assert found.keys() == wanted.keys()
    assert all(found[name].shape == wanted[name].shape for name in wanted)
    return max(
        float((found[name] - wanted[name]).abs().max() / wanted[name].abs().max().clamp_min(1e-12)) for name in wanted
    )


def differs_from_network(net: Supernet, answers: Answers, x_BCHW: Tensor) -> float:
    """How far a supernet that is forced to a genotype is from its network."""
    with torch.no_grad():
        return differ(net.outputs(x_BCHW, net.one_hot(answers)), network(net, answers).outputs(x_BCHW))


def uniform(net: Supernet) -> dict[QuestionPath, Tensor]:
    """Weights that are alike for all answers, as leaves of the gradient."""
    return {
        path: torch.full((len(net.answers(path)),), 1 / len(net.answers(path)), requires_grad=True)
        for path in net.questions
    }
