"""How a node's path becomes names that Python, torch and ONNX accept."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import count
from typing import Final

from archdsl.ir.graph import Node
from archdsl.space import Frame, FrameKind, NodePath, Program
from archdsl.space.node_path import AT


@lru_cache(maxsize=4096)  # a network has few names and asks for each many times
def identifier(text: str) -> str:
    """`trunk[5][8]` to `trunk_5_8`, `b.trunk[10][8]` to `b_trunk_10_8`, `sep_conv3x3(d = 4)` to `sep_conv3x3_d_4`.

    `training` gets an underscore as keywords do: torch keeps a flag of that name on every module.
    """
    name = re.sub(r"\W+", "_", text).strip("_")
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name == "training" else name


_MODULE_ATTRIBUTES: Final = frozenset(
    {
        "T_destination",
        "add_module",
        "apply",
        "auxiliary",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "graph",
        "half",
        "inputs",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "outputs",
        "parameters",
        "parts",
        "probe",
        "put",
        "put_parameter",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "scope",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "unstacked",
        "whole_graph",
        "xpu",
        "zero_grad",
    }
)
"""What modules of torch, of `archdsl.nets` and of torch files have: TorchScript and torch.fx look there first."""


def _child(name: str) -> str:
    """The name of a child module: `half` is called `half_`."""
    return f"{name}_" if name in _MODULE_ATTRIBUTES else name


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
            names.append(_child(prefix + identifier(frame.spelled)))
            prefix = ""
    return tuple(names), prefix


def module_path(node: Node) -> tuple[str, ...]:
    """Where the node's layer stands in a tree of torch modules: one that places share under its own name."""
    return _modules(node.weights or node.location)


def _modules(location: NodePath) -> tuple[str, ...]:
    names, prefix = module_scope(location.frames)
    return (*names, _child(prefix + identifier(location.local)))


@lru_cache(maxsize=8)
def shared_weights(program: Program) -> Mapping[int, NodePath]:
    """Where the weights of nodes lie that may share them, by index: under names that no other module has."""
    shared = {index: node.weights for index, node in enumerate(program.nodes) if node.weights is not None}
    if not shared:
        return shared
    taken: dict[tuple[str, ...], set[str]] = {}
    for location in (*shared.values(), *(node.location for node in program.nodes)):
        names = _modules(location)
        for depth, (name, step) in enumerate(zip(names, _steps(location), strict=True)):
            if not step.startswith(AT):
                taken.setdefault(names[:depth], set()).add(name)
    named: dict[tuple[str, ...], str] = {}
    return {index: _named(location, taken, named) for index, location in shared.items()}


def _named(location: NodePath, taken: dict[tuple[str, ...], set[str]], named: dict[tuple[str, ...], str]) -> NodePath:
    """The path with each name of weights that is taken followed by a number; `named` are those already given."""
    names, steps = _modules(location), _steps(location)
    free = list(steps)
    for depth, step in enumerate(steps):
        if not step.startswith(AT):
            continue
        key = (*names[:depth], step)
        if key not in named:
            others = taken.setdefault(names[:depth], set())
            wishes = (f"{step}_{number}" if number > 1 else step for number in count(1))
            named[key] = next(wish for wish in wishes if identifier(wish) not in others)
            others.add(identifier(named[key]))
        free[depth] = named[key]
    if free == list(steps):
        return location
    *around, local = free
    given = iter(around)
    frames = (
        frame if frame.kind is FrameKind.LINE or (name := next(given)) == frame.spelled else replace(frame, name=name)
        for frame in location.frames
    )
    return NodePath(tuple(frames), local)


def _steps(location: NodePath) -> tuple[str, ...]:
    """The steps of a path that are modules, as spelled."""
    return (*(frame.spelled for frame in location.frames if frame.kind is not FrameKind.LINE), location.local)


def spell_module(path: tuple[str, ...]) -> str:
    """`trunk_5_8.stay_conv3x3.conv`, as torch names it."""
    return ".".join(path)


def tensor_name(node: Node, weight: str) -> str:
    """The key of one of the node's weights in a state dict: `trunk_5_8.stay_conv3x3.conv.weight`."""
    return spell_module((*module_path(node), weight))
