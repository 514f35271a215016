"""`archdsl bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.options import input_size, text_or_json
from archdsl.cli.output import plural, say, say_json, table
from archdsl.cli.progress import Bar
from archdsl.extras import ToolMissing, require_for

if TYPE_CHECKING:
    from archdsl.backends.bench.timing import Spread, Timing
    from archdsl.backends.manifest import Manifest
    from archdsl.backends.protocol import Shapes
    from archdsl.ir import ClosedGraph
    from archdsl.ops import Shape


@click.command("bench")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--runs", type=click.IntRange(1), default=30, show_default=True, help="Runs that are timed, one by one.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads.")
@click.option("--trust", is_flag=True, help="Run code in OUT that is not what this version writes for its text.")
@input_size
@text_or_json
def command(out: Path, runs: int, threads: int, trust: bool, shape: Shape | None, form: str) -> int:
    """Time compiled files on one image: ONNX files, standalone torch files, TensorRT plans.

    OUT is a file that `compile` wrote, or a folder of them. The median and the spread are of single images; how busy
    the machine was is stated beside them. Of a torch file only code is run that is made anew from the text that its
    manifest names and equal to it; other code, and TensorRT plans, run with `--trust`.
    """
    require_for(f"bench FILE{out.suffix}")

    from archdsl.backends.bench.files import find_files, open_file
    from archdsl.backends.bench.timing import time_subject, warm_up_of
    from archdsl.backends.failures import TargetFailed, Untrusted

    found: list[tuple[Path, Timing | str]] = []
    total = warm_up_of(runs) + runs
    code = Exit.FINE
    for file in find_files(out):
        try:
            subject = open_file(file, shape, threads, _graph_of, trust=trust)
            with Bar() as bar:
                name = file.name
                found.append((file, time_subject(subject, runs, lambda done: bar.show(done, total, name))))  # noqa: B023 - called at once
        except Untrusted as refused:
            if file == out:
                raise
            found.append((file, str(refused)))
            code = code or Exit.USAGE
        except (TargetFailed, ToolMissing) as failure:
            found.append((file, str(failure)))
            code = Exit.TOOL
    if form == "json":
        say_json({"files": [_object(file, each) for file, each in found]})
    else:
        say("\n".join(_text(file, each) for file, each in found))
    return code


def _graph_of(manifest: Manifest) -> ClosedGraph | str:
    """Of the text that a manifest names, which may be anybody's: no text makes code that is not ours."""
    from archdsl import api
    from archdsl.pipeline import NotLoaded

    if not manifest.sources:
        return "its manifest names no text"
    text = manifest.sources[0].path
    given = {name: str(value) for name, value in manifest.parameters.items()}
    height, width = manifest.inputs[0].shape[2:]
    try:
        return api.closed_graph(api.load_for(f"{text}:{manifest.name}", None, overrides=given, size=(height, width)))
    except (NotLoaded, api.Refused):
        return f"there is no `{manifest.name}` to make it anew from in `{text}`, which its manifest names"


def _text(file: Path, timing: Timing | str) -> str:
    if isinstance(timing, str):
        return f"{file}: not timed\n  {timing}\n"
    rows = [("", "median", "p10", "p90"), ("wall", *_spread(timing.wall)), ("CPU", *_spread(timing.cpu))]
    threads = "1 thread" if timing.threads == 1 else f"{timing.threads} threads"
    load = f"load {timing.load_before:.2f} before and {timing.load_after:.2f} after, {timing.cores} cores"
    busy = "\n  the machine was busy: wall times say less than CPU times" if timing.busy else ""
    return (
        f"{file}: {plural(timing.runs, 'image')} of {_shapes(timing.inputs)}, after {timing.warm_up} to warm up\n"
        f"{table(rows, right=(1, 2, 3))}"
        f"  {timing.runtime} {timing.version}, {threads}, {timing.device}\n"
        f"  {load}{busy}\n"
    )


def _shapes(inputs: Shapes) -> str:
    """`1x3x64x128`; with their names where there are several."""
    shapes = {name: "x".join(map(str, shape)) for name, shape in inputs.items()}
    return " and ".join(shapes.values() if len(shapes) == 1 else (f"{name} {each}" for name, each in shapes.items()))


def _spread(spread: Spread) -> tuple[str, str, str]:
    return _ms(spread.median_ms), _ms(spread.p10_ms), _ms(spread.p90_ms)


def _ms(value: float) -> str:
    return f"{value:.3f} ms" if value < 10 else f"{value:.1f} ms"


def _object(file: Path, timing: Timing | str) -> dict[str, Any]:
    if isinstance(timing, str):
        return {"file": str(file), "not_timed": timing}
    return {
        "file": str(file),
        "not_timed": None,
        "runtime": timing.runtime,
        "version": timing.version,
        "device": timing.device,
        "threads": timing.threads,
        "input": list(next(iter(timing.inputs.values()))),
        "inputs": {name: list(shape) for name, shape in timing.inputs.items()},
        "warm_up": timing.warm_up,
        "runs": timing.runs,
        "wall_ms": _numbers(timing.wall),
        "cpu_ms": _numbers(timing.cpu),
        "cores": timing.cores,
        "load": {"before": timing.load_before, "after": timing.load_after},
        "busy": timing.busy,
    }


def _numbers(spread: Spread) -> dict[str, float]:
    return {"median": spread.median_ms, "p10": spread.p10_ms, "p90": spread.p90_ms}
