"""A cell or an op as the papers draw them: inputs left, maps as nodes, ops on the edges, outputs right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archdsl.ir import Graph
from archdsl.ops import Shape
from archdsl.ops.bind import show
from archdsl.ops.primitives import PRIMITIVES
from archdsl.render.labels import listed, resolution, small, wrapped
from archdsl.render.picture import Box, Line, Outline, Picture, Text
from archdsl.render.scopes import Scope
from archdsl.render.style import INK, MUTED, TINT, Dash, Stroke
from archdsl.render.units import Unit, readers_within, units
from archdsl.space import Apply, Asked, FrameKind, Keep, Measured, OfBranch, QuestionKind, Searching, Select

_MOST_CANDIDATES = 8
"""A longer set of candidates gets a letter on its edge and stands in the legend."""
_JOINS = {"concat": "concat", "add": "+", "multiply": "×"}
_CHOICE = Stroke(INK, Dash.DASHED, 1.0)
_NUMBER = re.compile(r"(?<=^last)_\d+$|(?<=\d)_\d+$")
"""What keeps the maps of a branch apart that the text calls alike: `at_8_2`."""
_BESIDE = Stroke(MUTED, Dash.DOTTED, 1.0)


def cell_picture(graph: Graph, scope: Scope) -> Picture:
    """The picture of one instance of a cell or op, closed or with its questions."""
    return _Drawing(graph, scope).picture()


@dataclass(frozen=True)
class _Drawing:
    graph: Graph
    scope: Scope

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        return units(self.graph, self.scope)

    @cached_property
    def readers(self) -> Mapping[str, list[Unit]]:
        return readers_within(self.units)

    @cached_property
    def image(self) -> Shape:
        return self.graph.node(self.graph.images[0]).shape

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        sources = (source for unit in self.units.values() for source in unit.inputs)
        return tuple(dict.fromkeys(source for source in sources if source not in self.units))

    @cached_property
    def candidates(self) -> Mapping[str, str]:
        """The maps that are but candidates of a choice between ops on one map, and that choice."""
        return {
            source: unit.output
            for unit in self.units.values()
            if self.common(unit) is not None
            for source in unit.inputs
            if source in self.units and source != self.common(unit)
        }

    @cached_property
    def long_sets(self) -> Mapping[tuple[str, ...], str]:
        """Sets of candidates too long for an edge, with the letter that each has in the legend."""
        sets = (self.names_of(unit) for unit in self.units.values() if self.common(unit) is not None)
        long = dict.fromkeys(names for names in sets if len(names) > _MOST_CANDIDATES)
        return {names: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26] for number, names in enumerate(long)}

    def picture(self) -> Picture:
        boxes = [self.input_box(path) for path in self.inputs]
        lines: list[Line] = []
        for unit in self.units.values():
            if unit.output not in self.candidates:
                boxes.append(self.map_box(unit))
                lines += self.lines_into(unit)
        return Picture(self.scope.path, tuple(boxes), tuple(lines), heading=self.heading())

    def heading(self) -> tuple[Text, ...]:
        scope = self.scope
        title = scope.definition or scope.path
        found = [Text(title, 14, bold=True)]
        about = f"at {scope.path}" if scope.definition and scope.definition != scope.path else ""
        if scope.instances > 1:
            about += f", one of {scope.instances}"
        if about:
            found.append(small(about, 9))
        for names, letter in self.long_sets.items():
            lines = listed(names, 90)
            found += [small(f"{letter} = {lines[0]}", 9), *(small(line, 9) for line in lines[1:])]
        return (*found, small(" ", 6))

    # Maps -----------------------------------------------------------------------------------

    def shape(self, path: str) -> str:
        shape = self.graph.node(path).shape
        return f"{_channels(shape)} @ {resolution(shape, self.image)}"

    def input_box(self, path: str) -> Box:
        label = (
            Text("in", bold=True),
            *(small(line) for line in wrapped(self.origin(path), 22)),
            small(self.shape(path)),
        )
        return Box(path, label, Outline.BOX, fill=TINT)

    def origin(self, path: str) -> str:
        """Where an input comes from: the cell or line, or the place and output of a grid."""
        node = self.graph.node(path)
        names: list[str] = []
        for frame in node.frames:
            if frame.kind is FrameKind.OP:
                break
            names.append(frame.name)
        if isinstance(node.payload, OfBranch):
            names.append(_NUMBER.sub("", node.local))
        return ".".join(names) or node.local

    def map_box(self, unit: Unit) -> Box:
        payload = self.graph.node(unit.output).payload
        shape = small(self.shape(unit.output))
        name = [Text(unit.line, bold=True)] if unit.line else []
        result = self.is_output(unit)
        if result and not name:
            name = [Text("out", bold=True)]
        if unit.op in _JOINS and unit.single:
            return Box(unit.output, (Text(_JOINS[unit.op], 11), *name, shape), Outline.CIRCLE, Stroke(width=1.2))
        if self.boxed(unit):
            return Box(unit.output, (Text(unit.op), *name, shape), stroke=Stroke(width=1.6 if result else 1.0))
        if isinstance(payload, Select | Keep) and self.common(unit) is None:
            label = (Text(self.asks(unit)), *name, shape)
            return Box(unit.output, label, Outline.CIRCLE, _CHOICE, fill=TINT)
        if result:
            return Box(unit.output, (*name, shape), Outline.BOX, Stroke(width=1.6))
        return Box(unit.output, (*name, shape), stroke=Stroke(MUTED))

    def is_output(self, unit: Unit) -> bool:
        """Whether others read its map; one without a name that is read in here too is only looked up by a branch."""
        readers = self.graph.readers(unit.output)
        outside = not readers or not all(reader.startswith(f"{self.scope.path}.") for reader in readers)
        return outside and (bool(unit.line) or unit.output not in self.readers)

    def boxed(self, unit: Unit) -> bool:
        """Whether an op is a box of its own, for several maps enter it."""
        return bool(unit.op) and len(unit.inputs) > 1 and not self.beside(unit) and unit.op not in _JOINS

    def beside(self, unit: Unit) -> tuple[str, ...]:
        """The maps whose size alone is read (`resize(like = x)`)."""
        payload = self.graph.node(unit.output).payload
        if unit.single and isinstance(payload, Apply) and payload.primitive == "resize":
            return unit.inputs[1:]
        return ()

    # Edges ----------------------------------------------------------------------------------

    def lines_into(self, unit: Unit) -> list[Line]:
        common = self.common(unit)
        if common is not None:
            return [Line(common, unit.output, self.choice(unit), _CHOICE)]
        if isinstance(payload := self.graph.node(unit.output).payload, Select | Keep) and unit.single:
            inputs = self.graph.inputs(unit.output)
            labels = map(str, payload.labels)
            return [
                Line(source, unit.output, self.case_label(unit, source, label), _CHOICE)
                for source, label in zip(inputs, labels, strict=True)
            ]
        if self.boxed(unit) or (unit.single and unit.op in _JOINS):
            sources = self.graph.inputs(unit.output) if unit.single else unit.inputs
            return [Line(source, unit.output) for source in sources]
        beside = self.beside(unit)
        main = [Line(source, unit.output, self.op_label(unit)) for source in unit.inputs if source not in beside]
        return main + [Line(source, unit.output, (small("size"),), _BESIDE) for source in beside]

    def case_label(self, unit: Unit, source: str, label: str) -> tuple[Text, ...]:
        """Which answer takes this map; nothing where the map's own name says it."""
        return () if label.startswith(self.origin(source)) else (small(label, 9),)

    def op_label(self, unit: Unit) -> tuple[Text, ...]:
        payload = self.graph.node(unit.output).payload
        if not unit.single or not isinstance(payload, Apply):
            return (Text(unit.op),)
        given = _differing(payload)
        return (Text(unit.op), *(small(line) for line in listed(given, 20)))

    # Choices --------------------------------------------------------------------------------

    def common(self, unit: Unit) -> str | None:
        """The one map on which a choice between ops is made; None for everything else."""
        payload = self.graph.node(unit.output).payload
        if not isinstance(payload, Select) or not unit.single or len(payload.labels) < 2:
            return None
        if isinstance(payload.subject, Asked):
            asked = self.graph.questions.get(payload.subject.question)
            if asked is not None and asked.kind is QuestionKind.SOURCE:
                return None
        sources = [self.read_by(source, unit) for source in self.graph.inputs(unit.output)]
        first = next((source for source in sources if source is not None), None)
        same = all(source == first for source in sources)
        return first if first is not None and same and first != unit.output else None

    def read_by(self, source: str, choice: Unit) -> str | None:
        """The map that a candidate works on: the candidate's own where it is no op of this choice alone."""
        unit = self.units.get(source)
        if unit is None or [each.output for each in self.readers[source]] != [choice.output]:
            return source
        return unit.inputs[0] if len(unit.inputs) == 1 else None

    def names_of(self, unit: Unit) -> tuple[str, ...]:
        """The candidates as the edge lists them: as the space spells them, or what a case comes to."""
        payload = self.graph.node(unit.output).payload
        assert isinstance(payload, Select)
        if isinstance(payload.subject, Asked):
            return tuple(map(str, payload.labels))
        ops = (
            self.units[source].op if source in self.candidates else "nothing"
            for source in self.graph.inputs(unit.output)
        )
        return tuple(f"{label}: {op}" for label, op in zip(payload.labels, ops, strict=True))

    def choice(self, unit: Unit) -> tuple[Text, ...]:
        names = self.names_of(unit)
        head = Text(self.asks(unit), bold=True)
        if names in self.long_sets:
            return (head, Text(f"one of {len(names)}: {self.long_sets[names]}"))
        return (head, *(Text(name, 9) for name in names), small(" ", 6))

    def asks(self, unit: Unit) -> str:
        payload = self.graph.node(unit.output).payload
        match payload:
            case Select(Asked(question), _) | Keep(question, _):
                return f"{_short(question)}?"
            case Select(Searching(), _):
                return "searching?"
            case Select(Measured(count), _):
                return f"{_short(str(count))}?"
            case _:
                return ""


def _channels(shape: Shape) -> str:
    """A number, what it is made of, or `?` where other answers decide it."""
    spelled = _short(str(shape.channels))
    return "?" if "(" in spelled else spelled


def _short(name: str) -> str:
    """Questions by their last step: `16 * width` of `16 * trunk[12][16].width`."""
    return re.sub(r"[\w@+]+(?:\[\d+\])*\.(?:[\w@]+(?:\[\d+\])*\.)*(?=[A-Za-z_])", "", name)


def _differing(payload: Apply) -> list[str]:
    """The window, and parameters that are not as they are by default; channels stand at the maps."""
    defaults = {parameter.name: parameter.default for parameter in PRIMITIVES[payload.primitive].parameters}
    return [
        f"{name} = {show(value)}"
        for name, value in payload.attributes
        if name != "c" and value is not None and (name == "k" or value != defaults.get(name))
    ]
