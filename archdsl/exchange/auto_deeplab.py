"""Arrays of Auto-DeepLab (Liu et al., CVPR 2019), as its PyTorch code saves them in a folder, or in one `.npz`.

Either what a search learned: `alphas` (20 edges x 8 ops) and `betas` (12 layers x 4 resolutions x 3 steps: to the finer
one, none, to the coarser one), which are decoded as in section 3.3. Or what was decoded: `genotype` (10 rows of an edge
and an op) and `network_path` (12 resolutions), or `network_path_space` (12 x 4 x 3). Edges count from 0 through the
sources of node 1 (H(l - 2), H(l - 1)), node 2 (those and node 1), and on.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from math import exp, isfinite
from typing import Final

from archdsl.exchange.errors import NotImported
from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.npy import MAGIC, Array, UnreadableArray, read_npy, read_npz
from archdsl.exchange.packaged import genotype_text, packaged
from archdsl.exchange.source import Source
from archdsl.files import read_whole
from archdsl.space.concrete import Answer

_OPS: Final = (
    "none",
    "max_pool(k = 3, s = 1)",
    "avg_pool(k = 3, s = 1)",
    "skip",
    "sep_x2(k = 3)",
    "sep_x2(k = 5)",
    "atrous(k = 3)",
    "atrous(k = 5)",
)
"""Ops of `spaces/auto_deeplab.arch`, in the order in which the code numbers them."""
_NODES: Final = 5
_LAYERS: Final = 12
_SCALES: Final = (4, 8, 16, 32)
_EDGES: Final = sum(range(2, 2 + _NODES))
_NAMES: Final = ("alphas", "betas", "genotype", "network_path", "network_path_space")
_LARGEST: Final = 1 << 20


def recognises(source: Source) -> bool:
    if source.is_folder:
        assert source.path is not None
        return any((source.path / f"{name}.npy").is_file() for name in _NAMES)
    if not source.data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(BytesIO(source.data)) as archive:
            return any(f"{name}.npy" in archive.namelist() for name in _NAMES)
    except (zipfile.BadZipFile, ValueError):
        return False


def read(request: Request) -> Imported:
    """A genotype of the packaged `auto_deeplab`. Raises NotImported, OSError."""
    source = request.source
    arrays = _arrays(source)
    comments = [
        "Ops, stem, pyramid and decoder are those of the packaged space; its first layer is at a quarter of the image."
    ]
    if {"alphas", "betas"} <= arrays.keys():
        cell = _strongest(source, arrays["alphas"])
        path = _likeliest(source, arrays["betas"])
        comments.insert(
            0, "Decoded as in section 3.3: the two strongest edges of each node, the likeliest path of the network."
        )
    elif "genotype" in arrays and arrays.keys() & {"network_path", "network_path_space"}:
        cell = _written(source, arrays["genotype"])
        path = _path(source, arrays)
    else:
        have = f"it has {', '.join(f'`{name}`' for name in arrays)}" if arrays else "it has none of them"
        raise source.unfit(f"`alphas` and `betas`, or `genotype` and `network_path` are needed: {have}")
    space = packaged("auto_deeplab", request.overrides)
    answers: dict[str, Answer] = {"way": (str(_SCALES[path[-1]]),)}
    for layer in range(2, _LAYERS + 1):
        here, before = _SCALES[path[layer - 1]], _SCALES[path[layer - 2]]
        asked = f"way.net[{layer}][{here}].source"
        if space.program.find(asked):  # near the start a place reads the only one that there is
            answers[asked] = (f"net[{layer - 1}][{before}]",)
    for node, edges in enumerate(cell, start=1):
        if node > 1:  # of two sources both are kept
            answers[f"searchable.x{node}.keep"] = tuple(_state(edge) for edge, _ in edges)
        answers |= {f"searchable.x{node}.{_state(edge)}": (op,) for edge, op in edges}
    name = request.named("auto_deeplab_found")
    return Imported(name, genotype_text(space, answers, name, comments))


def _state(source: int) -> str:
    return ("prev2", "prev")[source] if source < 2 else f"x{source - 1}"


def _arrays(source: Source) -> Mapping[str, Array]:
    """The arrays that a folder or a `.npz` holds under the names of _NAMES."""
    try:
        if not source.is_folder:
            if source.data.startswith(MAGIC):
                raise source.unfit("it is one array of several: name the folder with `alphas.npy` and `betas.npy`")
            return {name: each for name, each in read_npz(source.data).items() if name in _NAMES}
        assert source.path is not None
        found: dict[str, Array] = {}
        for name in _NAMES:
            file = source.path / f"{name}.npy"
            if file.is_file():
                try:
                    found[name] = read_npy(read_whole(file, _LARGEST))
                except UnreadableArray as error:
                    raise NotImported(f"`{file}` cannot be read as an array: {error}") from None
        return found
    except UnreadableArray as error:
        raise source.unfit(f"it cannot be read as arrays: {error}") from None


def _require(source: Source, name: str, array: Array, *shapes: tuple[int, ...]) -> None:
    if array.shape not in shapes:
        wanted = " or ".join("x".join(map(str, shape)) for shape in shapes)
        raise source.unfit(f"it is {'x'.join(map(str, array.shape)) or 'one number'}, and {wanted} is read", field=name)
    if not all(map(isfinite, array.numbers)):
        raise source.unfit("it has NaN or infinite values", field=name)


def _softmax(logits: Sequence[float]) -> list[float]:
    shares = [exp(each - max(logits)) for each in logits]
    return [each / sum(shares) for each in shares]


# Cells ------------------------------------------------------------------------------------------

_Cell = list[list[tuple[int, str]]]
"""For each node its sources and ops."""


def _strongest(source: Source, alphas: Array) -> _Cell:
    """Of each node the two edges whose strongest op but `none` is the strongest, each with that op."""
    _require(source, "alphas", alphas, (_EDGES, len(_OPS)))
    cell: _Cell = []
    first = 0
    for node in range(_NODES):
        ranked: list[tuple[float, int, str]] = []
        for state in range(node + 2):
            shares = _softmax(alphas.row(first + state))
            best = max(range(1, len(_OPS)), key=shares.__getitem__)
            ranked.append((shares[best], state, _OPS[best]))
        kept = sorted(ranked, key=lambda edge: -edge[0])[:2]
        cell.append(sorted((state, op) for _, state, op in kept))
        first += node + 2
    return cell


def _written(source: Source, rows: Array) -> _Cell:
    _require(source, "genotype", rows, (2 * _NODES, 2))
    cell: _Cell = [[] for _ in range(_NODES)]
    for at in range(2 * _NODES):
        edge, op = rows.row(at)
        if edge not in range(_EDGES) or op not in range(len(_OPS)):
            raise source.unfit(
                f"({edge:g}, {op:g}) is no edge of 0 to {_EDGES - 1} and op of 0 to {len(_OPS) - 1}",
                field=f"genotype[{at}]",
            )
        if op == 0:
            raise source.unfit(
                "op 0 is `none`, no connection, which no network of the space has", field=f"genotype[{at}]"
            )
        node, state = _place(int(edge))
        cell[node].append((state, _OPS[int(op)]))
    for node, edges in enumerate(cell):
        if len({state for state, _ in edges}) != 2 or len(edges) != 2:
            raise source.unfit(
                f"node {node + 1} has {len(edges)} edges, and each node has two of different sources", field="genotype"
            )
    return [sorted(edges) for edges in cell]


def _place(edge: int) -> tuple[int, int]:
    """The node of an edge, and its source."""
    for node in range(_NODES):
        if edge < node + 2:
            return node, edge
        edge -= node + 2
    raise AssertionError


# Paths ------------------------------------------------------------------------------------------


def _likeliest(source: Source, betas: Array) -> list[int]:
    """The path of the largest product of probabilities, whose first layer is at the finest resolution."""
    _require(source, "betas", betas, (_LAYERS, len(_SCALES), 3))
    best: list[tuple[float, tuple[int, ...]] | None] = [(1.0, (0,)), None, None, None]
    for layer in range(1, _LAYERS):
        following: list[tuple[float, tuple[int, ...]] | None] = [None] * len(_SCALES)
        for level, reached in enumerate(best):
            if reached is None:
                continue
            chance, path = reached
            ends = [end for end in (level - 1, level, level + 1) if 0 <= end < len(_SCALES)]
            row = betas.row(layer, level)
            shares = dict(zip(ends, _softmax([row[1 + end - level] for end in ends]), strict=True))
            for end, share in shares.items():
                before = following[end]
                if before is None or chance * share > before[0]:
                    following[end] = chance * share, (*path, end)
        best = following
    return list(max(each for each in best if each is not None)[1])


def _path(source: Source, arrays: Mapping[str, Array]) -> list[int]:
    if "network_path" in arrays:
        _require(source, "network_path", arrays["network_path"], (_LAYERS,))
        levels = [int(each) for each in arrays["network_path"].numbers]
        exact, field = levels == list(arrays["network_path"].numbers), "network_path"
    else:
        space, field = arrays["network_path_space"], "network_path_space"
        _require(source, field, space, (_LAYERS, len(_SCALES), 3))
        chosen = [[level for level in range(len(_SCALES)) if any(space.row(layer, level))] for layer in range(_LAYERS)]
        exact = all(len(each) == 1 for each in chosen)
        levels = [each[0] if each else -1 for each in chosen]
    if not exact or not all(0 <= level < len(_SCALES) for level in levels):
        raise source.unfit(f"a layer has one resolution, 0 to {len(_SCALES) - 1}", field=field)
    if levels[0]:
        raise source.unfit(
            f"layer 1 is at resolution {levels[0]}, and the packaged space begins at 0, the quarter of an image",
            field=field,
        )
    for layer, (before, here) in enumerate(pairwise(levels), start=2):
        if abs(here - before) > 1:
            raise source.unfit(
                f"layer {layer} goes from resolution {before} to {here}, and a step is one at most", field=field
            )
    return levels
