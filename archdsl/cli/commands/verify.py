"""`archdsl verify`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import check_channels, load_or_leave
from archdsl.cli.options import InputShape, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.cli.parity import parity_object, parity_text
from archdsl.cli.progress import working
from archdsl.extras import require_for
from archdsl.ops import Shape

if TYPE_CHECKING:
    from archdsl.backends.verify.parity import Parity


@click.command("verify")
@click.argument("target", metavar="FILE")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), help="The weights that it was compiled with.")
@click.option("--input", "shapes", type=InputShape(), multiple=True, help="Sizes to compare at, any number of times.")
@click.option("--tolerance", type=float, help="Of the largest logit; 1e-5 for fp32, 2e-2 for fp16.")
@click.option("--trust", is_flag=True, help="Run code in OUT that is not what this version writes for FILE.")
@overrides
@text_or_json
def command(
    target: str,
    out: Path,
    weights: Path | None,
    shapes: tuple[Shape, ...],
    tolerance: float | None,
    trust: bool,
    overrides: tuple[tuple[str, str], ...],
    form: str,
) -> int:
    """Compare the compiled files in OUT with the torch network of FILE, cell by cell.

    OUT is the folder that `compile` wrote, or a manifest in it. What cannot run here is said and not passed over. Of a
    torch file only code is run that is made anew from FILE and equal to it; other code, and TensorRT plans, run with
    `--trust`.
    """
    require_for("verify")

    from archdsl import api
    from archdsl.backends.manifest import RandomWeights, read_manifest
    from archdsl.backends.verify.compare import verify_files

    manifests = tuple(_manifests(out))
    compiled_for = [read_manifest(manifest) for manifest in manifests]
    parities: list[Parity] = []
    said: dict[str, None] = {}
    with working(f"verifying {out}"):
        for file, manifest in zip(manifests, compiled_for, strict=True):
            _, channels, height, width = manifest.inputs[0].shape
            loaded = load_or_leave(target, overrides, Shape(channels, height, width), form=form, weights=weights)
            for shape in shapes:
                check_channels(loaded.program, shape)
            sizes = [shape.size for shape in shapes]
            graph = api.closed_graph(loaded)
            if manifest.weights.source == "file" and weights is None:
                raise api.Refused(
                    f"`{file.name}` was compiled with `{manifest.weights.path}`: give it with `--weights`"
                )
            seed = manifest.weights.seed if isinstance(manifest.weights, RandomWeights) else 0
            found = api.tensors(graph, weights, seed)
            said.update(dict.fromkeys(found.notices))
            parities.append(verify_files(graph, found.tensors, file, sizes=sizes, tolerance=tolerance, trust=trust))
    for sentence in said:
        note(sentence)
    if form == "json":
        say_json(
            {
                "files": [
                    {"manifest": str(file), **parity_object(parity)}
                    for file, parity in zip(manifests, parities, strict=True)
                ]
            }
        )
    else:
        for file, parity in zip(manifests, parities, strict=True):
            say(f"{file.name}\n{parity_text(parity)}")
    return Exit.FINE if all(parity.within() for parity in parities) else Exit.BEYOND_TOLERANCE


def _manifests(out: Path) -> Iterator[Path]:
    from archdsl import api

    if out.is_file() and out.name.endswith(".manifest.json"):
        yield out
        return
    if not out.exists():
        raise api.Refused(f"`{out}` does not exist: name the folder that `archdsl compile` wrote, or a file in it")
    folder = out if out.is_dir() else out.parent
    found = sorted(folder.glob("*.manifest.json"))
    if not out.is_dir():
        found = [file for file in found if file.name.split(".")[0] == out.name.split(".")[0]]
    if not found:
        raise api.Refused(f"there is no manifest (`*.manifest.json`) in `{folder}`: name what `archdsl compile` wrote")
    yield from found
