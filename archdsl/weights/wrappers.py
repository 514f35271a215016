"""Prefixes that wrappers of torch put before the names of all tensors in a state dict."""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import Final

WRAPPERS: Final = ("module.", "_orig_mod.", "model.")
"""Of data parallelism and averages, of `torch.compile`, and of the classes in which trainings hold their network."""


def wrapper(names: Collection[str], wanted: Container[str]) -> str:
    """The prefix of all names without which most of them are wanted: `module._orig_mod.`; empty for none.

    Where as many are wanted with it, as of a network that has a cell `model`, it belongs to the names.
    """
    chosen, most, prefix = "", sum(name in wanted for name in names), ""
    while names and (more := next((each for each in WRAPPERS if _all_begin(names, prefix + each)), "")):
        prefix += more
        fitting = sum(name.removeprefix(prefix) in wanted for name in names)
        if fitting > most:
            chosen, most = prefix, fitting
    return chosen


def _all_begin(names: Collection[str], prefix: str) -> bool:
    return all(name.startswith(prefix) for name in names)
