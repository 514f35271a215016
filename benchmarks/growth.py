"""How cost grows with size, on texts made for it: `python -m benchmarks.growth`.

Ten times the text or the network may cost at most twelve times as much, what it takes to start taken off.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import median_cpu_s
from benchmarks.report import Row, report
from benchmarks.texts import many_cells, many_lines

TENFOLD_LIMIT = 12.0


def grown(small: Sequence[str], large: Sequence[str], least: Sequence[str], runs: int) -> tuple[float, str]:
    """Large over small, each less what one cell takes, which is start-up; and the figures behind it."""
    small_s, large_s, least_s = (median_cpu_s(arguments, runs) for arguments in (small, large, least))
    figures = f"{small_s:.2f} and {large_s:.2f} CPU s, {least_s:.2f} to start"
    return (large_s - least_s) / (small_s - least_s), figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each command, after one that is not counted")
    runs: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)

        def text(name: str, content: str) -> str:
            (out / name).write_text(content, encoding="utf-8")
            return str(out / name)

        def compiling(file: str) -> list[str]:
            return ["compile", file, "--target", "onnx", "-o", str(out / "compiled")]

        one_cell = text("one_cell.arch", many_cells(1))
        checked, check_figures = grown(
            ["check", text("lines1000.arch", many_lines(1_000))],
            ["check", text("lines10000.arch", many_lines(10_000))],
            ["check", one_cell],
            runs,
        )
        compiled, compile_figures = grown(
            compiling(text("cells100.arch", many_cells(100))),
            compiling(text("cells1000.arch", many_cells(1_000))),
            compiling(one_cell),
            runs,
        )
    rows = [
        Row(f"archdsl check, 1,000 and 10,000 lines ({check_figures})", checked, TENFOLD_LIMIT, "times"),
        Row(
            f"archdsl compile --target onnx, 100 and 1,000 cells ({compile_figures})", compiled, TENFOLD_LIMIT, "times"
        ),
    ]
    return report("growth", rows, f"ten times as much, start-up taken off, medians of {runs} runs")


if __name__ == "__main__":
    sys.exit(main())
