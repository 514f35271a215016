"""`archdsl baseline`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.cost_options import cost_table, rows_there
from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown, show
from archdsl.cli.options import FrameSize, data_size, input_size, overrides, text_or_json
from archdsl.cli.output import note, say, say_json, table
from archdsl.cli.progress import Bar
from archdsl.cli.trials import candidate_line, percent, show_training
from archdsl.extras import require_for
from archdsl.ops import Shape

if TYPE_CHECKING:
    from archdsl.search.baselines.candidates import Candidate, Summary
    from archdsl.search.baselines.strategies import Name
    from archdsl.search.trials.baseline import Evaluate, Outcome


@click.command("baseline")
@click.argument("space", metavar="SPACE")
@click.option("--by", required=True, type=click.Choice(["random", "evolution", "local"]), help="The strategy.")
@click.option("--data", "written", default="streets", show_default=True, metavar="KIND:PATH", help="What to train on.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="RUN", help="The folder of the run.")
@click.option(
    "--evaluations", type=click.IntRange(1), default=10, show_default=True, help="The budget: so many candidates."
)
@click.option("--recipe", metavar="NAME", help="The `train` item to use, if the space has several.")
@click.option("--iterations", type=click.IntRange(1), help="Of each candidate's training, instead of the recipe's.")
@click.option("--epochs", type=click.IntRange(1), help="Instead of the recipe's length.")
@click.option("--batch", type=click.IntRange(1), help="Instead of the recipe's.")
@click.option("--crop", type=FrameSize(), metavar="HxW", help="The crop size in training, instead of the recipe's.")
@click.option(
    "--where",
    "wheres",
    multiple=True,
    metavar="'latency < 8ms'",
    help="Only candidates that meet this; also of params, macs and activations.",
)
@cost_table
@click.option(
    "--supernet",
    type=click.Path(path_type=Path, exists=True),
    metavar="RUN",
    help="The run of a search: candidates have the weights of its supernet, and are not trained.",
)
@click.option("--population", type=click.IntRange(2), default=10, show_default=True, help="Of evolution.")
@click.option("--tournament", type=click.IntRange(1), default=3, show_default=True, help="Of evolution.")
@click.option(
    "--move",
    type=click.Choice(["best", "first"]),
    default="best",
    show_default=True,
    help="Of local search: to the best of all neighbours, or to the first better one.",
)
@click.option("--resume", is_flag=True, help="Continue a run, also with a larger budget.")
@data_size
@click.option("--score-on", default="val", show_default=True, metavar="SPLIT", help="On which they are compared.")
@click.option("--train-on", default="train", show_default=True, metavar="SPLIT")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of proposals and trainings.")
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@overrides
@input_size
@text_or_json
def command(
    space: str,
    by: Name,
    written: str,
    out: Path,
    evaluations: int,
    recipe: str | None,
    iterations: int | None,
    epochs: int | None,
    batch: int | None,
    crop: tuple[int, int] | None,
    wheres: tuple[str, ...],
    cost: Path | None,
    supernet: Path | None,
    population: int,
    tournament: int,
    move: str,
    resume: bool,
    data_size: tuple[int, int] | None,
    score_on: str,
    train_on: str,
    seed: int,
    precision: str,
    device: str,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    form: str,
) -> int:
    """Search SPACE by a baseline: random search, regularised evolution or local search.

    Each candidate is trained from the same seed for the same time, or with `--supernet` takes the weights that a search
    left, and they are compared by mIoU, of whole images by top-1. The best is written to `RUN/genotype.arch`, all of
    them to the journal. Ctrl-C and SIGTERM keep what there is, and `--resume` continues.
    Predicted costs are those of an image of `--input`, without it of the size in the text.
    """
    require_for("baseline")

    from archdsl.data import open_data
    from archdsl.pipeline.sample import unreachable
    from archdsl.search.baselines.strategies import Choice
    from archdsl.search.derive.where import Where
    from archdsl.search.trials.baseline import run_baseline
    from archdsl.search.trials.prepare import BaselineRequest, open_space, prepare_baseline
    from archdsl.search.trials.searched import searched_space
    from archdsl.search.trials.short_training import Trainings, read_once
    from archdsl.search.trials.supernet_accuracy import SupernetAccuracy
    from archdsl.train.distributed import fabric_of
    from archdsl.train.prepare import TrainRequest, inputs_of_text

    with errors_shown(form):
        inputs = inputs_of_text(space, dict(overrides))
    data = read_once(open_data(written, size=data_size, seed=seed, inputs=inputs))
    training = TrainRequest(
        genotype=space,
        out=out,
        recipe=recipe,
        crop=crop,
        batch=batch,
        epochs=epochs,
        iterations=iterations,
        seed=seed,
        overrides=dict(overrides),
        train_on=train_on,
        score_on=score_on,
    )
    choice = Choice(by, population, tournament, "first" if move == "first" else "best")
    if supernet is not None and (recipe or iterations or epochs or batch or crop):
        raise click.UsageError("with `--supernet` nothing is trained: leave out the recipe, its length, batch and crop")
    request = BaselineRequest(
        training, choice, evaluations, tuple(map(Where.parse, wheres)), cost, shape and shape.size
    )
    fabric = fabric_of(device, precision)
    with errors_shown(form):
        loaded = open_space(request, data)
        if supernet is not None:
            request = replace(request, supernet=searched_space(supernet, fabric.device), in_supernet=True)
    if loaded.diagnostics:
        show(loaded.diagnostics, "text")
    with rows_there(cost, space, loaded, shape, form):
        with errors_shown(form):
            prepared = prepare_baseline(request, loaded, data)
        if fabric.is_global_zero:
            how = f"of {prepared.steps} steps" if supernet is None else f"with the weights of `{supernet}`"
            for sentence in (*prepared.notices, f"{choice}: {evaluations} candidates {how}"):
                note(sentence)
            if (why := unreachable(loaded, out)) is not None:
                note(why)
        with Bar(shown=fabric.is_global_zero) as bar:
            evaluate: Evaluate = Trainings(
                training,
                data,
                fabric,
                watch=lambda number, progress: show_training(bar, number, evaluations, progress),
                tell=bar.print,
            )
            if request.supernet is not None:
                weights = request.supernet.supernet
                accuracy = SupernetAccuracy(weights, data, fabric.device, train_on, score_on, seed)
                evaluate = accuracy.of_candidate
            outcome = run_baseline(
                prepared.baseline,
                evaluate,
                fabric,
                resume=resume,
                watch=lambda candidate: bar.print(candidate_line(candidate, evaluations, data.merit)),
            )
    if fabric.is_global_zero:
        _end(outcome, out, evaluations, data.merit, form)
    return 128 + outcome.signal if outcome.signal else Exit.FINE


def _end(outcome: Outcome, out: Path, evaluations: int, merit: str, form: str) -> None:
    from archdsl.search.baselines.candidates import Summary, best_of
    from archdsl.search.baselines.found import GENOTYPE

    found = outcome.candidates
    if len(found) < evaluations:
        note(f"stopped after {len(found)} of {evaluations} candidates; resume with `--resume`")
    if not found:
        return
    best, summary = best_of(found), Summary.of(found)
    if form == "json":
        say_json({"out": str(out), "finished": len(found) == evaluations, "best": _object(best), **_all(summary)})
        return
    say(str(out / GENOTYPE))
    spread = "" if summary.deviation is None else f" ± {percent(summary.deviation)}"
    rows = [
        ("", f"{merit}, %", "latency, ms", "FPS"),
        (f"best of {summary.count}", percent(best.accuracy), *_times(best.latency_ms)),
        (f"all {summary.count}", f"{percent(summary.mean)}{spread}", *_spans(summary.latency_ms, summary.fps)),
    ]
    kept = [row if summary.latency_ms else row[:2] for row in rows]
    note(table(kept, right=(1, 2, 3)))


def _times(latency_ms: float | None) -> tuple[str, str]:
    return ("", "") if latency_ms is None else (f"{latency_ms:,.3f}", f"{1e3 / latency_ms:,.1f}")


def _spans(latency_ms: tuple[float, float, float] | None, fps: float | None) -> tuple[str, str]:
    if latency_ms is None or fps is None:
        return "", ""
    least, mean, greatest = latency_ms
    return f"{mean:,.3f} ({least:,.3f} to {greatest:,.3f})", f"{fps:,.1f}"


def _object(candidate: Candidate) -> dict[str, Any]:
    return {"number": candidate.number, **candidate.values}


def _all(summary: Summary) -> dict[str, Any]:
    return {
        "mean": summary.mean,
        "deviation": summary.deviation,
        "latency_ms": summary.latency_ms and dict(zip(("least", "mean", "greatest"), summary.latency_ms, strict=True)),
        "fps": summary.fps,
    }
