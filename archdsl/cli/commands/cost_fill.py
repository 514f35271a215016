"""`archdsl cost fill`."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.cost_options import conditions, union_of_rows
from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import note, plural, say_json
from archdsl.cli.progress import Bar, working
from archdsl.ops import Shape

if TYPE_CHECKING:
    from archdsl.cost.tables import Measurement
    from archdsl.measure.fill import Filling
    from archdsl.pipeline import Loaded

    DurationType = click.ParamType[float]
else:
    DurationType = click.ParamType

_DURATION = re.compile(r"(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class Duration(DurationType):
    """`10m`, `1h30m`, `45s`, in seconds."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.fail(f"`{value}` is not a duration; write `10m`, `1h30m` or `45s`", param, ctx)
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return 3600 * hours + 60 * minutes + seconds


@click.command("fill")
@click.argument("targets", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--runtime",
    type=click.Choice(["eager", "ort", "compile", "openvino", "trt"]),
    required=True,
    help="What runs the rows: torch, ONNX Runtime, torch.compile, OpenVINO or TensorRT.",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Where it runs.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="TABLE", help="The table to fill.")
@click.option("--rounds", type=click.IntRange(1), help="Samples of each row; 20 for a median, 10 for a minimum.")
@click.option("--budget", type=Duration(), help="Stop after so long, as in `10m`; the same command continues.")
@click.option(
    "--calibrate",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="Networks of each space on which the factor is fitted.",
)
@overrides
@input_size
@text_or_json
def command(
    targets: tuple[str, ...],
    runtime: str,
    device: str,
    out: Path,
    rounds: int | None,
    budget: float | None,
    calibrate: int,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    form: str,
) -> int:
    """Measure the rows that a table lacks.

    FILE... are spaces, whose every row is measured, or networks. On one thread all rows and some networks take turns
    in each round. TABLE is written after every round, and its samples lie beside it, in TABLE's name with
    `.samples.jsonl`: whatever stops the command, the same command continues. Exit 1 where the budget ended it.
    """
    from archdsl.measure.choose import find_runtime
    from archdsl.measure.runtime import DeviceName, RuntimeName

    begun = time.monotonic()
    until = None if budget is None else begun + budget
    items = [load_or_leave(target, overrides, shape, form=form) for target in targets]
    wanted = union_of_rows(items, form=form)
    with working("starting the runtime"):
        found = find_runtime(RuntimeName(runtime), DeviceName(device))

        from archdsl.measure.fill import Filling

        networks = _networks(items, calibrate, found.conditions)
    with Filling.at(out, found, wanted, networks, rounds) as filling:
        try:
            _announce(filling, len(wanted))
            with Bar() as bar:
                done = filling.run(until=until, told=lambda step: bar.show(step.done, step.total, step.subject))
        except KeyboardInterrupt:
            note(f"interrupted; {_left(filling)}")
            return Exit.INTERRUPTED
        _report(filling, time.monotonic() - begun, form)
    return Exit.FINE if done else Exit.FINDINGS


def _networks(items: list[Loaded], count: int, conditions: Measurement) -> list[Any]:
    from archdsl.cost.tables import passes_of
    from archdsl.measure.subjects import calibration
    from archdsl.space.count import NotCounted

    networks: list[Any] = []
    for loaded in items if count else ():
        try:
            networks += calibration(loaded, count, passes_of(conditions))
        except NotCounted as error:
            note(f"no networks of `{loaded.name}` are drawn for the factor: {error}")
    return networks


def _announce(filling: Filling, wanted: int) -> None:
    from archdsl.measure.subjects import Whole

    waiting = [task.subject for task in filling.waiting]
    networks = sum(isinstance(subject, Whole) for subject in waiting)
    missing = len(waiting) - networks
    note(f"{filling.path}: {plural(wanted, 'row')} needed, {wanted - missing:,} there, {missing:,} missing")
    if waiting:
        with working("trying some of them"):
            seconds = filling.expected_seconds()
        more = f" and {plural(networks, 'whole network')}" if networks else ""
        note(f"{plural(missing, 'row')}{more} in {plural(filling.conditions.rounds, 'round')}: {_duration(seconds)}")


def _report(filling: Filling, seconds: float, form: str) -> None:
    table, load = filling.table(), filling.load()
    if form == "json":
        measured = table.measured
        say_json(
            {
                "table": str(filling.path),
                "rows": len(table.times),
                "missing": len(table.missing(table.times)),
                "unfinished": len(filling.waiting),
                "measured": measured and measured.model_dump(mode="json"),
                "cpu_share": load.cpu_share,
                "spread": load.spread,
                "busy": load.busy,
            }
        )
    if filling.waiting:
        note(_left(filling))
    note(f"{filling.path}: {plural(len(table.times), 'row')} {conditions(table)}; {_duration(seconds)}")
    if load.busy:
        note(f"the machine was busy: {load}; measure again when it is quiet")


def _left(filling: Filling) -> str:
    left = sum(filling.conditions.rounds - filling.samples.count(task.subject) for task in filling.waiting)
    return f"{plural(left, 'sample')} of {plural(len(filling.waiting), 'subject')} left; the same command continues"


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    parts = [(hours, "h"), (minutes, "min"), (whole % 60 if not hours else 0, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
