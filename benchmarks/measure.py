"""The CPU time of a whole process, its children included."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


class Failed(Exception):
    """A measured command did not end with exit code 0."""


def cpu_s(arguments: Sequence[str]) -> float:
    """User and system seconds of one run of `archdsl`. Raises Failed."""
    command = [sys.executable, "-m", "archdsl", *arguments]
    # As where archdsl is installed: what Python has compiled once it reads from its cache.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"`archdsl {' '.join(arguments)}` ended with {process.returncode}: {said.decode().strip()}")
    return usage.ru_utime + usage.ru_stime


def median_cpu_s(arguments: Sequence[str], runs: int) -> float:
    """After a run that fills the caches (the grammar's tables, compiled bytecode, the disk's)."""
    cpu_s(arguments)
    return statistics.median(cpu_s(arguments) for _ in range(runs))


def machine() -> dict[str, str]:
    """What the figures depend on."""
    libraries = ("click", "lark", "networkx", "numpy", "onnx", "pydantic", "torch")
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f}",
        **{name: version(name) for name in libraries},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
