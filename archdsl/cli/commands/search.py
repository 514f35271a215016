"""`archdsl search`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.cost_options import rows_there
from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown
from archdsl.cli.options import FrameSize, data_size, keep_maps, memory_budget, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.cli.progress import Bar
from archdsl.cli.runs import show_progress
from archdsl.extras import require_for

if TYPE_CHECKING:
    from archdsl.train import Outcome


@click.command("search")
@click.argument("space", metavar="SPACE")
@click.option("--data", "written", default="streets", show_default=True, metavar="KIND:PATH", help="What to search on.")
@click.option("--pretrain", metavar="KIND:PATH", help="The data of a phase that pretrains, as `folder:imagenet`.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="RUN", help="The folder of the run.")
@click.option("--resume", is_flag=True, help="Continue from the newest checkpoint of the run.")
@data_size
@click.option("--crop", type=FrameSize(), metavar="HxW", help="The crop size, instead of the text's.")
@click.option("--batch", type=click.IntRange(1), help="Of every phase, instead of the text's.")
@click.option("--epochs", type=click.IntRange(1), help="Of every phase, instead of the text's length.")
@click.option("--iterations", type=click.IntRange(1), help="Of every phase, instead of the text's length.")
@click.option(
    "--cost",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="TABLE",
    help="The cost table, instead of those that the text names.",
)
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
@click.option(
    "--score-on", default="val", show_default=True, metavar="SPLIT", help="The split that networks are scored on."
)
@click.option(
    "--eigenvalue",
    type=click.IntRange(1),
    metavar="EPOCHS",
    help="Measure the dominant eigenvalue of the loss by the logits after each so many epochs.",
)
@click.option("--train-on", default="train", show_default=True, metavar="SPLIT")
@click.option("--save-every", type=click.IntRange(1), metavar="STEPS", help="Steps between two checkpoints.")
@memory_budget
@keep_maps
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@overrides
@text_or_json
def command(
    space: str,
    written: str,
    pretrain: str | None,
    out: Path,
    resume: bool,
    data_size: tuple[int, int] | None,
    crop: tuple[int, int] | None,
    batch: int | None,
    epochs: int | None,
    iterations: int | None,
    cost: Path | None,
    accumulate: int,
    score_every: int,
    score_on: str,
    eigenvalue: int | None,
    train_on: str,
    save_every: int | None,
    memory_bytes: int | None,
    keep_maps: bool,
    seed: int,
    precision: str,
    device: str,
    overrides: tuple[tuple[str, str], ...],
    form: str,
) -> int:
    """Search SPACE as its `search` item says, and derive a genotype.

    SPACE is a space with one search, or a search: `spaces/gas.arch:gas_s`. The genotype goes to RUN/genotype.arch,
    beside it logits after each epoch, the weights of the supernet, a journal and checkpoints. Ctrl-C and SIGTERM save a
    checkpoint and exit, and `--resume` continues from it. On several devices start it with `torchrun`.
    """
    require_for("search")

    from archdsl.data import open_data
    from archdsl.search.run import SearchRequest, forecast, inputs_of_search, prepare, search
    from archdsl.train.distributed import fabric_of

    with errors_shown(form):
        inputs = inputs_of_search(space, dict(overrides))
    data = open_data(written, size=data_size, seed=seed, inputs=inputs)
    pretraining = None if pretrain is None else open_data(pretrain, seed=seed, inputs=inputs)
    request = SearchRequest(
        space=space,
        out=out,
        crop=crop,
        batch=batch,
        epochs=epochs,
        iterations=iterations,
        seed=seed,
        overrides=dict(overrides),
        cost=cost,
        score_every=score_every,
        eigenvalue_every=eigenvalue,
        save_every_steps=save_every,
        accumulate=accumulate,
        train_on=train_on,
        score_on=score_on,
        memory_bytes=memory_bytes,
        keep_maps=keep_maps,
    )
    with errors_shown(form):
        prepared = prepare(request, data, pretraining)
    fabric = fabric_of(device, precision)
    with errors_shown(form):
        expected = forecast(prepared.setup, fabric.device)
    if fabric.is_global_zero:
        for sentence in (*prepared.notices, expected.text):
            note(sentence)
    loaded = prepared.setup.loaded
    priced = rows_there(Path(prepared.setup.table_name), space, loaded, loaded.program.image.shape, form)
    with errors_shown(form), priced, Bar(shown=fabric.is_global_zero) as bar:
        outcome = search(
            prepared.setup, fabric, resume=resume, watch=lambda progress: show_progress(bar, progress), tell=bar.print
        )
    if fabric.is_global_zero:
        _end(outcome, out, form)
    return 128 + outcome.signal if outcome.signal else Exit.FINE


def _end(outcome: Outcome, out: Path, form: str) -> None:
    genotype = out / "genotype.arch"
    if form == "json":
        found = str(genotype) if outcome.finished and genotype.exists() else None
        say_json({"finished": outcome.finished, "step": outcome.step, "best": outcome.best, "genotype": found})
    elif not outcome.finished:
        note(f"saved after step {outcome.step}; resume with `--resume`")
    elif genotype.exists():
        say(str(genotype))
    else:
        note("no phase searched anything: there is no genotype")
