"""The function that reads weights in a standalone file. Its text is copied there, so it needs only torch."""

from __future__ import annotations

import inspect
import json
from math import prod
from pathlib import Path

import torch
from torch import Tensor

IMPORTS = ("import json", "import sys", "from math import prod", "from pathlib import Path")
"""What the standalone file imports of the standard library, for this function and for its main block."""


def read_safetensors(path: str) -> dict[str, Tensor]:
    """The float32 tensors of a safetensors file: 8 bytes with the length of a JSON header, the header, the numbers."""
    data = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8:start])
        header.pop("__metadata__", None)
        entries = [(name, entry["dtype"], entry["shape"], *entry["data_offsets"]) for name, entry in header.items()]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a safetensors file: its header cannot be read") from error
    tensors: dict[str, Tensor] = {}
    for name, dtype, shape, begin, end in entries:
        if name.endswith(".num_batches_tracked"):
            continue  # a counter of batch norm in training, which torch's own checkpoints have
        if dtype != "F32":
            raise ValueError(f"{path}: `{name}` is {dtype}, and only F32 is read here")
        if not 0 <= begin <= end <= len(data) - start or end - begin != 4 * prod(shape):
            raise ValueError(f"{path} is cut off or damaged: `{name}` does not lie within it")
        tensors[name] = torch.frombuffer(data, dtype=torch.float32, count=prod(shape), offset=start + begin).view(shape)
    return tensors


def reader_lines() -> list[str]:
    """The function's text."""
    return inspect.getsource(read_safetensors).splitlines()
