"""How a node's path becomes names that Python, torch and ONNX accept."""

from __future__ import annotations

import keyword
import re
from functools import lru_cache

from archdsl.ir.graph import Node
from archdsl.space import Frame, FrameKind


@lru_cache(maxsize=4096)  # a network has few names and asks for each many times
def identifier(text: str) -> str:
    """`trunk[5][8]` to `trunk_5_8`, `b.trunk[10][8]` to `b_trunk_10_8`, `sep_conv3x3(d = 4)` to `sep_conv3x3_d_4`.

    `training` gets an underscore as keywords do: torch keeps a flag of that name on every module.
    """
    name = re.sub(r"\W+", "_", text).strip("_")
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name == "training" else name


def module_scope(frames: tuple[Frame, ...]) -> tuple[tuple[str, ...], str]:
    """The torch modules around a node, and what the lines around it put before its own name.

    Cells and ops are modules; a line is no module of its own and prefixes what stands in it.
    """
    names: list[str] = []
    prefix = ""
    for frame in frames:
        if frame.kind is FrameKind.LINE:
            prefix += f"{identifier(frame.spelled)}_"
        else:
            names.append(prefix + identifier(frame.spelled))
            prefix = ""
    return tuple(names), prefix


def module_path(node: Node) -> tuple[str, ...]:
    """Where the node's layer stands in a tree of torch modules."""
    names, prefix = module_scope(node.frames)
    return (*names, prefix + identifier(node.local))


def spell_module(path: tuple[str, ...]) -> str:
    """`trunk_5_8.stay_conv3x3.conv`, as torch names it."""
    return ".".join(path)


def tensor_name(node: Node, weight: str) -> str:
    """The key of one of the node's weights in a state dict: `trunk_5_8.stay_conv3x3.conv.weight`."""
    return spell_module((*module_path(node), weight))
