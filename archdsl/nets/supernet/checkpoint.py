"""Steps whose maps are computed again for the gradient, as `archdsl.relax.checkpoints` says.

Random numbers are drawn again as they were, and running statistics are left as the first pass made them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Final, TypeAlias

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint  # pyright: ignore[reportUnknownVariableType]

_COMPUTING_AGAIN: Final[ContextVar[bool]] = ContextVar("computing again", default=False)


ComputeMaps: TypeAlias = "Callable[[Mapping[int, Tensor]], dict[int, Tensor]]"
"""Of maps, by node, those that steps give."""


def recomputed(compute: ComputeMaps, maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """What steps give for these maps, by node; of what they compute nothing is kept."""
    if not torch.is_grad_enabled():
        return compute(maps)
    nodes = tuple(maps)

    def run(*given: Tensor) -> dict[int, Tensor]:
        return compute(dict(zip(nodes, given, strict=True)))

    return checkpoint(run, *maps.values(), use_reentrant=False, context_fn=_contexts)  # pyright: ignore[reportUnknownVariableType]


def computing_again() -> bool:
    """Whether maps are computed a second time."""
    return _COMPUTING_AGAIN.get()


def _contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _again()


@contextmanager
def _again() -> Generator[None]:
    token = _COMPUTING_AGAIN.set(True)
    try:
        yield
    finally:
        _COMPUTING_AGAIN.reset(token)
