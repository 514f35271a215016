"""`archdsl import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.options import NewFile, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.text import visible_line

if TYPE_CHECKING:
    from archdsl.exchange import Imported


@click.command("import")
@click.argument("written", metavar="[KIND] FILE", nargs=-1, required=True)
@click.option("--name", help="The item's name, instead of the file's.")
@click.option("-o", "--out", type=NewFile(), metavar="OUT", help="Where to; without it, to stdout.")
@click.option("--scale", metavar="NAME", default="", help="Of a file with several scales, instead of its first: `m`.")
@overrides
@text_or_json
def command(
    written: tuple[str, ...],
    name: str | None,
    out: Path | None,
    scale: str,
    overrides: tuple[tuple[str, str], ...],
    form: str,
) -> int:
    """Write what another program says of an architecture as a text.

    \b
    KIND is
      nasbench201  an architecture string, `|nor_conv_3x3~0|+|…|`
      darts        a genotype, `Genotype(normal=[('sep_conv_3x3', 0), …], …)`
      ofa          a network of once-for-all as JSON, `{"ks": […], "e": […], "d": […]}`
      fbnet        the blocks of a network of FBNet as JSON, `["ir_k3_e1", …]`
      auto_deeplab arrays in a folder or a .npz: alphas and betas, or genotype and network_path
      fasterseg    architecture logits as JSON or .pt
      ultralytics  a YAML model of YOLO11 or YOLO26
      onnx         an ONNX model of fixed size; its weights are written beside OUT
    and may be left out where the file leaves no doubt. FILE:NAME is one of several in a file, `-` standard input.

    Nothing of the file is executed. What it does not say is assumed, and stands in comments of the text.
    """  # noqa: D301 - click's mark for lines that stay as they are
    from archdsl.api import Refused
    from archdsl.exchange import IMPORTERS, Request, Source, imported, is_free, kind_of

    *kinds, file = written
    if len(kinds) > 1:
        raise click.UsageError(f"got unexpected extra argument ({file})")
    source = Source.parse(file)
    kind = kinds[0] if kinds else kind_of(source)
    if kind not in IMPORTERS:
        raise click.UsageError(f"`{visible_line(kind)}` is no kind of file; write one of {', '.join(IMPORTERS)}")
    if name is not None and not is_free(name):
        raise Refused(
            f"`{name}` is no free name: write letters, digits and `_`, and no word of the language or the library"
        )
    found = imported(kind, Request(source, name or "", dict(overrides), scale))
    _write(kind, found, out, form)
    return Exit.FINE


def _write(kind: str, found: Imported, out: Path | None, form: str) -> None:
    """The text to its file or to stdout; weights beside the file, both or neither."""
    weights = None if out is None or found.tensors is None else out.with_suffix(".safetensors")
    if out is not None and found.tensors is not None:
        from archdsl.staging import staged
        from archdsl.weights import to_bytes

        with staged(out.parent) as staging:
            staging.write(out.name, found.text.encode())
            staging.write(out.with_suffix(".safetensors").name, to_bytes(found.tensors, {}))
    elif out is not None:
        from archdsl.staging import write_atomic

        write_atomic(out, found.text.encode())
    if form == "json":
        say_json({"kind": kind, "name": found.name, "text": found.text, "weights": weights and str(weights)})
        return
    if out is None:
        say(found.text)
        if found.tensors is not None:
            note("its weights are written beside the text where `-o` names a file")
        return
    for place in filter(None, (out, weights)):
        note(visible_line(str(place)))
