"""A cell or an op as the papers draw them: inputs left, maps as nodes, ops on the edges, outputs right.

A map that is but handed on, from one op of a pipe to the next or into a sum, is no node: its ops stand on one edge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from archdsl.ir import Graph
from archdsl.ops import Shape
from archdsl.ops.bind import show
from archdsl.ops.primitives import PRIMITIVES
from archdsl.render.labels import listed, resolution, small, wrapped
from archdsl.render.picture import Box, Line, Outline, Picture, Text
from archdsl.render.scopes import Scope
from archdsl.render.style import INK, MUTED, PLAIN, TINT, Dash, Stroke
from archdsl.render.units import Unit, readers_within, units
from archdsl.space import Apply, Asked, FrameKind, Keep, Measured, OfBranch, QuestionKind, Searching, Select

_MOST_CANDIDATES = 8
"""A longer set of candidates gets a letter on its edge and stands in the legend."""
_MOST_REPEATED = 3
"""The same, where several edges have the set."""
_JOINS = {"concat": "concat", "add": "+", "multiply": "×"}
_CHOICE = Stroke(INK, Dash.DASHED, 1.0)
_NUMBER = re.compile(r"(?<=^last)_\d+$|(?<=\d)_\d+$")
"""What keeps the maps of a branch apart that the text calls alike: `at_8_2`."""
_BESIDE = Stroke(MUTED, Dash.DOTTED, 1.0)
_NOTHING = Stroke(MUTED, Dash.DOTTED, 1.0)
"""An edge that adds nothing."""

Given: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""The answers that a cell has, by the paths of its questions without the scope: `x1.prev`."""
Letters: TypeAlias = "Mapping[tuple[str, ...], str]"
"""Sets of candidates that stand in the legend."""


def cell_picture(
    graph: Graph, scope: Scope, *, given: Given | None = None, title: str = "", about: Sequence[str] = ()
) -> Picture:
    """The picture of one instance of a cell or op, closed or with its questions.

    `title` stands instead of its definition's name, `about` below it.
    """
    drawing = CellDrawing(graph, scope, given or {})
    letters = lettered([drawing])
    heading = [*_title(scope, title), *(small(line, 9) for line in about), *legend_of(letters), small(" ", 6)]
    return Picture(scope.path, drawing.boxes(), drawing.lines(letters), heading=tuple(heading))


def _title(scope: Scope, title: str) -> list[Text]:
    found = [Text(title or scope.definition or scope.path, 14, bold=True)]
    about = f"at {scope.path}" if scope.definition and scope.definition != scope.path else ""
    if scope.instances > 1:
        about += f", one of {scope.instances}"
    return [*found, small(about, 9)] if about else found


def lettered(drawings: Sequence[CellDrawing]) -> Letters:
    """A letter for each set of candidates that is too long for its edge, or stands on several."""
    counts = Counter(names for drawing in drawings for names in drawing.sets())
    long = [
        names for names, edges in counts.items() if len(names) > (_MOST_REPEATED if edges > 1 else _MOST_CANDIDATES)
    ]
    return {names: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26] for number, names in enumerate(long)}


