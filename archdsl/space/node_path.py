"""Where a node stands: the cells, lines and ops around it, and the branches that compute it.

The only module that spells these paths. A spelled path says neither the kinds of its steps nor which of them is a
branch, so it is never taken apart again: a graph finds its nodes and scopes by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

AT: Final = "@"
"""Begins the step of a path that is a name of weights (`@head`), which no line, op or cell has."""


class FrameKind(StrEnum):
    CELL = "cell"
    OP = "op"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a node's path: a cell instance, a line in a body, or an op's call."""

    kind: FrameKind
    name: str
    """Unique among its siblings: `trunk[5][8]`, `stay`, `conv3x3_2`."""
    definition: str = ""
    """The cell or op that this is an instance of; empty for a line."""
    branch: str = ""
    """The branch on whose map a text puts this cell; empty for most."""
    owners: tuple[str, ...] = ()
    """The branches that compute this copy of the instance, where not all compute one together."""
    spelled: str = field(init=False, compare=False, repr=False)
    """`trunk[5][8]`, `b.trunk[5][8]`, `a+b.trunk[5][8]`."""

    def __post_init__(self) -> None:
        steps = ("+".join(self.owners), self.branch, self.name)
        spelled = ".".join(step for step in steps if step) if self.owners or self.branch else self.name
        object.__setattr__(self, "spelled", spelled)

    def __str__(self) -> str:
        return self.spelled


def spell(frames: tuple[Frame, ...]) -> str:
    """The path of a scope: `stem.conv3x3`, `b.trunk[5][8]`; empty for the network itself."""
    return ".".join([frame.spelled for frame in frames])


def below(path: str, frame: Frame) -> str:
    """The path of the scope that is the next step from this one."""
    return f"{path}.{frame.spelled}" if path else frame.spelled


def parts(frames: tuple[Frame, ...]) -> list[str]:
    """The parts of a network around a node, as settings name them: `h1`, `h1[2]`, `body.trunk`; not its ops."""
    found: dict[str, None] = {}
    path = ""
    for frame in frames:
        if frame.kind is FrameKind.OP:
            break
        path = below(path, frame)
        found |= dict.fromkeys((*_around(path), path))
    return list(found)


def _around(path: str) -> list[str]:
    """What a place lies in, from the outside in: `trunk` and `trunk[5]` for `trunk[5][16]`."""
    found: list[str] = []
    while path.endswith("]"):
        path = path[: path.rindex("[")]
        found.insert(0, path)
    return found


@dataclass(frozen=True, slots=True)
class NodePath:
    """A node's place in the nesting of cells, lines and ops, from the outermost."""

    frames: tuple[Frame, ...]
    local: str
    """The last step: `conv`, `bn_2`."""
    spelled: str = field(init=False, compare=False, repr=False)
    """`b.trunk[5][8].stay.conv3x3.conv`: the key of the node in its graph, in figures and in pages."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "spelled", ".".join([*[frame.spelled for frame in self.frames], self.local]))

    def __str__(self) -> str:
        return self.spelled

    def owned_by(self, owners: tuple[str, ...]) -> NodePath:
        """The path of the copy that these branches compute: its outermost cell is theirs, else its first step."""
        if not owners or not self.frames:
            return self
        position = next((i for i, frame in enumerate(self.frames) if frame.kind is FrameKind.CELL), 0)
        mine = replace(self.frames[position], owners=owners)
        return NodePath((*self.frames[:position], mine, *self.frames[position + 1 :]), self.local)

    def named(self, local: str) -> NodePath:
        """The path of another node in the same scope."""
        return NodePath(self.frames, local)

    @property
    def shared(self) -> NodePath:
        """The path without owners: as the text lays it out, for all branches."""
        if not any(frame.owners for frame in self.frames):
            return self
        return NodePath(unowned(self.frames), self.local)


def unowned(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The frames of a scope as the text lays it out, for all branches."""
    return tuple(replace(frame, owners=()) if frame.owners else frame for frame in frames)
