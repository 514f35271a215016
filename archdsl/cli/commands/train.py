"""`archdsl train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown
from archdsl.cli.options import FrameSize, data_size, output_name, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.cli.progress import Bar
from archdsl.cli.runs import show_progress
from archdsl.extras import require_for

if TYPE_CHECKING:
    from archdsl.train import Outcome
    from archdsl.train.prepare import InitWeights, Prepared

_SHOWN = 8
"""The largest number of tensor names in a list."""


@click.command("train")
@click.argument("genotype", metavar="GENOTYPE")
@click.option("--data", "written", default="streets", show_default=True, metavar="KIND:PATH", help="What to train on.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="RUN", help="The folder of the run.")
@click.option("--recipe", metavar="NAME", help="The `train` item to use, if the space has several.")
@click.option(
    "--teacher",
    type=click.Path(path_type=Path, exists=True),
    metavar="RUN",
    help="The run of the teacher in distillation.",
)
@click.option(
    "--init", type=click.Path(path_type=Path, exists=True), metavar="W", help="Initial weights: a file or a run."
)
@click.option("--resume", is_flag=True, help="Continue from the newest checkpoint of the run.")
@data_size
@click.option("--crop", type=FrameSize(), metavar="HxW", help="The crop size in training, instead of the recipe's.")
@click.option("--batch", type=click.IntRange(1), help="Instead of the recipe's.")
@click.option("--epochs", type=click.IntRange(1), help="Instead of the recipe's length.")
@click.option("--iterations", type=click.IntRange(1), help="Instead of the recipe's length.")
@click.option(
    "--accumulate",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Micro-batches per step (gradient accumulation).",
)
@click.option(
    "--score-every", type=click.IntRange(1), default=1, show_default=True, help="Epochs between two evaluations."
)
@click.option("--score-on", default="val", show_default=True, metavar="SPLIT", help="The split that picks the best.")
@click.option("--train-on", default="train", show_default=True, metavar="SPLIT")
@click.option("--save-every", type=click.IntRange(1), metavar="STEPS", help="Steps between two checkpoints.")
@click.option(
    "--features", default="", metavar="PART", help="For image folders: the part whose last feature map is classified."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@output_name
@overrides
@text_or_json
def command(
    genotype: str,
    written: str,
    out: Path,
    recipe: str | None,
    teacher: Path | None,
    init: Path | None,
    resume: bool,
    data_size: tuple[int, int] | None,
    crop: tuple[int, int] | None,
    batch: int | None,
    epochs: int | None,
    iterations: int | None,
    accumulate: int,
    score_every: int,
    score_on: str,
    train_on: str,
    save_every: int | None,
    features: str,
    seed: int,
    precision: str,
    device: str,
    output: str | None,
    overrides: tuple[tuple[str, str], ...],
    form: str,
) -> int:
    """Train the network of GENOTYPE on segmented images, or on folders of images by class.

    On folders a classifier of whole images is trained, and any other network is pretrained by a head of its own.

    The recipe is the `train` item of its space. Weights, a journal and checkpoints go to RUN; Ctrl-C and SIGTERM save
    a checkpoint and exit, and `--resume` continues from it. On several devices start it with `torchrun`.
    """
    require_for("train")

    from archdsl.data import open_data
    from archdsl.train import train
    from archdsl.train.distributed import fabric_of
    from archdsl.train.prepare import TrainRequest, inputs_of_text, prepare

    with errors_shown(form):
        inputs = inputs_of_text(genotype, dict(overrides))
    data = open_data(written, size=data_size, seed=seed, inputs=inputs)
    request = TrainRequest(
        genotype=genotype,
        out=out,
        recipe=recipe,
        teacher=teacher,
        init=init,
        crop=crop,
        batch=batch,
        epochs=epochs,
        iterations=iterations,
        seed=seed,
        overrides=dict(overrides),
        score_every=score_every,
        save_every_steps=save_every,
        accumulate=accumulate,
        train_on=train_on,
        score_on=score_on,
        output=output,
        features=features,
    )
    with errors_shown(form):
        prepared = prepare(request, data)
    fabric = fabric_of(device, precision)
    if fabric.is_global_zero:
        _tell(prepared)
    with Bar(shown=fabric.is_global_zero) as bar:
        outcome = train(
            prepared.setup, fabric, resume=resume, watch=lambda progress: show_progress(bar, progress), tell=bar.print
        )
    if fabric.is_global_zero:
        _end(outcome, out, form)
    return 128 + outcome.signal if outcome.signal else Exit.FINE


def _tell(prepared: Prepared) -> None:
    for sentence in prepared.notices:
        note(sentence)
    if prepared.initial is not None:
        note(_initial(prepared.initial))


def _initial(initial: InitWeights) -> str:
    """Which tensors are initialised from the file, and which are not."""
    lines = [*initial.notices, f"{len(initial.tensors)} tensors are initialised from the file"]
    shapes = [
        f"{name} ({_shape(found)} in the file, {_shape(wanted)} in the network)"
        for name, found, wanted in initial.mismatched
    ]
    for what, names in (
        ("of another shape, initialised at random", shapes),
        ("not in the file, initialised at random", list(initial.new)),
        ("only in the file, unused", list(initial.unused)),
    ):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            lines.append(f"  {len(names)} {what}: {', '.join(names[:_SHOWN])}{more}")
    return "\n".join(lines)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _end(outcome: Outcome, out: Path, form: str) -> None:
    if form == "json":
        say_json(
            {
                "finished": outcome.finished,
                "step": outcome.step,
                "best": outcome.best,
                "out": str(out),
            }
        )
    elif not outcome.finished:
        note(f"saved after step {outcome.step}; resume with `--resume`")
    else:
        say(str(out / "best.safetensors"))
        if outcome.best is not None:
            over = "" if outcome.scores is None else outcome.scores.over
            note(f"best score {100 * outcome.best:.2f} %{over}")
