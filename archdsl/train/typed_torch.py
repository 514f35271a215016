"""Functions of torch, Fabric and safetensors whose own annotations are incomplete, with their types stated once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import safetensors.torch
import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn

_Module = TypeVar("_Module", bound=nn.Module)


class _SaveFile(Protocol):
    def __call__(
        self, tensors: Mapping[str, Tensor], filename: Path, metadata: Mapping[str, str] | None = None
    ) -> None: ...


# What a module or class gives by name is `Any` to the type checker; here it gets the type that the documentation says.
_torch: Any = torch
_distributed: Any = torch.distributed
_safetensors: Any = safetensors.torch

manual_seed: Callable[[int], torch.Generator] = _torch.manual_seed
load_file: Callable[[Path], dict[str, Tensor]] = _safetensors.load_file
save_file: _SaveFile = _safetensors.save_file


def all_reduce(value: Tensor) -> None:
    """Replaces a tensor by its sum over all processes."""
    _distributed.all_reduce(value)


def all_gather(into: list[Tensor], value: Tensor) -> None:
    """Fills a list with the tensors of all processes, which have equal shapes."""
    _distributed.all_gather(into, value)


def backward(loss: Tensor) -> None:
    """Adds the gradient of a scalar to the parameters that it was computed from."""
    _untyped(loss).backward()


def whole_numbers(values_N: Tensor) -> list[int]:
    """The elements of a vector of whole numbers."""
    return cast("list[int]", _untyped(values_N).tolist())


def no_backward_sync(fabric: Fabric, network: nn.Module) -> AbstractContextManager[None]:
    """Gradients of backward passes within it are not exchanged between processes."""
    return cast("AbstractContextManager[None]", _untyped(fabric).no_backward_sync(network))


def channels_last(network: _Module, device: torch.device) -> _Module:
    """A network moved to a device, with weights in the memory format that convolutions are fastest in."""
    return cast("_Module", _untyped(network).to(device, memory_format=torch.channels_last))


def autocast(fabric: Fabric) -> AbstractContextManager[object]:
    """Forward passes within it have the precision that was asked for."""
    return cast("AbstractContextManager[object]", _untyped(fabric).autocast())


def split(value_N: Tensor, sizes: list[int]) -> tuple[Tensor, ...]:
    """A vector in parts of these sizes."""
    return cast("tuple[Tensor, ...]", _untyped(value_N).split(sizes))


def sum_over(fabric: Fabric, value: Tensor) -> Tensor:
    """The sum over all processes."""
    return cast("Tensor", _untyped(fabric).all_reduce(value, reduce_op="sum"))


def apply(function: type[torch.autograd.Function], *arguments: Tensor) -> Tensor:
    """Calls a function with a gradient of its own."""
    return cast("Tensor", _untyped(function).apply(*arguments))


def eigenvectors(matrix_NN: Tensor) -> tuple[Tensor, Tensor]:
    """The eigenvalues of a symmetric matrix in ascending order, and as columns their vectors."""
    return cast("tuple[Tensor, Tensor]", _torch.linalg.eigh(matrix_NN))


def forked_noise(devices: Iterable[torch.device]) -> AbstractContextManager[None]:
    """Random numbers drawn within it, on the CPU and on devices, leave torch's own generators as they were."""
    return cast("AbstractContextManager[None]", _torch.random.fork_rng(list(devices)))


def _untyped(value: object) -> Any:
    return value