def legend_of(letters: Letters) -> list[Text]:
    found: list[Text] = []
    for names, letter in letters.items():
        lines = listed(names, 90)
        found += [small(f"{letter}? one of {lines[0]}", 9), *(small(line, 9) for line in lines[1:])]
    return found


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

    def sets(self) -> list[tuple[str, ...]]:
        """The candidates on each edge that asks."""
        return [self.names_of(unit) for unit in self.units.values() if self.common(unit) is not None]

    def boxes(self) -> tuple[Box, ...]:
        found = [self.input_box(path) for path in self.inputs if path not in self.ports.values()]
        found += [self.map_box(unit) for unit in self.units.values() if self.shown(unit)]
        return tuple(replace(box, name=self.prefix + box.name) for box in found)

    def lines(self, letters: Letters) -> tuple[Line, ...]:
        found = [line for unit in self.units.values() if self.shown(unit) for line in self.lines_into(unit, letters)]
        return tuple(replace(line, tail=self.prefix + line.tail, head=self.prefix + line.head) for line in found)

    @cached_property
    def ports(self) -> Mapping[str, str]:
        """The maps that prepare an input which nothing else reads, with that input; on a small drawing only."""
        found: dict[str, str] = {}
        for path in self.inputs if self.small else ():
            readers = self.readers_of(path)
            if len(readers) == 1 and readers[0].line and self.source_of(readers[0]) == path:
                found[readers[0].output] = path
        return found

    def shown(self, unit: Unit) -> bool:
        return unit.output not in self.candidates and unit.output not in self.handed_on

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
        match node.payload:
            case Select(Asked(question), _) if self.graph.questions[question].kind is QuestionKind.EXIT:
                return question.rpartition(".")[0]
            case _:
                pass
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
        if (port := self.ports.get(unit.output)) is not None:
            origin = (small(line) for line in wrapped(self.origin(port), 22))
            return Box(unit.output, (*name, *origin, small(self.shape(port))), Outline.BOX, fill=TINT)
        if result and not name:
            name = [Text("out", bold=True)]
        if self.small and not result and unit.op in _JOINS and unit.single:
            return Box(unit.output, (Text(_JOINS[unit.op], 11), *name), Outline.CIRCLE, Stroke(width=1.2))
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

    @cached_property
    def handed_on(self) -> frozenset[str]:
        """The maps without a name that one other op reads: no nodes where the node before or behind has their shape."""
        roots: dict[str, str] = {}
        for unit in self.units.values():
            source = self.source_of(unit)
            readers = self.readers_of(unit.output)
            if source is None or unit.line or len(readers) != 1 or self.is_output(unit):
                continue
            beside = all(self.named(path) for path in self.beside(unit))
            root = roots.get(source, source)
            if beside and unit.output not in self.beside(readers[0]) and self.goes_on(root, unit, readers[0]):
                roots[unit.output] = root
        return frozenset(roots)

    def readers_of(self, path: str) -> list[Unit]:
        """Who reads a map; the candidates of one choice count as that choice."""
        found = (self.candidates.get(unit.output, unit.output) for unit in self.readers.get(path, []))
        return [self.units[each] for each in dict.fromkeys(found)]

    def source_of(self, unit: Unit) -> str | None:
        """The one map that a unit works on; None for what joins maps or picks one of several."""
        if (common := self.common(unit)) is not None:
            return common
        if self.boxed(unit) or (unit.single and unit.op in _JOINS):
            return None
        if isinstance(self.graph.node(unit.output).payload, Select | Keep) and unit.single:
            return None
        main = [source for source in unit.inputs if source not in self.beside(unit)]
        return main[0] if len(main) == 1 else None

    def goes_on(self, root: str, unit: Unit, reader: Unit) -> bool:
        if unit.output in self.candidates or self.source_of(reader) is None:
            return unit.output not in self.candidates
        return self.shape(unit.output) in (self.shape(reader.output), self.shape(root))

    def named(self, path: str) -> str:
        return self.units[path].line if path in self.units else ""

    def lines_into(self, unit: Unit, letters: Letters) -> list[Line]:
        if unit.output in self.ports:
            return []
        found = [self.line(source, unit, letters) for source in self.read_at(unit)]
        beside = [path for path in self.beside(unit) if not self.named(path)]
        return found + [Line(source, unit.output, (small("size"),), _BESIDE) for source in beside]

    def read_at(self, unit: Unit) -> tuple[str, ...]:
        """The maps that are read, a sum's as often as it adds them."""
        if (source := self.source_of(unit)) is not None:
            return (source,)
        joins = (unit.single and unit.op in _JOINS) or isinstance(self.graph.node(unit.output).payload, Select | Keep)
        return self.graph.inputs(unit.output) if joins and unit.single else unit.inputs

    def line(self, source: str, unit: Unit, letters: Letters) -> Line:
        """From the last map that is a node, with all ops between."""
        ends = self.picked(source, unit)
        ops: list[tuple[Text, ...]] = []
        asks = bool(ends) or self.common(unit) is not None or self.picks(unit)
        if self.source_of(unit) is not None:
            ops.append(self.op_on_edge(unit, letters))
        while source in self.handed_on:
            before = self.units[source]
            ops.append(self.op_on_edge(before, letters))
            asks = asks or self.common(before) is not None
            source = self.source_of(before) or source
        label = tuple(text for op in reversed(ops) for text in op)
        heads = {text.text.partition("(")[0] for text in label}
        answer = self.given.get(f"{unit.line}.{self.named(source)}", ())
        label += tuple(Text(each) for each in answer if each.partition("(")[0] not in heads)  # a pipe of no ops
        stroke = _CHOICE if asks else _NOTHING if "zero" in heads else PLAIN
        return Line(source, unit.output, (*label, *ends), stroke)

    def picks(self, unit: Unit) -> bool:
        return unit.single and isinstance(self.graph.node(unit.output).payload, Select | Keep)

    def picked(self, source: str, unit: Unit) -> tuple[Text, ...]:
        """Which answer takes this map; nothing where the map's own name says it."""
        payload = self.graph.node(unit.output).payload
        if not isinstance(payload, Select | Keep) or not unit.single or self.common(unit) is not None:
            return ()
        label = str(payload.labels[self.graph.inputs(unit.output).index(source)])
        while source in self.handed_on:
            source = self.source_of(self.units[source]) or source
        return () if label.startswith(self.origin(source)) or label == self.named(source) else (small(label, 9),)

    def op_on_edge(self, unit: Unit, letters: Letters) -> tuple[Text, ...]:
        if self.common(unit) is not None:
            return self.choice(unit, letters)
        payload = self.graph.node(unit.output).payload
        if not unit.single or not isinstance(payload, Apply):
            return (Text(unit.op),)
        given = [*_differing(payload), *(f"like = {name}" for path in self.beside(unit) if (name := self.named(path)))]
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

    def choice(self, unit: Unit, letters: Letters) -> tuple[Text, ...]:
        names = self.names_of(unit)
        head = (Text(asks, bold=True),) if (asks := self.asks(unit)) else ()
        if names in letters:
            return (*head, Text(f"{letters[names]}?"))
        return (*head, *(Text(name, 9) for name in names), small(" ", 6))

    def asks(self, unit: Unit) -> str:
        """A question by its name; nothing where it is about the edge that it stands on."""
        match self.graph.node(unit.output).payload:
            case Select(Asked(question), _) if self.graph.questions[question].source and self.common(unit):
                return ""
            case Keep(question, labels):
                return f"keep {self.graph.questions[question].keep} of {len(labels)}?"
            case Select(Asked(question), _):
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
