"""The relaxing domain of the walk: what has no answer is mixed, what has one is followed.

Maps that are absent under some answers count as zeros weighed by the chance that they are there, so where weights are 0
and 1 the supernet is the network of those answers. Equal computations are one node, whoever asks for them:
parameter-free ops on one map, and the cells of branches that are answered alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, final

from archdsl.diagnostics import Diagnostic
from archdsl.ops import Dim, Shape, ShapeError, Value
from archdsl.ops.dims import Leaf, values
from archdsl.ops.joining import ADD
from archdsl.ops.model import Channels
from archdsl.ops.primitives import PRIMITIVES
from archdsl.relax.layout import Layout, joined
from archdsl.relax.not_relaxable import NotRelaxable
from archdsl.relax.numbers import Case, Deciding, Mixed, Number, TooManyCases, combined, mixed, now
from archdsl.relax.partial_channels import with_partial_channels
from archdsl.relax.relaxed import (
    NONE,
    Layer,
    Mask,
    Mix,
    Narrow,
    Output,
    Relaxed,
    RelaxedGraph,
    Spread,
    Structure,
    View,
    Weigh,
)
from archdsl.relax.scalars import Answered, Scalar, any_of, product, total
from archdsl.space import Apply, Chosen, Image, Label, Node, Program, Question, QuestionKind, QuestionPath, Result
from archdsl.space.symbolic_channels import holds
from archdsl.space.walk import Key, Reading, Walk, after_ends

SAMPLE: Final = "sample the widths that it hangs on (`gumbel_hard`, `one_path`), or answer them"
ANSWER: Final = "answer what decides it otherwise, or leave those candidates out (`without`)"


def check(program: Program, structure: Structure | None = None) -> Diagnostic | None:
    """Why a program has no supernet of this structure: with nothing answered, if no other is given. None where it has.

    What is mixed is said by the structure: widths that are sampled are answered in it.
    """
    try:
        Relaxer.of(program).lower(structure or Structure())
    except NotRelaxable as found:
        return found.diagnostic(program)
    return None


@dataclass(frozen=True, slots=True)
class Extent:
    """What a map can be under any answers."""

    places: int
    stable: bool
    """Whether it is always there and always so wide."""
    counted: bool = False
    """Whether the options of its question have their channels at other places: then channels are counted through."""


class Map(NamedTuple):
    """A map of the domain."""

    node: int
    layout: Layout
    presence: Scalar | None = None
    """The chance that it is there; None for certain."""
    weighed: bool = True
    """Whether its values are weighed by that chance."""


@dataclass(frozen=True)
class Relaxer:
    """Lowers a program again and again, for one structure after the other."""

    program: Program
    allowed: Mapping[QuestionPath, tuple[str, ...]]
    """The answers that a question may have, where those are not all of its candidates."""
    extents: Mapping[int, Extent]
    """What each map can be; places in kernels are counted by it."""
    everything: RelaxedGraph
    """With no question answered. What cannot be mixed is there at its largest: `lower` refuses it."""

    @classmethod
    def of(cls, program: Program, allowed: Mapping[QuestionPath, tuple[str, ...]] | None = None) -> Relaxer:
        graph = _Graph()
        domain = _Domain(program, allowed or {}, Structure(), {}, graph)
        outputs = domain.run(View())
        everything = RelaxedGraph(
            program, Structure(), tuple(graph.nodes), tuple(outputs), domain.questions, domain.layers
        )
        return cls(program, allowed or {}, domain.measured_extents, _pruned(everything))

    def lower(self, structure: Structure) -> RelaxedGraph:
        """The graph of a structure. Raises NotRelaxable."""
        graph = _Graph()
        allowed = {**self.allowed, **dict(structure.allowed)}
        domain = _Domain(self.program, allowed, structure, self.extents, graph)
        outputs = [output for view in structure.views for output in domain.run(view)]
        lowered = RelaxedGraph(
            self.program, structure, tuple(graph.nodes), tuple(outputs), domain.questions, domain.layers
        )
        pruned = _pruned(lowered)
        return pruned if structure.partial is None else with_partial_channels(pruned, structure.partial)


def _pruned(graph: RelaxedGraph) -> RelaxedGraph:
    """Only what an output reads."""
    read: set[int] = {output.node for output in graph.outputs}
    for number in reversed(range(len(graph.nodes))):
        if number in read:
            read.update(graph.nodes[number].inputs)
    kept = sorted(read)
    place = {number: position for position, number in enumerate(kept)}
    nodes = tuple(_moved(graph.nodes[number], place) for number in kept)
    outputs = tuple(replace(output, node=place[output.node]) for output in graph.outputs)
    return replace(graph, nodes=nodes, outputs=outputs)


def _moved(node: Relaxed, place: Mapping[int, int]) -> Relaxed:
    inputs = tuple(place[source] for source in node.inputs)
    if inputs == node.inputs:
        return node
    return Relaxed(node.payload, inputs, node.shape, node.layout, node.owner, node.reads, node.key)


class _Graph:
    """Nodes as they are met, each once."""

    def __init__(self) -> None:
        self.nodes: list[Relaxed] = []
        self._known: dict[Relaxed, int] = {}

    def add(self, node: Relaxed) -> int:
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return found


@final
class _Domain:
    """A map is a node of the graph and the channels that it has, or None where it is absent."""

    def __init__(
        self,
        program: Program,
        allowed: Mapping[QuestionPath, tuple[str, ...]],
        structure: Structure,
        extents: Mapping[int, Extent],
        graph: _Graph,
    ) -> None:
        self.program = program
        self.allowed = allowed
        self.weighted = structure.weighted
        self.answered = dict(structure.answers)
        self.given: Mapping[QuestionPath, tuple[str, ...]] = self.answered
        """Answers, and where the branches of a view end."""
        self.searching = structure.searching
        self.extents = extents
        self.measuring = not extents
        self.graph = graph
        self.questions: dict[QuestionPath, Question] = {}
        self.layers: dict[Key, Layer] = {}
        self.measured_extents: dict[int, Extent] = {}
        self._uneven: set[int] = set()
        """Selects whose options have their channels at other places, while maps are measured."""
        self._in_all_views: dict[Key, Map | None] = {}
        """What nodes came down to for which it makes no difference where branches end."""
        self._chosen: dict[QuestionPath, Number] = {}
        self._written_by: dict[tuple[object, ...], tuple[Mixed, Number]] = {}
        self._totals: dict[tuple[int, ...], tuple[Dim, Mapping[Leaf, Number], Number]] = {}

    def run(self, view: View) -> list[Output]:
        """Walk the program as one view has it."""
        # A branch that is left out has a label that no select has: absent.
        ends = {branch.end: ("",) if end is None else (end,) for branch, end in view.ends}
        self.given = {**self.answered, **ends}
        walk: Walk[Map | None, Number] = Walk(self.program, self)
        walk.values.update(self._in_all_views)
        found: list[Output] = []
        for index in self.program.results:
            result = self.program.nodes[index].payload
            made = walk.of(index)
            if made is not None and isinstance(result, Result):
                found.append(Output(view.name, result.name, result.auxiliary, made.node))
        after = after_ends(self.program)
        self._in_all_views = {key: made for key, made in walk.values.items() if key.node not in after}
        return found

    # Questions ----------------------------------------------------------------------------------

    def _answer(self, path: QuestionPath) -> tuple[str, ...] | None:
        return self.given.get(path) or self.given.get(path.question)

    def _decided(self, path: QuestionPath) -> QuestionPath:
        """Under which path decisions hold the weights: a branch's own where it has an answer of its own."""
        return path if path in self.given else path.question

    def _candidates(self, path: QuestionPath, question: Question) -> tuple[str, ...]:
        return self.allowed.get(path.question, question.answers)

    def _met(self, path: QuestionPath, question: Question) -> QuestionPath:
        decided = self._decided(path)
        self.questions[decided] = question
        return decided

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        given = self._answer(path)
        if given is None or given == (NONE,):
            return self._candidates(path, question)
        return given

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return self._answer(path) or question.answers

    def arms(self, subject: Number, labels: Sequence[Label]) -> Sequence[int]:
        if isinstance(subject, int) or not subject.open:
            return [_arm(labels, now(subject))]
        return sorted({_arm(labels, number) for _, number in subject.possible()})

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> Map | None:
        channels = node.shape.channels
        assert isinstance(channels, int)
        layout = Layout.dense(channels, channels, stable=True)
        assert isinstance(node.payload, Image)
        return self._placed(key, Map(self.graph.add(Relaxed(node.payload, (), node.shape, layout, key=key)), layout))

    def apply(
        self,
        key: Key,
        node: Node,
        payload: Apply,
        attributes: Mapping[str, Value | Number],
        inputs: Sequence[Map | None],
    ) -> Map | None:
        primitive = PRIMITIVES[payload.primitive]
        traits = primitive.traits
        present = [source for source in inputs if source is not None]
        if len(present) < (1 if primitive.variadic else len(inputs)):
            return None
        rule = primitive.channels(payload.attribute)
        layout = present[0].layout
        if rule is Channels.SUM:
            parts = zip(node.inputs, inputs, strict=True)
            layout = joined([(self._places(source, each), each and each.layout) for source, each in parts])
        if len(present) == 1 and traits.identity_of_one:
            return self._placed(key, present[0]._replace(layout=layout))
        presence = self._presence(present, joins=traits.identity_of_one)
        if primitive.variadic:
            present = [self._weighed(source) for source in present]
        if traits.resamples or traits.constant:
            pass  # of a second map, or of the only one, the size alone is read
        elif traits.by_channel or (primitive.variadic and rule is Channels.FIRST):
            adds = traits.by_channel and traits.identity_of_one
            layout, present = self._joined(node, self._without_zeros(present) if adds else present)
        elif rule is not Channels.SUM:
            present = [self._masked(source) for source in present]
            layout = present[0].layout
            if traits.reorders_channels:
                layout = layout.counted
        if len(present) == 1 and traits.identity_of_one:
            return self._placed(key, present[0]._replace(layout=layout))
        chosen = {name: value for name, value in attributes.items() if isinstance(value, Mixed)}
        applied = payload
        if chosen or any(isinstance(value, Dim) for _, value in payload.attributes):
            applied = Apply(payload.primitive, tuple((name, _settled(value)) for name, value in attributes.items()))
        shapes = [self._shape(source) for source in present]
        try:
            shape = primitive.shape(shapes, applied.attribute)
        except ShapeError as error:
            self._refuse(node, f"{error.reason} under these answers", ANSWER)
            shape = Shape(self._listed(key.node) or present[0].layout.extent, node.shape.height, node.shape.width)
            layout = Layout.dense(_whole(shape.channels), _whole(shape.channels), stable=False)
        written = self._written(node, applied, shapes, chosen, _whole(shape.channels))
        if rule in (Channels.OWN, Channels.DERIVED):
            stable = isinstance(written, int) and (rule is Channels.OWN or all(map(_is_stable, present)))
            layout = Layout.dense(self._places(key.node, None) or now(written), written, stable=stable)
        owner = key.node if primitive.owns_tensors or traits.random else None  # two dropouts of one map are not one
        reads = present[0].layout if primitive.owns_tensors else None
        relaxed = Relaxed(applied, tuple(source.node for source in present), shape, layout.settled, owner, reads, key)
        made = self.graph.add(relaxed)
        if reads is not None:
            self.layers[key] = Layer(applied, tuple(shapes), reads)
        return self._placed(key, Map(made, layout, presence, weighed=presence is None or primitive.variadic))

    def _written(
        self, node: Node, applied: Apply, shapes: Sequence[Shape], chosen: Mapping[str, Mixed], largest: int
    ) -> Number:
        """The channels that a primitive writes, under each answer that decides a parameter of it."""
        counts = {name: self._channels_by(name, value, applied, shapes) for name, value in chosen.items()}
        kept = [name for name, count in counts.items() if chosen[name].open and not isinstance(count, Mixed)]
        if kept:
            # Of several the one that the others are divided by: they do not fit because of it.
            name = next((name for name in kept if counts[name] is not None), kept[0])
            self._refuse(node, f"has `{name}` by a width that is mixed", SAMPLE)
        return next((count for count in reversed(counts.values()) if isinstance(count, Mixed)), largest)

    def _channels_by(self, name: str, value: Mixed, applied: Apply, shapes: Sequence[Shape]) -> Number | None:
        """The channels that a primitive writes by one parameter; None where its maps fit one answer alone."""
        # The maps make no difference to a channel count of its own. Values are known by identity, which is quick.
        known = (applied.primitive, applied.attributes, name, id(value))
        if known in self._written_by:
            return self._written_by[known][-1]
        primitive, fixed = PRIMITIVES[applied.primitive], applied.attribute
        try:
            found = combined(lambda given: _whole(primitive.shape(shapes, {**fixed, name: given[0]}).channels), [value])
        except ShapeError:
            return None
        self._written_by[known] = (value, found)
        return found

    def _refuse(self, node: Node, reason: str, help: str) -> None:
        """Nothing is refused while maps are measured: with some questions answered it may be possible."""
        if not self.measuring:
            raise NotRelaxable(node.path, node.span, reason, help)

    def _without_zeros(self, maps: Sequence[Map]) -> list[Map]:
        """Those that are not zeros; one where all are. Zeros stay where the others are spread over them."""
        kept = [each for each in maps if not self._is_zero(each)] or [maps[0]]
        return kept if self._largest(kept) == self._largest(maps) else list(maps)

    def _largest(self, maps: Sequence[Map]) -> tuple[bool, int, int]:
        """Whether there are several channels, the height and the width of what maps are spread to."""
        shapes = [self.graph.nodes[each.node].shape for each in maps]
        several = any(each.layout.extent > 1 for each in maps)
        return several, max(shape.height for shape in shapes), max(shape.width for shape in shapes)

    def _is_zero(self, source: Map) -> bool:
        match self.graph.nodes[source.node].payload:
            case Mix(weights):
                return not weights
            case Apply(primitive):
                return PRIMITIVES[primitive].traits.zeros
            case _:
                return False

    def _is_index(self, source: Map) -> bool:
        payload = self.graph.nodes[source.node].payload
        return isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.index

    def _presence(self, maps: Sequence[Map], *, joins: bool) -> Scalar | None:
        return any_of([each.presence for each in maps]) if joins else product(*(each.presence for each in maps))

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, Map | None]) -> Map | None:
        given = self._answer(path)
        options = self._counted(key, options)
        if given is not None and given != (NONE,):
            (picked,) = options.values()
            if picked is None or self._decided(path) not in self.weighted:
                return None if picked is None else self._placed(key, picked)
            weight: Scalar = Answered(self._met(path, question), given[0])
            if not picked.weighed:
                weight = product(weight, picked.presence) or weight
            return self._placed(key, self._mix(key, [(weight, picked)], presence=picked.presence))
        decided = self._decided(path)
        present = [(answer, each) for answer, each in options.items() if each is not None]
        if not present:
            return None
        weights = [Answered(decided, answer) for answer, _ in present]
        chances = [product(weight, each.presence) or weight for weight, (_, each) in zip(weights, present, strict=True)]
        certain = len(present) == len(options) and all(each.presence is None for _, each in present)
        certain = certain and question.kind is not QuestionKind.BRANCH  # a view may leave a branch out
        terms = [
            (weight if each.weighed else chance, each)
            for weight, chance, (_, each) in zip(weights, chances, present, strict=True)
        ]
        zero = given == (NONE,)
        if zero and decided not in self.weighted:
            return self._placed(key, self._mix(key, terms, presence=None, zero=True))
        self._met(path, question)
        presence = None if certain else total(chances)
        return self._placed(key, self._mix(key, terms, presence=presence, zero=zero))

    def _counted(self, key: Key, options: Mapping[str, Map | None]) -> Mapping[str, Map | None]:
        """Options that have as many channels at other places, as a concat of halves has: by number from the first on.

        So slimmable networks have it: whatever op writes a map of that width, the same channels are read of it.
        """
        present = [each.layout for each in options.values() if each is not None]
        if self.measuring and self._is_uneven(present):
            self._uneven.add(key.node)
        extent = self.extents.get(key.node)
        if key.node not in self._uneven and (extent is None or not extent.counted):
            return options
        return {answer: each and each._replace(layout=each.layout.counted) for answer, each in options.items()}

    def _is_uneven(self, layouts: Sequence[Layout]) -> bool:
        if all(len(each.segments) == 1 for each in layouts):
            return False
        try:
            counts = {each.channels for each in layouts}
        except TooManyCases:
            return False
        return len(layouts) > 1 and len(counts) == 1

    def keep(
        self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, Map | None]
    ) -> Map | None:
        return self.apply(key, node, Apply(ADD.name), {}, tuple(options.values()))

    def measured(self, key: Key, subject: Number, options: Sequence[tuple[Label, Map | None]]) -> Map | None:
        if len(options) == 1:
            ((_, picked),) = options
            return None if picked is None else self._placed(key, picked)
        assert isinstance(subject, Mixed)
        labels = [label for label, _ in options]
        cases: dict[int, list[Case]] = {}
        for case, number in subject.possible():
            cases.setdefault(_arm(labels, number), []).append(case)
        terms: list[tuple[Scalar, Map]] = []
        there: list[Scalar] = []
        for position, holding in cases.items():
            picked = options[position][1]
            if picked is not None:
                weight = total([self._chance(case) for case in holding])
                chance = product(weight, picked.presence) or weight
                there.append(chance)
                terms.append((weight if picked.weighed else chance, self._within(picked, holding)))
        if not terms:
            return None
        certain = len(terms) == len(options) and all(each.presence is None for _, each in terms)
        return self._placed(key, self._mix(key, terms, presence=None if certain else total(there)))

    def _chance(self, case: Case) -> Scalar:
        chance = product(*(Answered(path, answer) for path, answer in case if path not in self.given))
        assert chance is not None
        return chance

    def _within(self, source: Map, cases: Sequence[Case]) -> Map:
        """A map as wide as it is in some cases: what `case channels(x)` picks has the channels that its label says."""
        count = source.layout.channels if len(source.layout.segments) == 1 else 0
        if not isinstance(count, Mixed):
            return source
        counts = {tuple(answer for _, answer in case): number for case, number in count.cases()}
        given = [dict(case) for case in cases]
        paths = [each.path for each in count.questions]
        if not all(path in given[0] for path in paths):
            return source
        widths = {counts[tuple(case[path] for path in paths)] for case in given}
        width = max(widths)
        if width == count.now:
            return source
        kept = width if len(widths) == 1 else mixed(count.questions, tuple(min(each, width) for each in count.values))
        layout = Layout.dense(source.layout.extent, kept, stable=False)
        shape = self._shape(source)._replace(channels=width)
        return source._replace(
            node=self.graph.add(Relaxed(Narrow(0, width), (source.node,), shape, layout.settled)), layout=layout
        )

    def unread(self, key: Key, readings: Sequence[Reading], source: Map | None) -> Map | None:
        """A map weighed by the chance that no other one chooses it. Sums that keep inputs add all while searched."""
        for path, question, label in readings:
            if question.kind is not QuestionKind.KEEP:
                followed = self.answers(path, question)
                source = self.select(
                    key, path, question, {each: None if each == label else source for each in followed}
                )
            elif label in (self._answer(path) or ()):
                return None
        return source and self._placed(key, source)

    def absent(self, key: Key) -> Map | None:
        return None

    def result(self, key: Key, node: Node, source: Map | None) -> Map | None:
        if source is None:
            return None
        masked = self._masked(source)
        shape = self._shape(masked)
        payload = node.payload
        assert isinstance(payload, Result)
        return Map(
            self.graph.add(Relaxed(payload, (masked.node,), shape, masked.layout.settled, key=key)), masked.layout
        )

    def unanswered(self, key: Key) -> Map | None:
        return None

    # What maps are made of ----------------------------------------------------------------------

    def _mix(
        self, key: Key, terms: Sequence[tuple[Scalar, Map]], *, presence: Scalar | None, zero: bool = False
    ) -> Map:
        layout, maps = self._spread([each for _, each in terms])
        node, shape = self.program.nodes[key.node], self._shape(maps[0])
        assert all(self._shape(each) == shape for each in maps)  # of a checked text
        if any(self._is_index(each) for each in maps):
            self._refuse(node, "mixes numbers of channels", ANSWER)
        added = [
            (weight, each.node)
            for (weight, _), each in zip(terms, maps, strict=True)
            if not zero and not self._is_zero(each)
        ]
        weights, inputs = tuple(weight for weight, _ in added), tuple(node for _, node in added)
        # Of a map of zeros the size is read.
        relaxed = Relaxed(Mix(weights), inputs or (maps[0].node,), shape, layout.settled, key=key)
        return Map(self.graph.add(relaxed), layout, presence)

    def _joined(self, node: Node, maps: Sequence[Map]) -> tuple[Layout, list[Map]]:
        """Maps that are joined channel by channel; one channel that is spread over all of them fits any."""
        wide = [each for each in maps if each.layout.extent > 1 or node.shape.channels == 1] or list(maps)
        layout, agreed = self._agreed(wide)
        if len(wide) == len(maps):
            return layout, agreed
        placed = iter(agreed)
        return layout, [next(placed) if each in wide else each for each in maps]

    def _agreed(self, maps: Sequence[Map]) -> tuple[Layout, list[Map]]:
        """Maps that are joined channel by channel, and where their channels belong."""
        first = maps[0].layout
        if all(each.layout == first for each in maps):
            return first, list(maps)
        masked = [self._masked(each) for each in maps]
        first = masked[0].layout
        if all(each.layout == first for each in masked):
            return first, masked
        stable = all(segment.stable for each in masked for segment in each.layout.segments)
        return Layout.dense(max(each.layout.extent for each in masked), first.size, stable=stable), masked

    def _spread(self, maps: Sequence[Map]) -> tuple[Layout, list[Map]]:
        """Maps that are mixed, each channel at its place."""
        first = maps[0].layout
        if all(each.layout == first for each in maps):
            return first, list(maps)
        masked = [self._masked(each) for each in maps]
        extent = max(each.layout.extent for each in masked)
        places = max(stop for each in masked for _, stop in each.layout.ranges)
        stable = all(segment.stable for each in masked for segment in each.layout.segments)
        layout = Layout.dense(extent, places, stable=stable)
        return layout, [self._spread_to(each, places)._replace(layout=layout) for each in masked]

    def _spread_to(self, source: Map, places: int) -> Map:
        if source.layout.ranges == ((0, places),):
            return source
        node = self.graph.nodes[source.node]
        layout = Layout.dense(places, places, stable=False)
        shape = node.shape._replace(channels=places)
        relaxed = Relaxed(Spread(source.layout, places), (source.node,), shape, layout)
        return source._replace(node=self.graph.add(relaxed), layout=layout)

    def _weighed(self, source: Map) -> Map:
        """The map by the chance that it is there."""
        if source.presence is None or source.weighed:
            return source
        node = self.graph.nodes[source.node]
        relaxed = Relaxed(Weigh(source.presence), (source.node,), node.shape, node.layout)
        return source._replace(node=self.graph.add(relaxed), weighed=True)

    def _masked(self, source: Map) -> Map:
        """The map with its channels weighed by the chance that it is so wide."""
        if not source.layout.mixed:
            return source
        node = self.graph.nodes[source.node]
        for segment in source.layout.segments:
            if isinstance(segment.count, Mixed):
                for path, *_ in segment.count.questions:
                    self.questions.setdefault(path, self.program.questions[path.question])
        relaxed = Relaxed(Mask(source.layout), (source.node,), node.shape, node.layout)
        return source._replace(node=self.graph.add(relaxed), layout=source.layout.settled)

    def _shape(self, source: Map) -> Shape:
        node = self.graph.nodes[source.node]
        return Shape(source.layout.size, node.shape.height, node.shape.width)

    def _places(self, node: int, source: Map | None) -> int:
        """How many channels a map of the program can have; `source` is what it is now."""
        extents = self.measured_extents if self.measuring else self.extents
        if node in extents:
            return extents[node].places
        if self.measuring:
            return source.layout.extent if source is not None else 0
        return self._listed(node)  # of a map that no supernet has, and a network has: `case searching`

    def _listed(self, node: int) -> int:
        """The most channels that a map of the program can have, where that is listed."""
        return max((int(number) for number in values(self.program.nodes[node].shape.channels) or ()), default=0)

    def _placed(self, key: Key, found: Map) -> Map:
        """The map as one of this node of the program."""
        segments = found.layout.segments
        places = self._places(key.node, found)
        if self.measuring:
            stable = found.presence is None and all(each.stable for each in segments)
            known = self.measured_extents.get(key.node, Extent(0, stable))
            places = max(places, found.layout.extent, self._listed(key.node))
            self.measured_extents[key.node] = Extent(places, stable and known.stable, key.node in self._uneven)
        else:
            extent = self.extents.get(key.node)
            stable = extent is not None and extent.stable
        if not stable and any(each.stable for each in segments):
            segments = tuple(replace(each, stable=False) for each in segments)
        elif places == found.layout.extent:
            return found
        return found._replace(layout=Layout(places, segments))

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> Number:
        return number

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> Number:
        if path not in self._chosen:
            self._chosen[path] = self._choice(path, question, leaf)
        return self._chosen[path]

    def _choice(self, path: QuestionPath, question: Question, leaf: Chosen) -> Number:
        given = self._answer(path)
        numbers = {str(number): number for number in leaf.numbers}
        decided = self._decided(path)
        if given is not None and decided not in self.weighted:
            return numbers[given[0]]
        answers = self._candidates(path, question)
        self._met(path, question)
        each = tuple(numbers[answer] for answer in answers)
        if given is None and len(each) == 1:
            return each[0]
        return mixed((Deciding(decided, answers, None if given is None else given[0]),), each)

    def channels(self, source: Map | None) -> Number:
        if source is None:
            return 0
        try:
            return source.layout.channels
        except TooManyCases as found:
            self._refuse_cases(found)
            return source.layout.size

    def piecewise(self, subject: Number, arms: Sequence[tuple[Label, Number]]) -> Number:
        if len(arms) == 1:
            return arms[0][1]
        labels = [label for label, _ in arms]
        numbers = [number for _, number in arms]
        try:
            return combined(lambda given: given[1 + _arm(labels, given[0])], [subject, *numbers])
        except TooManyCases as found:
            self._refuse_cases(found)
            return now(numbers[_arm(labels, now(subject))])

    def total(self, count: Dim, leaves: Mapping[Leaf, Number]) -> Number:
        # Many layers have one count: by identity, which is quick, and what is kept keeps its identity.
        known = (id(count), *map(id, leaves.values()))
        if known not in self._totals:
            self._totals[known] = (count, leaves, self._sum(count, leaves))
        return self._totals[known][-1]

    def _sum(self, count: Dim, leaves: Mapping[Leaf, Number]) -> Number:
        order = list(leaves)
        try:
            return combined(
                lambda given: count.evaluate(dict(zip(order, given, strict=True)).__getitem__), list(leaves.values())
            )
        except TooManyCases as found:
            self._refuse_cases(found)
            return count.evaluate(lambda leaf: now(leaves[leaf]))

    def _refuse_cases(self, found: TooManyCases) -> None:
        """A number that is sampled is known; its gradient passes by the widths that it is made of."""
        still_open = [each.path for each in found.questions if each.given is None]
        if still_open and not self.measuring:
            path = still_open[0]
            question = self.program.questions[path.question]
            reason = f"decides a channel count together with {len(found.questions) - 1} other questions"
            raise NotRelaxable(self.program.spell(path), question.span, reason, SAMPLE)


def _arm(labels: Sequence[Label], number: int) -> int:
    return next(position for position, label in enumerate(labels) if holds(label, number))


def _is_stable(source: Map) -> bool:
    return all(segment.stable for segment in source.layout.segments)


def _settled(value: Value | Number) -> Value:
    return value.now if isinstance(value, Mixed) else value


def _whole(count: int | Dim) -> int:
    assert isinstance(count, int)
    return count
