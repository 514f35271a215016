"""Back ends by the names of their targets: those of this package, and those that installed packages add.

Names are known without what any back end needs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from archdsl.backends.options import Refused
from archdsl.plugins import PluginFailed, plugins

if TYPE_CHECKING:
    from archdsl.backends.protocol import Backend

GROUP = "archdsl.targets"
"""The entry points by which a package adds targets: `NAME = module:BACKEND`."""

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "torch": "archdsl.backends.torch_source.backend",
        "onnx": "archdsl.backends.onnx.backend",
        "trt": "archdsl.backends.tensorrt.backend",
    }
)
"""The module of each target's `BACKEND`."""
SUPERNET = "supernet"
"""A target of spaces: a report and no file to run, and so no back end."""


def target_names() -> tuple[str, ...]:
    """Those of this package first."""
    return tuple(dict.fromkeys((*BUILT_IN, *plugins(GROUP))))


def find_target(name: str) -> Backend | Refused:
    """Raises PluginFailed where the package that adds it is broken."""
    if name in target_names():
        return backend(name)
    near = difflib.get_close_matches(name, target_names(), 1)
    known = ", ".join(f"`{target}`" for target in target_names())
    return Refused(f"there is no target `{name}`", f"did you mean `{near[0]}`?" if near else f"one of {known}")


def backends() -> Iterator[Backend]:
    """Every back end that can be loaded."""
    for name in target_names():
        try:
            yield backend(name)
        except PluginFailed:
            continue


def package_of(backend: Backend) -> str:
    """The package that adds a target; empty for those of this one."""
    plugin = None if backend.name in BUILT_IN else plugins(GROUP).get(backend.name)
    return "" if plugin is None else plugin.package


@cache
def backend(name: str) -> Backend:
    """The back end of a target in `target_names()`. Raises PluginFailed, KeyError."""
    if name in BUILT_IN:
        found: Backend = import_module(BUILT_IN[name]).BACKEND
        return found
    plugin = plugins(GROUP)[name]
    if isinstance(plugin, PluginFailed):
        raise plugin
    from archdsl.backends.protocol import Backend

    added = plugin.load()
    what = f"the target `{name}`"
    if not isinstance(added, Backend):
        raise PluginFailed(what, plugin.package, f"and `{plugin.value}` is no `archdsl.backends.Backend`")
    if added.name != name:
        raise PluginFailed(what, plugin.package, f"which calls it `{added.name}` in `{plugin.value}`")
    return added
