"""Networks of FBNet (Wu et al., CVPR 2019) as JSON: the block of each of the 22 layers, by the names of its code.

    ["ir_k3_e1", "ir_k3_e6", "skip", …]
    {"block_op_type": [["ir_k3_e1"], …], "block_cfg": {"first": [16, 2], "stages": [[[1, 16, 1, 1]], …]}}

The second form is that of its table of models, alone or by name (`FILE:fbnet_c`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.packaged import genotype_text, packaged
from archdsl.exchange.source import Source
from archdsl.space.concrete import Answer

BLOCKS: Final = {
    f"ir_k{k}_{theirs}": f"block({ours}{', k = 5' if k == 5 else ''}{group})"
    for k in (3, 5)
    for theirs, ours, group in (
        ("e1", "e = 1", ""),
        ("s2", "e = 1", ", g = 2"),
        ("e3", "e = 3", ""),
        ("e6", "e = 6", ""),
    )
} | {"skip": "skip"}
"""The code's names, where `s2` are two groups, and the blocks of `spaces/fbnet.arch`."""
_LAYERS: Final = (
    *((16, 1),),
    *((24, 2), (24, 1), (24, 1), (24, 1)),
    *((32, 2), (32, 1), (32, 1), (32, 1)),
    *((64, 2), (64, 1), (64, 1), (64, 1)),
    *((112, 1), (112, 1), (112, 1), (112, 1)),
    *((184, 2), (184, 1), (184, 1), (184, 1)),
    *((352, 1),),
)
"""Channels and stride of each layer (table 1)."""


def recognises(source: Source) -> bool:
    if source.is_folder or source.data.lstrip()[:1] not in (b"[", b"{"):
        return False
    return b'"ir_k' in source.data and _loaded(source, quiet=True) is not None


def read(request: Request) -> Imported:
    """A genotype of the packaged `fbnet`. Raises NotImported."""
    source = request.source
    blocks, stages = _chosen(source)
    if len(blocks) != len(_LAYERS):
        raise source.unfit(f"it has {len(blocks)} blocks, and FBNet's space has {len(_LAYERS)} layers")
    for number, block in enumerate(blocks, start=1):
        if not isinstance(block, str) or block not in BLOCKS:
            raise source.unfit(
                f"`{str(block)[:40]}` is no block of FBNet's space: they are {', '.join(BLOCKS)}",
                field=f"block {number}",
            )
    if stages is not None:
        _require_stages(source, stages)
    answers: dict[str, Answer] = {
        f"trunk[{number}].operator": (BLOCKS[cast("str", block)],) for number, block in enumerate(blocks, start=1)
    }
    comments = [
        "Stem, channels and head are those of table 1 of the paper. A block with an expansion of 1 has its first conv,",
        "as the paper's figure 3; the published code leaves that conv out.",
    ]
    name = request.named("fbnet_found")
    return Imported(name, genotype_text(packaged("fbnet", request.overrides), answers, name, comments))


def _chosen(source: Source) -> tuple[list[object], object]:
    """The blocks in their order, and the stages where the file has them."""
    found = _loaded(source)
    if isinstance(found, list) and source.item is None:
        return list(_flat(cast("list[object]", found))), None
    if isinstance(found, dict):
        models = cast("Mapping[str, Any]", found)
        if source.item is not None:
            if not isinstance(models.get(source.item), dict):
                raise source.unfit(f"it has no network `{source.item}`: it has {_listed(models)}")
            return _of_model(source, models[source.item])
        if "block_op_type" in models:
            return _of_model(source, models)
        named = [name for name, model in models.items() if isinstance(model, dict)]
        if len(named) == 1:
            return _of_model(source, models[named[0]])
        if named:
            raise source.unfit(f"it has {len(named)} networks: name one, as in `{source.file}:{named[0]}`")
    raise source.unfit('it has no blocks: write a list of them, `["ir_k3_e1", …]`')


def _listed(models: Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in list(models)[:12]) or "none"


def _of_model(source: Source, model: Mapping[str, Any]) -> tuple[list[object], object]:
    blocks, cfg = model.get("block_op_type"), model.get("block_cfg")
    if not isinstance(blocks, list):
        raise source.unfit("it is a list of blocks", field="block_op_type")
    stages = cast("Mapping[str, object]", cfg).get("stages") if isinstance(cfg, dict) else None
    return list(_flat(cast("list[object]", blocks))), stages


def _flat(blocks: list[object]) -> Iterator[object]:
    """Blocks in lists by stage, or one after the other."""
    for each in blocks:
        yield from cast("list[object]", each) if isinstance(each, list) else (each,)


def _require_stages(source: Source, stages: object) -> None:
    """Raises NotImported where channels or strides (`[_, channels, count, stride]`) are those of another space."""
    rows = [row for stage in _flat([stages]) for row in (_flat([stage]))]
    layers: list[tuple[object, object]] = []
    for row in rows:
        match row:
            case [int() | float(), int(channels), int(count), int(stride)] if 1 <= count <= len(_LAYERS):
                layers += [(channels, stride if at == 0 else 1) for at in range(count)]
            case _:
                raise source.unfit("a layer is [expansion, channels, count, stride]", field="block_cfg.stages")
    for number, (found, wanted) in enumerate(zip(layers, _LAYERS, strict=False), start=1):
        if found != wanted:
            raise source.unfit(
                f"{found[0]} channels and stride {found[1]}, and FBNet's space has {wanted[0]} and {wanted[1]} there",
                field=f"block_cfg.stages, layer {number}",
            )
    if len(layers) != len(_LAYERS):
        raise source.unfit(f"{len(layers)} layers, and FBNet's space has {len(_LAYERS)}", field="block_cfg.stages")


def _loaded(source: Source, *, quiet: bool = False) -> object:
    try:
        return json.loads(source.data)
    except (ValueError, RecursionError) as error:
        if quiet:
            return None
        why = str(error) if isinstance(error, json.JSONDecodeError) else "it nests too deep, or is no UTF-8"
        raise source.unfit(f"it is no JSON: {why}") from None
