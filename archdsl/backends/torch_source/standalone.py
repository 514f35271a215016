"""The standalone torch file, imported as a module from bytes that were made here or are trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from archdsl.backends.failures import TargetFailed
from archdsl.backends.protocol import CellEnd, Observed

_LONGEST: Final = 200
_SHOWN: Final = 5
"""Lines of an error."""


class _Bytes(InspectLoader):
    """Loads a module from bytes, so that a file cannot change in between."""

    def __init__(self, source: bytes) -> None:
        self.source = source

    def get_source(self, fullname: str) -> str:
        return self.source.decode()


def load_standalone(source: bytes, weights: bytes) -> torch.nn.Module:
    """The file's network with these weights. `source` is executed: it has to be ours, or trusted.

    Raises TargetFailed where it does not run, or the weights are not its own.
    """
    loader = _Bytes(source)
    module: Any = module_from_spec(ModuleSpec("standalone", loader))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "weights.safetensors"
        file.write_bytes(weights)
        try:
            loader.exec_module(module)
            return module.load(file)
        except Exception as error:  # whatever a trusted file raises
            lines = str(error).replace(str(file), "the file of weights").splitlines()[:_SHOWN]
            said = [line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in lines]
            raise TargetFailed("the torch file does not load its weights", tuple(said)) from error


def observe_standalone(
    source: bytes,
    weights: bytes,
    names: Sequence[str],
    images: Mapping[str, NDArray[np.float32]],
    ends: Sequence[CellEnd],
) -> Observed:
    """The network's outputs under `names`, in their order, and the last maps of cells that are modules."""
    network: Any = load_standalone(source, weights)
    cells: dict[str, NDArray[np.generic]] = {}
    paths = {end.module: end.path for end in ends if end.module}

    def keep(path: str) -> Any:
        def hook(_module: torch.nn.Module, _inputs: Any, output: Any) -> None:
            cells[path] = _tensors(output)[-1].numpy()

        return hook

    for name, child in network.named_modules():
        if name in paths:
            child.register_forward_hook(keep(paths[name]))
    with torch.inference_mode():
        outputs = _tensors(network(*map(torch.as_tensor, images.values())))
    return Observed({name: output.numpy() for name, output in zip(names, outputs, strict=True)}, cells)


def _tensors(output: Any) -> tuple[torch.Tensor, ...]:
    return (output,) if isinstance(output, torch.Tensor) else tuple(output)
