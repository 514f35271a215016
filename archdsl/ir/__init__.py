"""The graphs that pages are drawn and targets compiled from: payloads on networkx multigraphs, scopes, passes."""

from archdsl.ir.canonical import canonical_hash, canonical_text
from archdsl.ir.errors import BrokenGraph
from archdsl.ir.graph import ClosedGraph, ClosedNode, Graph, Node, OpenGraph, OpenNode
from archdsl.ir.invariants import verify
from archdsl.ir.names import identifier, module_path, shared_weights, spell_module, tensor_name
from archdsl.ir.passes import closed, for_inference, open_graph
from archdsl.ir.scopes import Region, Scope, ScopeTree
from archdsl.ir.terms import Terms, fingerprint, same_network
from archdsl.ir.vectors import output_shape, vector_outputs, vector_outputs_of_space

__all__ = [
    "BrokenGraph",
    "ClosedGraph",
    "ClosedNode",
    "Graph",
    "Node",
    "OpenGraph",
    "OpenNode",
    "Region",
    "Scope",
    "ScopeTree",
    "Terms",
    "canonical_hash",
    "canonical_text",
    "closed",
    "fingerprint",
    "for_inference",
    "identifier",
    "module_path",
    "open_graph",
    "output_shape",
    "same_network",
    "shared_weights",
    "spell_module",
    "tensor_name",
    "vector_outputs",
    "vector_outputs_of_space",
    "verify",
]
