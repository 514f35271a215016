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
    """The tensors of a safetensors file as float32: 8 bytes with the length of a JSON header, the header, numbers."""
    dtypes = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    data = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8:start])
        header.pop("__metadata__", None)
        entries = [
            (name, str(entry["dtype"]), [int(n) for n in entry["shape"]], [int(n) for n in entry["data_offsets"]])
            for name, entry in header.items()
        ]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a safetensors file: its header cannot be read") from error
    tensors: dict[str, Tensor] = {}
    for name, dtype, shape, place in entries:
        if name.endswith(".num_batches_tracked"):
            continue  # a counter of batch norm in training, which torch's own checkpoints have
        if dtype not in dtypes:
            raise ValueError(f"{path}: `{name}` is {dtype}, and only {', '.join(dtypes)} are read here")
        kind, count = dtypes[dtype], prod(shape)
        begin, end = place if len(place) == 2 else (1, 0)
        if not 0 <= begin <= end <= len(data) - start or end - begin != kind.itemsize * count:
            raise ValueError(f"{path} is cut off or damaged: `{name}` does not lie within it")
        tensors[name] = torch.frombuffer(data, dtype=kind, count=count, offset=start + begin).view(shape).float()
        if not tensors[name].isfinite().all():
            raise ValueError(f"{path}: `{name}` has NaN or infinite values")
    return tensors


def reader_lines() -> list[str]:
    """The function's text."""
    return inspect.getsource(read_safetensors).splitlines()
