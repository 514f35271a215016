"""Architecture logits of FasterSeg (Chen et al., ICLR 2020): files of its search (`arch_0.pt`, `arch_1.pt`), or JSON.

Of a scale s (0 to 2 for 1/8 to 1/32) `alpha_s` has the ops of its places, `beta_s` where they read from (the finer
scale, the same one), `ratio_s` the widths of the maps that enter them; a file of torch has the number of the network
in between, `alpha_1_0`. In JSON they stand alone or by name, `{"teacher": {…}, "student": {…}}`. Layers count from 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final, TypeAlias, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.packaged import genotype_text, packaged
from archdsl.exchange.source import Source
from archdsl.pipeline.logits import Logits, write_logits
from archdsl.sema.modules.library import library
from archdsl.space import Program, QuestionKind, QuestionPath

_SCALES: Final = {8: 0, 16: 1, 32: 2}
_NETWORKS: Final = {"0": "teacher", "1": "student"}
_WIDTHS: Final = {"student": "8", "teacher": "12"}
_ENDS: Final = {"a": "16", "b": "32"}
_RULES: Final = "spaces/searches/fasterseg_published.arch"

_Rows: TypeAlias = "Mapping[str, list[list[float]]]"
_Row: TypeAlias = Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1)]
_ROWS: Final = TypeAdapter(Annotated[list[_Row], Field(min_length=1)], config=ConfigDict(strict=True))


def recognises(source: Source) -> bool:
    if source.is_folder:
        return False
    data = source.data
    if source.suffix == ".pt":
        return b"alpha_0_0" in data or b"alpha_1_0" in data
    return data.lstrip().startswith(b"{") and b'"alpha_0"' in data and b'"beta_1"' in data


def read(request: Request) -> Imported:
    """The genotype that the published rules make of logits. Raises NotImported, ToolMissing, OSError."""
    from archdsl.search.derive.genotype import Request as Derivation
    from archdsl.search.derive.genotype import found_by
    from archdsl.search.derive.runs import from_text

    source = request.source
    who, rows = _rows(source)
    overrides = {"w": _WIDTHS[who], **request.overrides}
    space = packaged("fasterseg", overrides)
    logits = _logits(source, rows, space.program, who)
    std = library("std")
    assert std is not None
    rules = std.parent / "searches" / Path(_RULES).name
    with TemporaryDirectory() as folder:
        file = Path(folder) / "logits.json"
        file.write_text(write_logits(logits, space.program), encoding="utf-8")
        found = found_by(Derivation(from_text(str(rules), file, phase=who, overrides=overrides), ends=_ENDS))
    answers = {space.program.spell(path): answer for path, answer in found.derived.answers.items()}
    comments = [
        "Derived by the rules of the published code, which are those of `spaces/searches/fasterseg_published.arch`.",
        "Branches end at 1/16 and 1/32, as those of the published networks: the logits do not say where.",
        f"Widths, stem and head are those of the published {who}: w = {_WIDTHS[who]}.",
    ]
    name = request.named(f"fasterseg_{who}")
    return Imported(name, genotype_text(space, answers, name, comments))


# Reading ----------------------------------------------------------------------------------------


def _rows(source: Source) -> tuple[str, _Rows]:
    """Which network it is, and its logits by name."""
    if source.suffix == ".pt":
        return _of_torch(source)
    found = _json(source)
    if any(name.startswith("alpha_") for name in found):
        rows = _checked(source, found)
        return ("student" if _wide(rows) else "teacher"), rows
    held = {
        name: cast("Mapping[str, object]", each)
        for name, each in found.items()
        if name in _WIDTHS and isinstance(each, dict)
    }
    chosen = source.item or (next(iter(held)) if len(held) == 1 else "")
    if chosen not in held:
        known = ", ".join(f"`{source.file}:{name}`" for name in held) or "none"
        raise source.unfit(f"name the network, {known}" if held else "it has no `alpha_0`, `beta_1`, …")
    return chosen, _checked(source, held[chosen])


def _wide(found: _Rows) -> bool:
    """Whether widths are a choice: a teacher's have one candidate."""
    return len(found.get("ratio_1", [[]])[0]) > 1


