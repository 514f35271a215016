"""What the commands cost on FasterSeg's texts, against their budgets: `python -m benchmarks.commands`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import median_cpu_s
from benchmarks.report import Row, report

STUDENT = "spaces/genotypes/fasterseg_student.arch"
SPACE = "spaces/fasterseg.arch"


def commands(out: Path) -> list[tuple[list[str], float]]:
    """Command lines with their budgets in CPU seconds."""
    return [
        (["fmt", "--check", SPACE], 0.15),
        (["fmt", "--check", STUDENT], 0.15),
        (["check", SPACE], 0.4),
        (["check", STUDENT], 0.4),
        (["stats", SPACE], 0.5),
        (["stats", STUDENT], 0.5),
        (["compile", STUDENT, "--target", "onnx", "-o", str(out)], 1.5),
        (["compile", STUDENT, "--target", "trt", "-o", str(out)], 6.0),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each command, after one that is not counted")
    runs: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        rows = [
            Row("archdsl " + " ".join(arguments).replace(folder, "OUT"), median_cpu_s(arguments, runs), budget, "CPU s")
            for arguments, budget in commands(out)
        ]
    return report("commands", rows, f"CPU seconds of the whole process, median of {runs} runs")


if __name__ == "__main__":
    sys.exit(main())
