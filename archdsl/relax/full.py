"""The largest form of each layer of a supernet, and which layers share one kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from archdsl.ops import Count, Dim, Shape, ShapeError, Weight
from archdsl.ops.dims import values
from archdsl.ops.primitives import PRIMITIVES
from archdsl.relax.layout import Layout
from archdsl.relax.lower import ANSWER, Relaxer
from archdsl.relax.not_relaxable import NotRelaxable
from archdsl.relax.numbers import Mixed
from archdsl.space import Apply, Asked, Node, Program, Select
from archdsl.space.relax import reached_nodes


@dataclass(frozen=True, slots=True)
class Full:
    """A layer at its largest."""

    apply: Apply
    shapes: tuple[Shape, ...]
    """The maps that it reads, with all their places."""
    norms: tuple[tuple[int, int], ...] = ()
    """Of a batch norm first place and width of each run of channels that has statistics of its own."""
    windows: tuple[tuple[int, int], ...] = ()
    """The windows that it can have besides its own, from the largest."""

    @property
    def switchable(self) -> bool:
        """Whether it is a batch norm with weights and statistics for each width of its map."""
        return PRIMITIVES[self.apply.primitive].traits.batch_norm and len(self.norms) > 1

    def weights(self) -> tuple[Weight, ...]:
        return PRIMITIVES[self.apply.primitive].weights(self.shapes, self.apply.attribute)

    def tensors(self) -> tuple[Weight, ...]:
        """Those that a supernet holds for it: of a switchable batch norm one set for each run of channels."""
        if not self.switchable:
            return self.weights()
        return tuple(
            replace(weight, name=f"{weight.name}_{start}_{count}")
            for start, count in self.norms
            for weight in self._of_width(count)
        )

    def _of_width(self, channels: int) -> tuple[Weight, ...]:
        shape = self.shapes[0]._replace(channels=channels)
        return PRIMITIVES[self.apply.primitive].weights((shape,), self.apply.attribute)


def number(count: Count) -> int:
    """A count of a supernet, which is a number."""
    assert isinstance(count, int)
    return count


def tensor_values(apply: Apply, shapes: Sequence[Shape]) -> int:
    """How many values the tensors of a layer have that reads maps of these shapes."""
    wanted = PRIMITIVES[apply.primitive].weights(shapes, apply.attribute)
    return sum(prod(map(number, weight.shape)) for weight in wanted)


def full_layers(relaxer: Relaxer) -> tuple[Mapping[int, Full], Mapping[int, int]]:
    """Each layer with tensors by its node in the program, and those that use the kernel of another one.

    Raises NotRelaxable.
    """
    program = relaxer.program
    layouts: dict[int, set[Layout]] = {}
    norms: dict[int, set[tuple[int, int]]] = {}
    found: dict[int, Full] = {}
    for node in relaxer.everything.nodes:
        if node.owner is None or node.reads is None or not isinstance(node.payload, Apply):
            continue
        shapes = tuple(
            relaxer.everything.nodes[source].shape._replace(channels=node.reads.extent) for source in node.inputs
        )
        layouts.setdefault(node.owner, set()).add(node.reads)
        norms.setdefault(node.owner, set()).update(_runs(node.reads))
        if len(node.reads.segments) == 1 and program.nodes[node.owner].inputs:
            source = program.nodes[program.nodes[node.owner].inputs[0]]
            norms[node.owner].update((0, int(count)) for count in values(source.shape.channels) or ())
        found[node.owner] = Full(_at_largest(program, node.owner, node.payload), shapes)
    for index, node in _only_in_networks(program, found):
        if isinstance(node.payload, Apply):
            shapes = tuple(
                Shape(_largest(program.nodes[source].shape.channels, node), *program.nodes[source].shape[1:])
                for source in node.inputs
            )
            attributes = tuple(
                (name, _largest(value, node) if isinstance(value, Dim) else value)
                for name, value in node.payload.attributes
            )
            found[index] = Full(Apply(node.payload.primitive, attributes), shapes)
    smaller = _shared_windows(program)
    shared = {**smaller, **_shared_weights(program, found, layouts)}
    shared = {owner: _end(shared, owner) for owner in shared}
    for owner, other in shared.items():
        norms.setdefault(other, set()).update(norms.get(owner, ()))
    fulls: dict[int, Full] = {}
    for owner, full in sorted(found.items()):
        if owner in shared:
            continue
        try:
            full.weights()
        except ShapeError as error:
            node = program.nodes[owner]
            raise NotRelaxable(node.path, node.span, f"{error.reason} at its largest", ANSWER) from None
        windows = {_window(program, other) for other in smaller if shared[other] == owner}
        fulls[owner] = replace(
            full, norms=tuple(sorted(norms.get(owner, ()))), windows=tuple(sorted(windows, reverse=True))
        )
    return fulls, shared


def _shared_weights(
    program: Program, found: Mapping[int, Full], layouts: Mapping[int, set[Layout]]
) -> Mapping[int, int]:
    """Layers that share their weights with one that stands before them (`weights@name`). Raises NotRelaxable."""
    first: dict[str, int] = {}
    shared: dict[int, int] = {}
    for owner in sorted(found):
        node = program.nodes[owner]
        if node.weights is None:
            continue
        other = first.setdefault(node.weights.spelled, owner)
        if other == owner:
            continue
        if owner in layouts and other in layouts and not _alike(layouts[owner], layouts[other]):
            reason = f"shares weights with `{program.nodes[other].path}`, whose map has its channels at other places"
            raise NotRelaxable(node.path, node.span, reason, ANSWER)
        shared[owner] = other
    return shared


def _alike(some: set[Layout], others: set[Layout]) -> bool:
    """Whether maps of as many channels have them at the same places, under all answers."""
    if all(len(layout.segments) == 1 for layout in (*some, *others)):
        return len({(layout.extent, layout.segments[0].start) for layout in (*some, *others)}) == 1
    return some == others


def _end(shared: Mapping[int, int], owner: int) -> int:
    """The layer whose kernel is used in the end."""
    while owner in shared:
        owner = shared[owner]
    return owner


def _only_in_networks(program: Program, found: Mapping[int, Full]) -> Iterator[tuple[int, Node]]:
    """Layers with tensors that a search does not run, and networks do: `case searching`."""
    others = [
        index
        for index, node in enumerate(program.nodes)
        if isinstance(node.payload, Apply) and PRIMITIVES[node.payload.primitive].owns_tensors and index not in found
    ]
    reached = reached_nodes(program) if others else frozenset[int]()
    return ((index, program.nodes[index]) for index in others if index in reached)


def _at_largest(program: Program, owner: int, payload: Apply) -> Apply:
    """With the largest channel counts: with some maps absent, a layer may write more than with all."""
    written = program.nodes[owner].payload
    assert isinstance(written, Apply)
    listed = {name: values(value) or () for name, value in written.attributes if isinstance(value, Dim)}
    return Apply(
        payload.primitive,
        tuple(
            (name, max(value, *map(int, listed[name]), value) if name in listed and isinstance(value, int) else value)
            for name, value in payload.attributes
        ),
    )


def _runs(reads: Layout) -> set[tuple[int, int]]:
    """Each run of channels that a map can have, under all answers."""
    found: set[tuple[int, int]] = set()
    for segment in reads.segments:
        counts = segment.count.values if isinstance(segment.count, Mixed) else (segment.count,)
        found.update((segment.start, count) for count in counts)
    return found


def _largest(count: Count, node: Node) -> int:
    """Raises NotRelaxable where what a count can be is too much to list."""
    listed = values(count)
    if listed is None:
        raise NotRelaxable(node.path, node.span, "has more channel counts than can be listed", ANSWER)
    return max(map(int, listed))


def _window(program: Program, owner: int) -> tuple[int, int]:
    payload = program.nodes[owner].payload
    assert isinstance(payload, Apply)
    window = payload.attribute["k"]
    assert isinstance(window, tuple)
    assert len(window) == 2
    return window


def _shared_windows(program: Program) -> Mapping[int, int]:
    """Layers that differ in a window that an answer chooses: smaller ones use the kernel of the largest.

    `choose k in {3, 5, 7}` is one kernel (once-for-all: Cai et al., ICLR 2020); `{conv3x3, conv5x5}` are two ops.
    """
    found: dict[int, int] = {}
    for node in program.nodes:
        if not isinstance(node.payload, Select) or not isinstance(node.payload.subject, Asked):
            continue
        if not all(isinstance(label, str) and label.isdigit() for label in node.payload.labels):
            continue
        alike: dict[object, list[int]] = {}
        for source in node.inputs:
            option = program.nodes[source]
            match option.payload:
                case Apply(primitive, attributes) if PRIMITIVES[primitive].owns_tensors and "k" in dict(attributes):
                    rest = tuple((name, value) for name, value in attributes if name != "k")
                    alike.setdefault((primitive, rest, option.inputs), []).append(source)
                case _:
                    pass
        for layers in alike.values():
            largest = max(layers, key=lambda each: _window(program, each))
            found |= {each: largest for each in layers if each != largest}
    return found
