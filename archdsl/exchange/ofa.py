"""Networks of once-for-all (Cai et al., ICLR 2020), as its code writes what is active in its MobileNetV3.

    {"ks": [7, 3, …], "e": [6, 4, …], "d": [2, 4, …], "r": 224}

Kernels and expansions of 20 blocks, four for each stage, and the depths of the five stages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import Field

from archdsl.documents import Schema, Unfit, parse
from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.packaged import genotype_text, packaged
from archdsl.exchange.source import Source
from archdsl.space.concrete import Answer

_STAGES: Final = 5
_BLOCKS: Final = 4
_ALL: Final = _STAGES * _BLOCKS
_ALLOWED: Final = {"ks": (3, 5, 7), "e": (3, 4, 6), "d": (2, 3, 4)}


class _Active(Schema):
    ks: list[int] = Field(max_length=1_000)
    e: list[float] = Field(max_length=1_000)
    d: list[int] = Field(max_length=1_000)
    r: int | list[int] | None = None
    wid: float | list[float] | None = None


def recognises(source: Source) -> bool:
    if source.is_folder or not source.data.lstrip().startswith(b"{"):
        return False
    try:
        found = json.loads(source.data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"ks", "e", "d"} <= set(found)  # pyright: ignore[reportUnknownArgumentType]


def read(request: Request) -> Imported:
    """A genotype of the packaged `ofa_mobilenetv3`. Raises NotImported."""
    source = request.source
    try:
        active = parse(_Active, source.data)
    except Unfit as error:
        raise source.unfit(str(error)) from None
    if active.wid is not None and active.wid not in (1.0, [1.0]):
        raise source.unfit(f"the network is {active.wid} times as wide, and the space has the width 1", field="wid")
    _require(source, "d", active.d, _STAGES, range(_STAGES))
    present = [_BLOCKS * stage + block for stage, depth in enumerate(active.d) for block in range(depth)]
    _require(source, "ks", active.ks, _ALL, present)
    _require(source, "e", active.e, _ALL, present)
    answers: dict[str, Answer] = {}
    for stage, depth in enumerate(active.d, start=1):
        answers[f"s{stage}.exit"] = (str(depth),)
        for block in range(1, depth + 1):
            at = (stage - 1) * _BLOCKS + block - 1
            answers[f"s{stage}[{block}].k"] = (str(active.ks[at]),)
            answers[f"s{stage}[{block}].expand"] = (f"{active.e[at]:g}",)
    comments = [
        "Of a stage that is less deep the first blocks are there: what the file says of the others is not read."
    ]
    if active.r is not None:
        size = active.r[0] if isinstance(active.r, list) and active.r else active.r
        comments.append(
            f"The file says images of {size} x {size}, which are no part of a genotype: `--input 1x3x{size}x{size}`."
        )
    comments.append("Weights of its supernet do not fit: it makes small kernels of large ones by matrices of its own.")
    name = request.named("ofa_found")
    space = packaged("ofa_mobilenetv3", request.overrides)
    return Imported(name, genotype_text(space, answers, name, comments))


def _require(source: Source, field: str, found: Sequence[float], count: int, read: Iterable[int]) -> None:
    """Raises NotImported for a list of another length, and for a number that none of the blocks there can have."""
    if len(found) != count:
        more = ": 21 are those of its ProxylessNAS space, which is another" if len(found) == _ALL + 1 else ""
        raise source.unfit(f"it has {len(found)} numbers, and MobileNetV3's space has {count}{more}", field=field)
    for at in read:
        if found[at] not in _ALLOWED[field]:
            allowed = ", ".join(map(str, _ALLOWED[field]))
            raise source.unfit(f"{found[at]:g} is none of {allowed}", field=f"{field}[{at}]")
