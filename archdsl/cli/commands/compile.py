"""`archdsl compile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.backends.options import Emit, Precision
from archdsl.backends.registry import target_names
from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown, load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.cli.parity import parity_object, parity_text
from archdsl.cli.progress import working
from archdsl.extras import require_for

if TYPE_CHECKING:
    from archdsl.backends import Compiled

_SUPERNET = "supernet"
"""Of a space: no file to run, and so no back end."""


@click.command("compile")
@click.argument("target", metavar="FILE")
@click.option(
    "--target", "wanted", required=True, metavar="|".join((*target_names(), _SUPERNET)), help="What to compile to."
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
@click.option("--weights", type=click.Path(path_type=Path), help="A safetensors file or a run; random ones without it.")
@click.option("--seed", default=0, show_default=True, help="Of the random weights.")
@click.option("--verify", is_flag=True, help="Compare what was built with the torch network, and write it down.")
@overrides
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
    size: tuple[int, int] | None,
    form: str,
) -> int:
    """Compile the network of FILE to torch, ONNX, TensorRT, or a target of an installed package.

    `torch` is one readable Python file that needs only torch, with its weights beside it. A manifest says what was
    compiled from what. Without `-o` everything goes to `compiled/NAME/`.

    `supernet`, of a space, writes what a search would run: the questions, the plan of steps, and what a step takes by
    cell, as text and JSON. `archdsl.supernet` gives the module itself.
    """
    if wanted == _SUPERNET:
        return _supernet(target, out, overrides, size, form)
    require_for(f"compile --target {wanted}")
    if verify:
        require_for(f"compile --target {wanted} --verify")

    from archdsl import api
    from archdsl.backends import Refused, compile_graph

    loaded = load_or_leave(target, overrides, size, form=form, weights=weights)
    with errors_shown(form):
        request = api.request(loaded, wanted, out, precision, emit, weights, seed, verify=verify, written=target)
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
        say(str(file))
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


def _supernet(
    target: str, out: Path | None, overrides: tuple[tuple[str, str], ...], size: tuple[int, int] | None, form: str
) -> int:
    """Write the report of a space's supernet."""
    import json

    from archdsl.api import require_open
    from archdsl.backends.output import DEFAULT_FOLDER
    from archdsl.cli.supernets import report_object, report_text
    from archdsl.files import staged
    from archdsl.pipeline.supernet_report import supernet_report

    loaded = load_or_leave(target, overrides, size, form=form)
    require_open(loaded)
    with errors_shown(form):
        report = supernet_report(loaded)
    folder = DEFAULT_FOLDER / loaded.name if out is None else out
    found = json.dumps({"format_version": 1, **report_object(report)}, indent=2, ensure_ascii=False)
    with staged(folder) as staging:
        staging.write(f"{loaded.name}.supernet.txt", report_text(report).encode())
        staging.write(f"{loaded.name}.supernet.json", f"{found}\n".encode())
        files = staging.places
    if form == "json":
        say_json({"files": [str(file) for file in files]})
    else:
        for file in files:
            say(str(file))
    return Exit.FINE
