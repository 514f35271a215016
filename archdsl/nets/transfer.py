"""Weights between numpy and a torch network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from archdsl.nets.network import Network
from archdsl.weights import Tensors, specification
from archdsl.weights.mismatch import compare


def load_weights(network: Network, weights: Tensors) -> None:
    """Copies the tensors into the network, in its dtype and on its device.

    Weights of auxiliary outputs that the network was built without are left aside. Raises WeightsMismatch.
    """
    wanted = specification(network.graph)
    left_out = specification(network.whole_graph).keys() - wanted.keys()
    used = {name: weights[name] for name in weights if name not in left_out}
    compare(wanted, {name: tensor.shape for name, tensor in used.items()})
    own = network.state_dict()
    with torch.no_grad():
        for name, tensor in used.items():
            own[name].copy_(torch.as_tensor(tensor))


def weights_of(network: Network) -> dict[str, NDArray[np.float32]]:
    """Copies of the network's tensors under the names of `specification(network.graph)`, in its order."""
    own = network.state_dict()
    return {name: own[name].detach().to("cpu", torch.float32).numpy().copy() for name in specification(network.graph)}
