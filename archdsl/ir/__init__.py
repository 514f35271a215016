"""The graph that every target is compiled from: payloads on a networkx multigraph, invariants, passes."""

from archdsl.ir.canonical import canonical_hash, canonical_text
from archdsl.ir.graph import Graph, Node
from archdsl.ir.invariants import BrokenGraph, verify
from archdsl.ir.names import cell_of, identifier, module_path, tensor_name
from archdsl.ir.passes import closed, for_inference, open_graph

__all__ = [
    "BrokenGraph",
    "Graph",
    "Node",
    "canonical_hash",
    "canonical_text",
    "cell_of",
    "closed",
    "for_inference",
    "identifier",
    "module_path",
    "open_graph",
    "tensor_name",
    "verify",
]
