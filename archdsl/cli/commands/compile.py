"""`archdsl compile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.backends.options import Emit, Precision
from archdsl.backends.registry import SUPERNET, target_names
from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown, load_or_leave, show
from archdsl.cli.options import input_size, keep_maps, memory_budget, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.cli.parity import parity_object, parity_text
from archdsl.cli.progress import working
from archdsl.extras import require_for
from archdsl.ops import Shape
from archdsl.text import visible_line

if TYPE_CHECKING:
    from archdsl.backends import Compiled


@click.command("compile")
@click.argument("target", metavar="FILE")
@click.option(
    "--target", "wanted", required=True, metavar="|".join((*target_names(), SUPERNET)), help="What to compile to."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A folder, or a file with the target's suffix.")
@click.option("--precision", default=Precision.FP32.value, show_default=True, metavar="|".join(Precision))
@click.option(
    "--emit",
    default=Emit.LOGITS.value,
    metavar="|".join(Emit),
    show_default=True,
    help="`labels` puts the resize to the image's size and the argmax into the graph.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="A file of weights or a run; random ones without it.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the random weights.")
@click.option("--verify", is_flag=True, help="Compare what was built with the torch network, and write it down.")
@overrides
@memory_budget
@keep_maps
@click.option(
    "--batch", type=click.IntRange(1), default=1, show_default=True, help="With a supernet: images of a step."
)
@input_size
@text_or_json
def command(
    target: str,
    wanted: str,
    out: Path | None,
    precision: str,
    emit: str,
    weights: Path | None,
    seed: int,
    verify: bool,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    memory_bytes: int | None,
    keep_maps: bool,
    batch: int,
    form: str,
) -> int:
    """Compile the network of FILE to torch, ONNX, TensorRT, or a target of an installed package.

    `torch` is one readable Python file that needs only torch, with its weights beside it. A manifest says what was
    compiled from what. Without `-o` everything goes to `compiled/NAME/`.

    `supernet`, of a space or of a genotype that leaves questions open, writes what a search would run: the questions,
    the plan of steps, and what a step takes by cell, as text and JSON. `archdsl.supernet` gives the module itself.
    """
    if wanted == SUPERNET:
        _refuse_for_supernet(precision, emit, weights, seed, verify=verify)
        return _supernet(target, out, overrides, shape, batch, memory_bytes, form, keep_maps=keep_maps)
    if memory_bytes is not None or keep_maps or batch != 1:
        raise click.UsageError(
            "`--memory`, `--keep-maps` and `--batch` are about a step of a supernet: compile to `supernet`"
        )
    require_for(f"compile --target {wanted}")
    if verify:
        require_for(f"compile --target {wanted} --verify")

    from archdsl import api
    from archdsl.backends import Refused, compile_graph

    loaded = load_or_leave(target, overrides, shape, form=form, weights=weights)
    with errors_shown(form):
        request = api.request(loaded, wanted, out, precision, emit, weights, seed, verify=verify, written=target)
    for sentence in request.notices:
        note(sentence)
    with working(f"compiling `{loaded.name}` to {wanted}"):
        compiled = compile_graph(request)
    if isinstance(compiled, Refused):
        raise api.Refused(f"{compiled.message}: {compiled.help}" if compiled.help else compiled.message)
    if form == "json":
        say_json(_object(compiled))
    else:
        _show(compiled, seed if weights is None else None)
    return Exit.FINE if compiled.within() else Exit.BEYOND_TOLERANCE


def _show(compiled: Compiled, seed: int | None) -> None:
    for file in compiled.files:
        say(visible_line(str(file)))
    if seed is not None:
        note(f"the weights are random (seed {seed}); give trained ones with `--weights FILE`")
    if compiled.parity is not None:
        say(parity_text(compiled.parity))


def _object(compiled: Compiled) -> dict[str, object]:
    return {
        "files": [str(file) for file in compiled.files],
        "weights": compiled.manifest.weights.model_dump(mode="json"),
        "parity": None if compiled.parity is None else parity_object(compiled.parity),
    }


def _refuse_for_supernet(precision: str, emit: str, weights: Path | None, seed: int, *, verify: bool) -> None:
    """Options that are about files to run. Raises Refused for the first one that asks for something."""
    from archdsl.api import Refused

    module = "`archdsl.supernet(path, weights = FILE, seed = N)` gives the module with weights"
    asked = {
        "--weights": (weights is not None, f"it has no weights; {module}"),
        "--seed": (seed != 0, f"it has no weights; {module}"),
        "--precision": (precision != Precision.FP32, "it counts 32-bit numbers"),
        "--emit": (emit != Emit.LOGITS, "a supernet gives logits"),
        "--verify": (verify, "there is no file to compare with the torch network"),
    }
    for option, (given, reason) in asked.items():
        if given:
            raise Refused(f"the report of a supernet has no use for `{option}`: {reason}; take it out")


def _supernet(
    target: str,
    out: Path | None,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    batch: int,
    memory_bytes: int | None,
    form: str,
    *,
    keep_maps: bool,
) -> int:
    """Write the report of a space's supernet."""
    import json

    from archdsl import api
    from archdsl.backends import Refused
    from archdsl.backends.output import REPORT_SUFFIXES, output_path
    from archdsl.cli.supernets import report_object, report_text
    from archdsl.staging import staged

    loaded = load_or_leave(target, overrides, shape, form=form)
    place = output_path(out, loaded.name, SUPERNET)
    if isinstance(place, Refused):
        raise api.Refused(f"{place.message}: {place.help}")
    with errors_shown(form):
        item = api.Architecture(loaded)
        report = item.supernet_report(batch=batch, memory_bytes=memory_bytes, keep_maps=keep_maps)
    if report.only_sampled is not None:
        show([report.only_sampled], "text")
    found = json.dumps({"format_version": 1, **report_object(report)}, indent=2, ensure_ascii=False)
    with staged(place.folder) as staging:
        for suffix, text in zip(REPORT_SUFFIXES, (report_text(report), f"{found}\n"), strict=True):
            staging.write(f"{place.stem}{suffix}", text.encode())
        files = staging.places
    if form == "json":
        say_json({"files": [str(file) for file in files]})
    else:
        for file in files:
            say(visible_line(str(file)))
    return Exit.FINE
