"""Closed graphs as torch modules; the first importer of torch."""

from archdsl.nets.layers import LayerRequest
from archdsl.nets.network import EveryOutput, Network, Scope
from archdsl.nets.transfer import load_weights, weights_of

__all__ = ["EveryOutput", "LayerRequest", "Network", "Scope", "load_weights", "weights_of"]
