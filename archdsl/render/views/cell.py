"""A cell or an op as the papers draw them: inputs left, maps as nodes, ops on the edges, outputs right.

A map that is but handed on, from one op of a pipe to the next or into a sum, is no node: its ops stand on one edge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from typing import TypeAlias

from archdsl.cost.node_costs import NodeCosts
from archdsl.ir import Graph
from archdsl.ops.bind import show
from archdsl.ops.primitives import PRIMITIVES
from archdsl.render.model.labels import listed, small, wrapped
from archdsl.render.model.picture import INK, MUTED, PLAIN, TINT, Box, Dash, Line, Outline, Picture, Stroke, Text
from archdsl.render.views.chances import Chances, candidates, explained
from archdsl.render.views.chances import stroke as likely_stroke
from archdsl.render.views.legends import SetNames, named_sets, set_legend
from archdsl.render.views.scopes import Scope
from archdsl.render.views.shares import Shares, coloured
from archdsl.render.views.wiring import Unit, Wiring, join_sign, short_name
from archdsl.space import (
    Apply,
    Asked,
    FrameKind,
    Keep,
    Measured,
    NodePath,
    OfBranch,
    QuestionKind,
    QuestionScope,
    Searching,
    Select,
    Step,
    Unread,
)
from archdsl.space.node_path import spell

_CHOICE = Stroke(INK, Dash.DASHED, 1.0)
_NUMBER = re.compile(r"(?<=^last)_\d+$|(?<=\d)_\d+$")
"""What keeps the maps of a branch apart that the text calls alike: `at_8_2`."""
_BESIDE = Stroke(MUTED, Dash.DOTTED, 1.0)
_NOTHING = Stroke(MUTED, Dash.DOTTED, 1.0)
"""An edge that adds nothing."""

Given: TypeAlias = "Mapping[QuestionScope, tuple[str, ...]]"
"""The answers that a cell has, by the paths of its questions without the scope: `x1.prev`."""


def cell_picture(
    graph: Graph,
    scope: Scope,
    *,
    given: Given | None = None,
    title: str = "",
    about: Sequence[str] = (),
    chances: Chances | None = None,
    costs: NodeCosts | None = None,
) -> Picture:
    """The picture of one instance of a cell or op, closed or with its questions.

    `title` stands instead of its definition's name, `about` below it. With costs each op is coloured by its share of
    those of the instance.
    """
    shares = None if costs is None else Shares.of(costs, scope.nodes)
    drawing = CellDrawing(graph, scope, given or {}, chances=chances, shares=shares)
    letters = named_sets(() if chances else drawing.sets())
    legend = explained(
        ["of a sum that keeps some inputs, those with the most probable ops are dark"] if chances else ()
    )
    about_it = [*cell_title(scope, title), *(small(line, 9) for line in about)]
    heading = [*about_it, *(legend if chances else set_legend(letters)), small(" ", 6)]
    scale = () if shares is None else shares.legend()
    return Picture(scope.path, drawing.boxes(), drawing.lines(letters), heading=tuple(heading), scale=scale)


def cell_title(scope: Scope, title: str) -> list[Text]:
    """What a cell is called, or `title`, and where it stands."""
    found = [Text(title or scope.definition or scope.path, 14, bold=True)]
    about = f"at {scope.path}" if scope.definition and scope.definition != scope.path else ""
    if scope.instances > 1:
        about += f", one of {scope.instances}"
    return [*found, small(about, 9)] if about else found


@dataclass(frozen=True)
class CellDrawing:
    """The boxes and lines of one instance.

    One of several on a sheet has a prefix that keeps its names apart, and is `small`: ports are drawn with the map that
    they prepare, and shapes stand at inputs and outputs only.
    """

    graph: Graph
    scope: Scope
    given: Given
    prefix: str = ""
    small: bool = False
    chances: Chances | None = None
    """How probable answers are, where they are open and that is known."""
    shares: Shares | None = None
    """What its ops cost, of a network."""
    times: int = 1
    """How many cells it is drawn for."""

    @cached_property
    def wiring(self) -> Wiring:
        return Wiring(self.graph, self.scope)

    def sets(self) -> list[tuple[str, ...]]:
        """The candidates on each edge that asks."""
        return [self.names_of(unit) for unit in self.wiring.units.values() if self.wiring.common(unit) is not None]

    def boxes(self) -> tuple[Box, ...]:
        found = [self.input_box(path) for path in self.wiring.inputs if path not in self.ports.values()]
        found += [self.costed(self.map_box(unit), unit) for unit in self.wiring.units.values() if self.shown(unit)]
        return tuple(replace(box, name=self.prefix + box.name) for box in found)

    def lines(self, letters: SetNames) -> tuple[Line, ...]:
        found = [
            line for unit in self.wiring.units.values() if self.shown(unit) for line in self.lines_into(unit, letters)
        ]
        return tuple(replace(line, tail=self.prefix + line.tail, head=self.prefix + line.head) for line in found)

    @cached_property
    def ports(self) -> Mapping[str, str]:
        """The maps that prepare an input which nothing else reads, with that input; on a small drawing only."""
        found: dict[str, str] = {}
        for path in self.wiring.inputs if self.small else ():
            readers = self.wiring.readers_of(path)
            if len(readers) == 1 and readers[0].line and self.wiring.source_of(readers[0]) == path:
                found[readers[0].output] = path
        return found

    def shown(self, unit: Unit) -> bool:
        return unit.output not in self.wiring.candidates and unit.output not in self.wiring.handed_on

    # Maps -----------------------------------------------------------------------------------

    def costed(self, box: Box, unit: Unit) -> Box:
        """The box of a map with what its op costs, where that stands on no line."""
        if self.wiring.source_of(unit) is not None and unit.output not in self.ports:
            return box
        if self.shares is None or (swatch := self.shares.swatch(unit.nodes, self.times)) is None:
            return box
        label = (*box.label, small(self.shares.brief(unit.nodes, self.times)))
        return replace(box, label=coloured(label, swatch), fill=swatch.fill)

    def input_box(self, path: str) -> Box:
        label = (
            Text("in", bold=True),
            *(small(line) for line in wrapped(self.origin(path), 22)),
            small(self.wiring.shape(path)),
        )
        return Box(path, label, Outline.BOX, fill=TINT)

    def origin(self, path: str) -> str:
        """Where an input comes from: the cell or line, or the place and output of a grid."""
        node = self.graph.node(path)
        match node.payload:
            case Select(Asked(question), _) if self.graph.questions[question].kind is QuestionKind.EXIT:
                return question.place
            case _:
                pass
        frames = tuple(takewhile(lambda frame: frame.kind is not FrameKind.OP, node.frames))
        if isinstance(node.payload, OfBranch):
            return str(NodePath(frames, _NUMBER.sub("", node.local)))
        return spell(frames) or node.local

    def map_box(self, unit: Unit) -> Box:
        payload = self.graph.node(unit.output).payload
        shape = small(self.wiring.shape(unit.output))
        name = [Text(unit.line, bold=True)] if unit.line else []
        result = self.wiring.is_output(unit)
        if (port := self.ports.get(unit.output)) is not None:
            origin = (small(line) for line in wrapped(self.origin(port), 22))
            return Box(unit.output, (*name, *origin, small(self.wiring.shape(port))), Outline.BOX, fill=TINT)
        if result and not name:
            name = [Text("out", bold=True)]
        if unit.single and (sign := join_sign(unit.op)) is not None:
            label = (Text(sign, 11), *name) if self.small and not result else (Text(sign, 11), *name, shape)
            return Box(unit.output, label, Outline.CIRCLE, Stroke(width=1.2))
        if self.wiring.boxed(unit):
            return Box(unit.output, (Text(unit.op), *name, shape), stroke=Stroke(width=1.6 if result else 1.0))
        if isinstance(payload, Select | Keep) and self.wiring.common(unit) is None:
            label = (Text(self.asks(unit)), *name, shape)
            return Box(unit.output, label, Outline.CIRCLE, _CHOICE, fill=TINT)
        if result:
            return Box(unit.output, (*name, shape), Outline.BOX, Stroke(width=1.6))
        return Box(unit.output, (*name, shape), stroke=Stroke(MUTED))

    # Edges ----------------------------------------------------------------------------------

    def lines_into(self, unit: Unit, letters: SetNames) -> list[Line]:
        if unit.output in self.ports:
            return []
        reads = self.wiring.read_at(unit)
        found = [
            self.line(source, unit, letters, again=source in reads[:number]) for number, source in enumerate(reads)
        ]
        beside = [path for path in self.wiring.beside(unit) if not self.wiring.named(path)]
        return found + [Line(source, unit.output, (small("size"),), _BESIDE) for source in beside]

    def line(self, source: str, unit: Unit, letters: SetNames, *, again: bool) -> Line:
        """From the last map that is a node, with all ops between; what is read `again` costs nothing more."""
        ends = self.picked(source, unit)
        ops: list[tuple[Text, ...]] = []
        likely = self.likely(source, unit)
        asks = bool(ends) or self.wiring.common(unit) is not None or self.wiring.picks(unit)
        nodes: list[str] = []
        if self.wiring.source_of(unit) is not None:
            ops.append(self.op_on_edge(unit, letters))
            nodes += unit.nodes
        while source in self.wiring.handed_on:
            before = self.wiring.units[source]
            ops.append(self.op_on_edge(before, letters))
            nodes += before.nodes
            asks = asks or self.wiring.common(before) is not None
            source = self.wiring.source_of(before) or source
        label = tuple(text for op in reversed(ops) for text in op)
        heads = {text.text.partition("(")[0] for text in label}
        answer = self.given.get((Step(unit.line), Step(self.wiring.named(source))), ())
        label += tuple(Text(each) for each in answer if each.partition("(")[0] not in heads)  # a pipe of no ops
        stroke = _CHOICE if asks else _NOTHING if any(map(_writes_zeros, heads)) else PLAIN
        label, fill = (*label, *ends), ""
        if self.shares is not None and not again and (swatch := self.shares.swatch(nodes, self.times)) is not None:
            label, fill = coloured((*label, small(self.shares.brief(nodes, self.times))), swatch), swatch.fill
        return Line(source, unit.output, label, likely or stroke, fill=fill)

    def likely(self, source: str, unit: Unit) -> Stroke | None:
        """How a line is drawn by the probability of what stands on it; None where that is not known."""
        if self.chances is None:
            return None
        payload = self.graph.node(unit.output).payload
        if isinstance(payload, Select) and isinstance(payload.subject, Asked) and self.wiring.common(unit) is None:
            found = self.chances.of(payload.subject.question)
            label = str(payload.labels[self.graph.inputs(unit.output).index(source)]) if unit.single else ""
            return likely_stroke(found[label], best=found[label] == max(found.values())) if label in found else None
        if (strength := self.strength(source, unit)) is None:
            return None
        if isinstance(payload, Keep):
            others = [self.strength(each, unit) or 0 for each in self.wiring.read_at(unit)]
            last_kept = sorted(others, reverse=True)[self.graph.questions[payload.question].keep - 1]
            return likely_stroke(strength, best=strength >= last_kept)
        return likely_stroke(strength, best=True)

    def strength(self, source: str, unit: Unit) -> float | None:
        """The probability of the most probable op on a line that is a connection (DARTS, section 2.4)."""
        asked = [unit] if self.wiring.common(unit) is not None else []
        while source in self.wiring.handed_on:
            before = self.wiring.units[source]
            asked += [before] if self.wiring.common(before) is not None else []
            source = self.wiring.source_of(before) or source
        for each in asked:
            found = self.chances_on(each)
            if found:
                return max((p for answer, p in found.items() if not _writes_zeros(answer.partition("(")[0])), default=0)
        return None

    def chances_on(self, unit: Unit) -> Mapping[str, float]:
        """How probable the candidates of a choice between ops are."""
        match self.graph.node(unit.output).payload:
            case Select(Asked(question), _) if self.chances is not None:
                return self.chances.of(question)
            case _:
                return {}

    def picked(self, source: str, unit: Unit) -> tuple[Text, ...]:
        """Which answer takes this map; nothing where the map's own name says it."""
        payload = self.graph.node(unit.output).payload
        if not isinstance(payload, Select | Keep) or not unit.single or self.wiring.common(unit) is not None:
            return ()
        label = str(payload.labels[self.graph.inputs(unit.output).index(source)])
        while source in self.wiring.handed_on:
            source = self.wiring.source_of(self.wiring.units[source]) or source
        return () if label.startswith(self.origin(source)) or label == self.wiring.named(source) else (small(label, 9),)

    def op_on_edge(self, unit: Unit, letters: SetNames) -> tuple[Text, ...]:
        if self.wiring.common(unit) is not None:
            return self.choice(unit, letters)
        payload = self.graph.node(unit.output).payload
        if not unit.single or not isinstance(payload, Apply):
            return (Text(unit.op),)
        given = [
            *_differing(payload),
            *(f"like = {name}" for path in self.wiring.beside(unit) if (name := self.wiring.named(path))),
        ]
        return (Text(unit.op), *(small(line) for line in listed(given, 20)))

    # Choices --------------------------------------------------------------------------------

    def names_of(self, unit: Unit) -> tuple[str, ...]:
        """The candidates as the edge lists them: as the space spells them, or what a case comes to."""
        payload = self.graph.node(unit.output).payload
        assert isinstance(payload, Select)
        if isinstance(payload.subject, Asked):
            return tuple(map(str, payload.labels))
        ops = (
            self.wiring.units[source].op if source in self.wiring.candidates else "nothing"
            for source in self.graph.inputs(unit.output)
        )
        return tuple(f"{label}: {op}" for label, op in zip(payload.labels, ops, strict=True))

    def choice(self, unit: Unit, letters: SetNames) -> tuple[Text, ...]:
        if probable := self.chances_on(unit):
            return candidates(probable)
        names = self.names_of(unit)
        head = (Text(asks, bold=True),) if (asks := self.asks(unit)) else ()
        if names in letters:
            return (*head, Text(f"{letters[names]}?"))
        return (*head, *(Text(name, 9) for name in names), small(" ", 6))

    def asks(self, unit: Unit) -> str:
        """A question by its name; nothing where it is about the edge that it stands on."""
        match self.graph.node(unit.output).payload:
            case Select(Asked(question), _) if self.graph.questions[question].on_line and self.wiring.common(unit):
                return ""
            case Keep(question, labels):
                return f"keep {self.graph.questions[question].keep} of {len(labels)}?"
            case Select(Asked(question), _):
                return f"{question.name}?"
            case Select(Searching(), _):
                return "searching?"
            case Select(Unread(), _):
                return "loose?"
            case Select(Measured(count), _):
                return f"{short_name(str(count))}?"
            case _:
                return ""


def _writes_zeros(op: str) -> bool:
    primitive = PRIMITIVES.get(op)
    return primitive is not None and primitive.traits.zeros


def _differing(payload: Apply) -> list[str]:
    """The window, and parameters that are not as they are by default; channels stand at the maps."""
    defaults = {parameter.name: parameter.default for parameter in PRIMITIVES[payload.primitive].parameters}
    return [
        f"{name} = {show(value)}"
        for name, value in payload.attributes
        if name != "c" and value is not None and (name == "k" or value != defaults.get(name))
    ]
