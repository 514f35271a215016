"""ONNX models as networks of primitives, with their weights.

Each node becomes a primitive, or several nodes one (`Sigmoid` and `Mul` are `silu`); a run of which each is read by the
next alone is a line. Lines are named after the modules that own weights, else after nodes. What constants make of each
other has to be folded, and sizes have to be fixed: what has no primitive is refused with the node's name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from archdsl.backends.failures import UnreadableModel
from archdsl.backends.onnx.reading import LARGEST_FILE, read_model
from archdsl.exchange.errors import NotImported
from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.onnx.model import Reader
from archdsl.exchange.onnx.operators import steps
from archdsl.exchange.onnx.text import free_name, identifier, lines_of, tensors_of, text_of
from archdsl.exchange.source import Source
from archdsl.weights import BrokenWeights

_MOST_NODES: Final = 20_000


def read(request: Request) -> Imported:
    """A space without questions, and its tensors. Raises NotImported, ToolMissing, OSError."""
    source = Source(request.source.file, request.source.item, LARGEST_FILE)
    try:
        model = read_model(source.data, source.file)
    except (UnreadableModel, BrokenWeights) as error:
        raise NotImported(str(error)) from None
    if len(model.graph.node) > _MOST_NODES:
        raise source.unfit(f"it has {len(model.graph.node):,} nodes, and {_MOST_NODES:,} are read")
    reader = Reader(source, model)
    name = free_name(identifier(request.named("network")), set())
    lines = lines_of(steps(reader), reader)
    text = text_of(name, reader, lines, Path(source.file).name)
    return Imported(name, text, tensors_of(text, name, lines))