def _json(source: Source) -> Mapping[str, object]:
    try:
        found: object = json.loads(source.data)
    except (ValueError, RecursionError):
        raise source.unfit("it is no JSON") from None
    if not isinstance(found, dict):
        raise source.unfit("it has no `alpha_0`, `beta_1`, …")
    return cast("Mapping[str, object]", found)


def _checked(source: Source, found: Mapping[str, object]) -> _Rows:
    rows: dict[str, list[list[float]]] = {}
    for name, value in found.items():
        if not name.startswith(("alpha_", "beta_", "ratio_")):
            continue
        try:
            rows[name] = _ROWS.validate_python(value)
        except ValidationError:
            raise source.unfit("it is a list of rows of finite numbers", field=name) from None
    return rows


def _of_torch(source: Source) -> tuple[str, _Rows]:
    """A file of torch, read as data (`archdsl/weights/torch_file.py`)."""
    from archdsl.extras import Extra, Package, ToolMissing, install_line, is_installed

    if not is_installed(Package("numpy", "numpy")) or not is_installed(Package("safetensors", "safetensors")):
        raise ToolMissing("numpy", install_line(Extra.TORCH))
    from archdsl.weights import BrokenWeights, UnreadableWeights
    from archdsl.weights.files import open_weights

    assert source.path is not None
    try:
        tensors = open_weights(source.path).tensors
        given = {name: cast("object", each.numbers().astype(float).tolist()) for name, each in tensors.items()}
    except (BrokenWeights, UnreadableWeights) as error:
        raise source.unfit(str(error)) from None
    number = next((key for key in _NETWORKS if f"alpha_{key}_0" in given), None)
    if number is None:
        raise source.unfit("it has no `alpha_0_0` and no `alpha_1_0`: it is no `arch_0.pt` or `arch_1.pt` of FasterSeg")
    found = {
        f"{kind}_{scale}": given[f"{kind}_{number}_{scale}"]
        for kind in ("alpha", "beta", "ratio")
        for scale in range(3)
        if f"{kind}_{number}_{scale}" in given
    }
    return _NETWORKS[number], _checked(source, found)


# To questions -----------------------------------------------------------------------------------


def _logits(source: Source, rows: _Rows, program: Program, who: str) -> Logits:
    """By the questions of `fasterseg`."""
    found: dict[QuestionPath, tuple[float, ...]] = {}
    for path, question in program.questions.items():
        if not path.scope:
            continue  # where a branch ends
        layer, scale = path.scope[-1].indices[0] - 1, _SCALES[path.scope[-1].indices[1]]
        if question.kind is QuestionKind.OPERATOR:
            found[path] = _row(source, rows, f"alpha_{scale}", layer - scale, len(question.answers))
        elif question.kind is QuestionKind.SOURCE and len(question.answers) > 1:
            finer, same = _row(source, rows, f"beta_{scale}", layer - scale - 1, 2)
            found[path] = tuple(finer if answer.endswith(".down") else same for answer in question.answers)
        elif question.kind is QuestionKind.WIDTH and layer > 0 and who == "student":
            found[path] = _row(source, rows, f"ratio_{scale}", layer - max(scale, 1), len(question.answers))
    return found


def _row(source: Source, rows: _Rows, name: str, at: int, count: int) -> tuple[float, ...]:
    if name not in rows:
        raise source.unfit(f"it has no `{name}`")
    if at >= len(rows[name]):
        raise source.unfit(f"it has {len(rows[name])} rows, and row {at} is needed", field=name)
    if len(rows[name][at]) != count:
        raise source.unfit(f"it has {len(rows[name][at])} numbers, and {count} are needed", field=f"{name}[{at}]")
    return tuple(rows[name][at])
