"""`archdsl doctor`."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections import defaultdict

import click

from archdsl.cli.exits import Exit
from archdsl.cli.options import text_or_json
from archdsl.cli.output import say, say_json, table
from archdsl.extras import NEEDS, OF_CLUSTERS, PACKAGES, Extra, install_line, is_installed


@click.command("doctor")
@text_or_json
def command(form: str) -> int:
    """Show what is installed, what each command needs, and how to install what is missing."""
    complete = {extra: all(map(is_installed, packages)) for extra, packages in PACKAGES.items()}
    versions = {each.distribution: _version(each.distribution) for packages in PACKAGES.values() for each in packages}
    missing = [extra for extra, found in complete.items() if not found and extra not in OF_CLUSTERS]
    if form == "json":
        say_json(
            {
                "python": platform.python_version(),
                "versions": versions,
                "ready": {use: all(complete[extra] for extra in extras) for use, extras in NEEDS.items()},
                "missing": [str(extra) for extra in missing],
                "gpu": _gpu(),
            }
        )
    else:
        say(_text(complete, versions, missing))
    return Exit.TOOL if missing else Exit.FINE


def _text(complete: dict[Extra, bool], versions: dict[str, str | None], missing: list[Extra]) -> str:
    from archdsl import __version__

    uses: dict[tuple[Extra, ...], list[str]] = defaultdict(list)
    for use, extras in NEEDS.items():
        uses[extras].append(use)
    rows = [
        (", ".join(extras) or "text tools", "ready" if all(complete[each] for each in extras) else "not ready", use)
        for extras, all_uses in uses.items()
        for use in _lines(all_uses)
    ]
    shown = [(name, version or "not installed") for name, version in sorted(versions.items())]
    lines = [
        f"archdsl {__version__}, Python {platform.python_version()} ({sys.executable}), {platform.platform()}\n",
        table(rows),
        table(shown),
        f"  {_gpu()}\n",
    ]
    if missing:
        lines.append(f"  {install_line(*missing)}\n")
    return "\n".join(lines)


_WIDTH = 80


def _lines(uses: list[str]) -> list[str]:
    """Commands side by side, in lines that a terminal has room for."""
    lines = [uses[0]]
    for use in uses[1:]:
        if len(lines[-1]) + len(use) > _WIDTH:
            lines.append(use)
        else:
            lines[-1] += f", {use}"
    return lines


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _gpu() -> str:
    """Whether TensorRT plans can run here; they can be built either way."""
    try:
        import ctypes

        driver = ctypes.CDLL("libcuda.so.1")
        number = ctypes.c_int(0)
        if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(number)) == 0 and number.value:
            return f"{number.value} GPU: plans are built, and can run"
    except OSError:
        pass
    return "no GPU: TensorRT plans are built and checked, and cannot run here"
