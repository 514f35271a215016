"""What installed packages add by entry points: found without importing anything, loaded when first used.

`importlib.metadata` takes tens of milliseconds to say which entry points there are, and `archdsl check` takes little
more; this reads the same files (`*.dist-info/entry_points.txt` on `sys.path`) and parses only those with our groups.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

CANNOT_LOAD: Final = "E0802"
RULE_FAILED: Final = "E0803"
"""A shape rule fails otherwise than by saying what is wrong with the maps."""

_OURS = b"[archdsl."
_LINE = re.compile(r"(?P<name>[^=#;\[]+?)\s*=\s*(?P<value>[\w.]+\s*:\s*[\w.]+)")


class PluginFailed(Exception):
    """What a package adds cannot be loaded, or does not work; `reason` says why, `help` what to do."""

    def __init__(self, what: str, package: str, reason: str, help: str = "") -> None:
        self.reason = f"{what} comes from the package `{package}`, {reason}"
        self.help = help or f"reinstall or update `{package}`, or remove it: pip uninstall {package}"
        super().__init__(f"{self.reason}: {self.help}")
        self.package = package


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point."""

    group: str
    name: str
    value: str
    """`module:object`."""
    package: str
    """The distribution's name, as `pip uninstall` takes it."""

    def load(self) -> object:
        """The object. Raises PluginFailed."""
        return load_object(self.value, f"`{self.name}`", self.package)


def load_object(value: str, what: str, package: str) -> object:
    """The object that `module:object` names. Raises PluginFailed in the name of `what` and its package."""
    module, _, path = value.replace(" ", "").partition(":")
    with blamed(what, package, "which cannot be loaded"):
        found: object = import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    return found


@contextmanager
def blamed(what: str, package: str, problem: str) -> Generator[None, None, None]:
    """Whatever a package's code raises within the block, as PluginFailed; as it is where `package` is empty."""
    if not package:
        yield
        return
    try:
        yield
    except PluginFailed:
        raise
    except Exception as error:
        raise PluginFailed(what, package, f"{problem} ({type(error).__name__}: {error})") from error


@cache
def plugins(group: str) -> Mapping[str, Plugin | PluginFailed]:
    """The entry points of a group by name; a failure for a name that two packages give."""
    found: dict[str, Plugin | PluginFailed] = {}
    for plugin in _all():
        if plugin.group != group:
            continue
        other = found.setdefault(plugin.name, plugin)
        if isinstance(other, Plugin) and other.package != plugin.package:
            found[plugin.name] = PluginFailed(
                f"`{plugin.name}`",
                plugin.package,
                f"and also from `{other.package}`",
                f"remove one of them: pip uninstall {plugin.package}",
            )
    return found


@cache
def _all() -> tuple[Plugin, ...]:
    seen: dict[str, tuple[Plugin, ...]] = {}
    for folder in dict.fromkeys(sys.path):
        for distribution in _distributions(folder or "."):
            name = os.path.basename(distribution).partition("-")[0].lower()
            # The first on the path is the one that is imported.
            seen.setdefault(name, tuple(_read(distribution)))
    return tuple(plugin for found in seen.values() for plugin in found)


def _is_distribution(name: str) -> bool:
    return name.endswith(".dist-info")


def _distributions(folder: str) -> list[str]:
    try:
        return [f"{folder}/{name}" for name in sorted(filter(_is_distribution, os.listdir(folder)))]
    except OSError:
        return []


def _read(distribution: str) -> Iterator[Plugin]:
    try:
        with open(f"{distribution}/entry_points.txt", "rb") as file:
            data = file.read()
    except OSError:
        return
    if _OURS not in data:
        return
    group = ""
    for line in data.decode(errors="replace").splitlines():
        text = line.strip()
        if text.startswith("["):
            group = text.strip("[]").strip()
        elif group.startswith("archdsl.") and (match := _LINE.fullmatch(text)):
            yield Plugin(group, match["name"], match["value"], _name(distribution))


def _name(distribution: str) -> str:
    """As the package's metadata spell it."""
    try:
        lines = Path(distribution, "METADATA").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("Name:")]
    return names[0] if names else Path(distribution).name.partition("-")[0]
