"""`archdsl sweep`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown
from archdsl.cli.options import text_or_json
from archdsl.cli.output import count as grouped
from archdsl.cli.output import note, plural, say, say_json, table
from archdsl.extras import require_for
from archdsl.staging import write_atomic

if TYPE_CHECKING:
    from archdsl.search.sweep.folder import SweepFolder
    from archdsl.search.sweep.grid import Point
    from archdsl.search.sweep.summary import Cost, Ended, Spread, Summary
    from archdsl.search.sweep.worker import Worker


@click.command("sweep")
@click.argument("source", metavar="SPACE|FOLDER")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTION...]")
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="The folder of the sweep.")
@click.option(
    "--over", "axes", multiple=True, metavar="NAME=V,V", help="A parameter and its values; several make a grid."
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Runs per point: seeds 0, 1, …")
@click.option(
    "--command",
    "swept",
    type=click.Choice(["search", "baseline", "train"]),
    default="search",
    show_default=True,
    help="What a member runs.",
)
@click.option(
    "--train", "training", metavar="OPTIONS", help="Then train what was found, with these options of `train`."
)
@click.option(
    "--cost", type=click.Path(path_type=Path), metavar="TABLE", help="The cost table that predicts latencies."
)
@click.option("--budget", metavar="2h", help="Of the whole sweep: wall time summed over members, or `20000 steps`.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Members that run at a time.")
@click.option(
    "--executor",
    type=click.Choice(["processes", "ray", "slurm"]),
    default="processes",
    show_default=True,
    help="Where members run.",
)
@click.option("--address", metavar="ADDRESS", help="Of the Ray cluster, such as `auto`; a local one without.")
@click.option(
    "--resource",
    "resources",
    multiple=True,
    metavar="NAME=VALUE",
    help="Of each worker: an option of Ray (`num_gpus=1`) or a parameter of submitit (`timeout_min=240`).",
)
@click.option("--retry", is_flag=True, help="Run failed members again, from their last checkpoints.")
@click.option("--status", is_flag=True, help="Run nothing: show how the sweep in FOLDER stands.")
@click.option(
    "--against",
    type=click.Choice(["latency", "macs", "params"]),
    help="The cost to compare; latency where it is known.",
)
@click.option(
    "-o", "plot", type=click.Path(path_type=Path), metavar="X.svg|png|pdf|dot|json", help="Draw accuracy against cost."
)
@text_or_json
def command(
    source: str,
    options: tuple[str, ...],
    out: Path | None,
    axes: tuple[str, ...],
    seeds: int,
    swept: str,
    training: str | None,
    cost: Path | None,
    budget: str | None,
    workers: int,
    executor: str,
    address: str | None,
    resources: tuple[str, ...],
    retry: bool,
    status: bool,
    against: str | None,
    plot: Path | None,
    form: str,
) -> int:
    """Run a search, or a training, for each value of parameters and each seed, and compare what comes out.

    Options behind `--` are those of the command that is swept: `archdsl sweep gas.arch:gas_s --over lambda=0,0.01
    --seeds 5 --out S -- --data streets --epochs 10`. FOLDER is a sweep that was begun; any number of processes may work
    on it at once. Ctrl-C and SIGTERM stop members at a checkpoint, and the same command goes on.
    """
    from archdsl.api import picture_format
    from archdsl.search.sweep.budget import Budget
    from archdsl.search.sweep.folder import State, SweepFolder
    from archdsl.search.sweep.stopping import stop_on_signals
    from archdsl.search.sweep.summary import Cost, Summary
    from archdsl.search.sweep.worker import Worker

    if plot is not None:
        picture_format(plot)
    limit = None if budget is None else Budget.parse(budget)
    if not status:
        require_for("sweep" if executor == "processes" else f"sweep --executor {executor}")
    if Path(source).is_dir():
        if out is not None or axes or options:
            raise click.UsageError("a sweep that was begun says itself what is swept: leave the options out")
        folder = SweepFolder.read(Path(source))
    else:
        if status or out is None:
            raise click.UsageError("name the folder of the sweep" if status else "give the sweep a folder by `--out`")
        with errors_shown(form):
            folder = _begun(source, out, axes, seeds, swept, options, training, cost)
    signal = 0
    if not status:
        if retry:
            folder.retry()
        if limit is not None:
            folder.limit(limit)
        with stop_on_signals() as request:
            _work(Worker(folder, request, note), executor, workers, address, resources)
        signal = request.signal
    summary = Summary.of(folder, None if against is None else Cost(against))
    if plot is not None:
        _draw(folder, summary, plot)
    if form == "json":
        say_json(_object(folder, summary))
    else:
        say(_text(summary, members=status))
        _tell(folder, summary)
    if signal:
        return 128 + signal
    return Exit.FINDINGS if summary.count(State.FAILED) else Exit.FINE


def _begun(
    source: str,
    out: Path,
    axes: tuple[str, ...],
    seeds: int,
    swept: str,
    options: tuple[str, ...],
    training: str | None,
    cost: Path | None,
) -> SweepFolder:
    """The sweep of a text in a folder, begun or joined. Raises NotLoaded, NotSwept."""
    from archdsl.search.sweep.begin import begin

    return begin(
        out,
        source,
        command=swept,
        axes=axes,
        seeds=seeds,
        options=options,
        training=None if training is None else tuple(shlex.split(training)),
        cost=cost,
    )


def _work(worker: Worker, executor: str, workers: int, address: str | None, resources: tuple[str, ...]) -> None:
    given = {name: _number(value) for name, _, value in (each.partition("=") for each in resources)}
    match executor:
        case "ray":
            from archdsl.search.sweep.executors.ray import work_on_ray

            work_on_ray(worker, workers, address=address, resources=given)
        case "slurm":
            from archdsl.search.sweep.executors.slurm import work_on_slurm

            work_on_slurm(worker, workers, resources=given)
        case _:
            from archdsl.search.sweep.executors.processes import work_here

            if given or address is not None:
                raise click.UsageError("`--address` and `--resource` are about machines: give `--executor` too")
            work_here(worker, workers)


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


# What is shown ----------------------------------------------------------------------------------

_SPELLED = {"latency": "latency, ms", "macs": "MACs", "params": "parameters"}


def _text(summary: Summary, *, members: bool) -> str:
    """Points with means and standard deviations over seeds, and the front; with `members` all of them too."""
    parts = [_points(summary)]
    if members:
        rows = [("member", "state")] + [(member.name, str(state)) for member, state in summary.states]
        parts.insert(0, table(rows))
    if summary.front:
        head = (_SPELLED[summary.against], "accuracy, %", "member", "genotype")
        parts.append("the front, which no other member beats in both:\n")
        parts.append(table([head, *(_row(each, summary.against) for each in summary.front)], right=(0, 1)))
    return "\n".join(parts)


def _points(summary: Summary) -> str:
    names = [name for name, _ in summary.points[0]]
    rows = [(*names, "runs", "accuracy, %", _SPELLED[summary.against])]
    for point in summary.points:
        accuracy = summary.spread(point, lambda result: 100 * result.accuracy)
        cost = summary.spread(point, summary.against.of)
        ended, whole = len(summary.at(point)), sum(member.point == point for member, _ in summary.states)
        values = (value for _, value in point)
        rows.append((*values, f"{ended}/{whole}", _spread(accuracy, ".2f"), _spread(cost, _digits(summary.against))))
    return table(rows, right=range(len(names), len(names) + 3))


def _digits(cost: Cost) -> str:
    return ".3f" if cost == "latency" else ",.0f"


def _spread(spread: Spread | None, digits: str) -> str:
    if spread is None:
        return "-"
    deviation = "" if spread.deviation is None else f" ± {spread.deviation:{digits}}"
    return f"{spread.mean:{digits}}{deviation}"


def _row(each: Ended, against: Cost) -> tuple[str, str, str, str]:
    cost = f"{against.of(each.result):{_digits(against)}}"
    return cost, f"{100 * each.result.accuracy:.2f}", each.member.name, each.result.genotype


def _tell(folder: SweepFolder, summary: Summary) -> None:
    """What is not done, and why."""
    from archdsl.search.sweep.folder import State

    for member, state in summary.states:
        failure = folder.failure(member) if state is State.FAILED else None
        if failure is not None:
            note(f"{member.name}: `{failure.step}` failed: {failure.message}")
    states = ((state, summary.count(state)) for state in State)
    spent = folder.spent
    took = f"{spent.seconds:,.0f} s of commands, {plural(spent.steps, 'step')}"
    note(f"{', '.join(f'{grouped(number)} {state}' for state, number in states if number)}; {took}")
    if summary.count(State.FAILED):
        note("`--retry` runs what failed again")
    left = summary.count(State.STOPPED) + summary.count(State.WAITING)
    if left and folder.is_spent:
        note(f"the budget of {folder.budget} is spent: give a larger `--budget` to go on")


def _draw(folder: SweepFolder, summary: Summary, out: Path) -> None:
    from archdsl.api import picture_format
    from archdsl.render import render
    from archdsl.search.sweep.picture import sweep_picture

    picture = sweep_picture(folder.plan.source, summary)
    if picture is None:
        note(f"no member is done: `{out}` is not drawn")
    else:
        write_atomic(out, render(picture, picture_format(out)))
        note(str(out))


def _object(folder: SweepFolder, summary: Summary) -> dict[str, Any]:
    spent, budget = folder.spent, folder.budget
    results = {each.member: each.result for each in summary.ended}
    members: list[dict[str, Any]] = []
    for member, state in summary.states:
        result, failure = results.get(member), folder.failure(member)
        members.append(
            {
                "name": member.name,
                "point": dict(member.point),
                "seed": member.seed,
                "state": str(state),
                "genotype": result and result.genotype,
                "accuracy": result and result.accuracy,
                "params": result and result.params,
                "macs": result and result.macs,
                "latency_ms": result and result.latency_ms,
                "failure": failure and {"step": failure.step, "exit": failure.exit, "message": failure.message},
            }
        )
    return {
        "against": str(summary.against),
        "members": members,
        "points": [_point_object(summary, point) for point in summary.points],
        "front": [each.member.name for each in summary.front],
        "spent": {"seconds": spent.seconds, "steps": spent.steps},
        "budget": None if budget is None else str(budget),
    }


def _point_object(summary: Summary, point: Point) -> dict[str, Any]:
    spreads = {
        "accuracy": summary.spread(point, lambda result: result.accuracy),
        str(summary.against): summary.spread(point, summary.against.of),
    }
    return {
        "point": dict(point),
        "runs": len(summary.at(point)),
        **{name: spread and {"mean": spread.mean, "deviation": spread.deviation} for name, spread in spreads.items()},
    }
