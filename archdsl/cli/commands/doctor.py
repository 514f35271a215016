"""`archdsl doctor`."""

from __future__ import annotations

import importlib.metadata
import platform
import sys

import click

from archdsl.cli.exits import Exit
from archdsl.cli.options import text_or_json
from archdsl.cli.output import say, say_json, table

_PARTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("check, fmt, show, stats, expand, sample, diff", "read texts", ("lark", "networkx", "click")),
    ("draw", "pictures", ("pygraphviz",)),
    ("compile --target torch", "torch networks", ("torch", "numpy", "safetensors", "pydantic")),
    ("compile --target onnx", "ONNX files", ("onnx", "numpy", "pydantic")),
    ("compile --target trt", "TensorRT plans", ("onnx", "tensorrt-rtx")),
    ("verify", "parity", ("torch", "onnxruntime")),
)


@click.command("doctor")
@text_or_json
def command(form: str) -> int:
    """Say what is installed, and how what is missing is installed."""
    found = {name: _version(name) for _, _, names in _PARTS for name in names}
    missing = [name for name, version in found.items() if version is None]
    ready = {part: all(found[name] for name in names) for part, _, names in _PARTS}
    if form == "json":
        say_json(
            {"python": platform.python_version(), "versions": found, "ready": ready, "missing": missing, "gpu": _gpu()}
        )
    else:
        say(_text(found, ready, missing))
    return Exit.TOOL if missing else Exit.FINE


def _text(found: dict[str, str | None], ready: dict[str, bool], missing: list[str]) -> str:
    from archdsl import __version__

    rows = [(part, what, "ready" if ready[part] else "not ready") for part, what, _ in _PARTS]
    versions = [(name, version or "not installed") for name, version in sorted(found.items())]
    lines = [
        f"archdsl {__version__}, Python {platform.python_version()} ({sys.executable}), {platform.platform()}\n",
        table(rows),
        table(versions),
        f"  {_gpu()}\n",
    ]
    lines += [f"  pip install {name}\n" for name in missing]
    return "\n".join(lines)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _gpu() -> str:
    """Whether compiled plans can run here; they are built either way."""
    try:
        import ctypes

        driver = ctypes.CDLL("libcuda.so.1")
        number = ctypes.c_int(0)
        if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(number)) == 0 and number.value:
            return f"{number.value} GPU: plans are built, and can run"
    except OSError:
        pass
    return "no GPU: TensorRT plans are built and checked, and cannot run here"
