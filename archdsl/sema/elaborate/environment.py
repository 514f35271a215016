"""Where a line is evaluated: the names it sees, and where what it makes belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archdsl.sema.elaborate.builder import Scope
from archdsl.sema.elaborate.values import Value
from archdsl.sema.modules.load import Unit
from archdsl.space import FrameKind


@dataclass(frozen=True, slots=True)
class Environment:
    unit: Unit
    """The file in which definitions are looked up."""
    scope: Scope
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    fallback: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """Parameters of what this body belongs to; an op called in it takes its required parameters from here."""
    asking: str = ""
    """The scope of question paths: `normal@h1`, `trunk[5][8]`, or nothing in a space itself."""
    line: str = ""
    """The name of the line, which questions on its edges are asked under."""
    stride: int = 1
    """What edges that leave a port are called with (rule 7)."""
    ports: frozenset[str] = frozenset()
    run: tuple[str, ...] = ()
    """The nodes of this run that stand before the line: `earlier` (rule 8)."""

    alias: bool = False
    """Whether the next op called stands for the one it is called in, and adds no step to the path."""
    asked: set[str] = field(default_factory=set[str])
    """The questions asked on edges of this body, to find an edge that asks twice."""

    def on_line(self, name: str, run: tuple[str, ...] = ()) -> Environment:
        return self._with(self.scope.child(FrameKind.LINE, name), name, run)

    def on_edge(self, source: str) -> Environment:
        return self._with(self.scope.child(FrameKind.LINE, source), self.line, self.run)

    def under(self, scope: Scope) -> Environment:
        return self._with(scope, self.line, self.run)

    def _with(self, scope: Scope, line: str, run: tuple[str, ...]) -> Environment:
        """`dataclasses.replace` takes five times as long, and this runs for every line of every op."""
        return Environment(
            self.unit,
            scope,
            self.names,
            self.fallback,
            self.asking,
            line,
            self.stride,
            self.ports,
            run,
            self.alias,
            self.asked,
        )

    def question(self, *steps: str) -> str:
        return ".".join(step for step in (self.asking, *steps) if step)
