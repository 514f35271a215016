"""The graph that every target is compiled from: payloads on a networkx multigraph, invariants, passes."""

from archdsl.ir.graph import Graph, Node
from archdsl.ir.invariants import BrokenGraph, verify
from archdsl.ir.names import identifier, module_path, tensor_name

__all__ = ["BrokenGraph", "Graph", "Node", "identifier", "module_path", "tensor_name", "verify"]
