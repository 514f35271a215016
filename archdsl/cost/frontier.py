"""The least and the greatest of costs where branches share, by dynamic programming from the outputs back.

What has been walked from the outputs back to some gates leaves to the rest of a network only this: which gates are
read and by which branches, with how many channels, and the answers that gates further back read too. Two branches that
read one gate have one map there, or two that differ; one map stays one, and maps that differ have to part further
back. What hangs on numbers is an array for each such state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heappop, heappush
from itertools import pairwise, product
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archdsl.cost.expectation.diagrams import TooLarge
from archdsl.cost.extremes import Extreme, Extremum
from archdsl.cost.regions import Gate, Regions, Way
from archdsl.space import Branch
from archdsl.space.concrete import Answer
from archdsl.space.path import QuestionPath
from archdsl.space.trace import trace

STEPS: Final = 40_000
"""More steps between states are not taken: they take about five seconds."""
CELLS: Final = 1_000_000
"""No array has more numbers."""

_Array: TypeAlias = "NDArray[np.float64]"
_Positions: TypeAlias = "NDArray[np.intp]"
_BOTH: Final = 3


class _Demand(NamedTuple):
    """A gate that is read, by its position, and the branches whose map it is, as bits: 0 where all have one."""

    gate: int
    whose: int


_Axis: TypeAlias = "_Demand | int"
"""The channels of a map, or the answer to a question about a number."""


class _State(NamedTuple):
    demands: tuple[_Demand, ...]
    apart: frozenset[int]
    """Gates where two branches have to have two maps."""
    answers: frozenset[tuple[int, int, str]]
    """Those that gates further back read too: question, branch as a bit, answer."""
    numbers: tuple[int, ...]
    """The questions whose answers are axes."""

    @property
    def axes(self) -> tuple[_Axis, ...]:
        """Those of its array; figures are the last."""
        return (*self.demands, *self.numbers)


@dataclass(frozen=True, slots=True)
class _Block:
    """A map of a gate: for which branches, and the axes that its channels are."""

    whose: int
    axes: tuple[_Demand, ...]


@dataclass(slots=True)
class _Step:
    """From a state to one further back."""

    gate: Gate
    before: _State
    blocks: tuple[_Block, ...]
    slots: tuple[tuple[int, ...], ...]
    """For each block which of the new axes its entries are."""
    joined: Mapping[_Axis, int]
    """Axes of the state before that are new ones."""
    new: tuple[_Axis, ...]
    rest: tuple[_Axis, ...]
    """Axes that stay as they are."""
    after: _State
    picks: list[tuple[Way, ...]] = field(default_factory=list["tuple[Way, ...]"])
    """A way for each block; all that lead here."""


class Frontier:
    """The least and the greatest of each figure of some regions, and genotypes that have them."""

    def __init__(self, regions: Regions) -> None:
        """Raises TooLarge."""
        self.regions = regions
        self.program = regions.program
        self.bits: dict[Branch, int] = {branch: 1 << at for at, branch in enumerate(self.program.branches)}
        self.gates = _ordered(regions)
        self._position = {gate.node: position for position, gate in enumerate(self.gates)}
        self._questions = list(self.program.questions)
        self._number = {path: number for number, path in enumerate(self._questions)}
        self._reach = self._reached()
        self._asking, self._reading = self._readers()
        self._forms = {
            id(way): (position, way.channels.tobytes()) for position, gate in enumerate(self.gates) for way in gate.ways
        }
        self._known_costs: dict[object, _Array] = {}
        self._values: dict[_State, _Array] = {}
        self._steps: dict[_State, list[_Step]] = {}
        self._run()

    def extremum(self, figure: int, extreme: Extreme) -> Extremum:
        """Of a figure by its position."""
        at = figure + (extreme is Extreme.GREATEST) * self.regions.prices.count
        answers: dict[QuestionPath, Answer] = {}
        state, point = _END, dict[_Axis, int]()
        while state in self._steps:
            step, pick, point = self._way_back(state, point, at)
            state = step.before
            for block, way in zip(step.blocks, pick, strict=True):
                for number, bit, answer in self._answered(step.gate, block, way):
                    answers[self._path(number, bit)] = (answer,)
            for axis, position in point.items():
                if isinstance(axis, int):
                    answers[self._questions[axis]] = (self._answers_to(axis)[position],)
            point = {axis: position for axis, position in point.items() if axis in state.axes}
        value = float(self._values[_END][at])
        asked = trace(self.program, answers).asked
        return Extremum(-value if extreme is Extreme.GREATEST else value, {path: answers[path] for path in asked})

    # Gates ---------------------------------------------------------------------------------------

    def _reached(self) -> list[int]:
        """For each gate itself and all that may be read behind it, as bits."""
        found: list[int] = []
        for position, gate in enumerate(self.gates):
            bits = 1 << position
            for way in gate.ways:
                for node, _ in way.entries:
                    bits |= found[self._position[node]]
            found.append(bits)
        return found

    def _readers(self) -> tuple[dict[int, int], dict[int, int]]:
        """The gates that ask each question, and those that read it as a number, as bits."""
        asking: dict[int, int] = {}
        reading: dict[int, int] = {}
        for position, gate in enumerate(self.gates):
            if gate.question is not None:
                number = self._number[gate.question]
                asking[number] = asking.get(number, 0) | 1 << position
            for path in gate.numbers:
                number = self._number[path]
                reading[number] = reading.get(number, 0) | 1 << position
        if asking.keys() & reading.keys():
            raise TooLarge
        # The ends of branches are compared with each other.
        for constraint in self.program.constraints:
            ends = [self._number[end] for branch in constraint.branches if (end := branch.end) in self._number]
            together = 0
            for end in ends:
                together |= asking.get(end, 0)
            asking |= dict.fromkeys(ends, together)
        return asking, reading

    def _path(self, number: int, bit: int) -> QuestionPath:
        branch = next((branch for branch, of in self.bits.items() if of == bit), None)
        return self._questions[number].of(branch)

    def _answers_to(self, number: int) -> Sequence[str]:
        return self.program.questions[self._questions[number]].answers

    # States --------------------------------------------------------------------------------------

    def _run(self) -> None:
        demands = tuple(sorted(_Demand(self._position[node], 0) for node in self.regions.results))
        start = _State(demands, frozenset(), frozenset(), ())
        self._values[start] = np.zeros((*self._size(start.axes), 2 * self.regions.prices.count))
        waiting: dict[int, list[_State]] = {demands[-1].gate: [start]}
        taken = 0
        for position in reversed(range(len(self.gates))):
            for state in waiting.pop(position, ()):
                for step in self._steps_from(state, position):
                    taken += 1
                    if taken > STEPS:
                        raise TooLarge
                    if step.after not in self._values and step.after.demands:
                        waiting.setdefault(step.after.demands[-1].gate, []).append(step.after)
                    self._take(step)
        if _END not in self._values:
            raise TooLarge

    def _size(self, axes: Sequence[_Axis]) -> tuple[int, ...]:
        return tuple(
            len(self.gates[axis.gate].counts) if isinstance(axis, _Demand) else len(self._answers_to(axis))
            for axis in axes
        )

    def _steps_from(self, state: _State, position: int) -> Iterator[_Step]:
        gate = self.gates[position]
        here = [demand for demand in state.demands if demand.gate == position]
        found: dict[object, _Step] = {}
        wanted = position in state.apart
        for blocks in _blocks(gate, here, apart=wanted):
            for pick in product(*(self._ways(gate, block, state) for block in blocks)):
                if len(pick) > 1 and not gate.per_branch and pick[0] is not pick[1]:
                    continue  # one answer counts for both
                apart = self._apart(pick, wanted=wanted)
                if apart is None:
                    continue
                kept = self._kept(state, gate, blocks, pick)
                key = (blocks, tuple(way.entries for way in pick), apart, kept)
                if key not in found:
                    step = self._step(state, gate, blocks, pick, apart, kept)
                    if step is None:
                        continue
                    found[key] = step
                found[key].picks.append(pick)
        yield from found.values()

    def _ways(self, gate: Gate, block: _Block, state: _State) -> list[Way]:
        """Those that agree with what has been answered."""
        return [
            way
            for way in gate.ways
            if all(self._agrees(each, state.answers) for each in self._answered(gate, block, way))
        ]

    def _answered(self, gate: Gate, block: _Block, way: Way) -> list[tuple[int, int, str]]:
        if gate.question is None or way.answer is None:
            return []
        number = self._number[gate.question]
        bits = [bit for bit in self.bits.values() if bit & block.whose] if gate.per_branch else []
        return [(number, bit, way.answer) for bit in bits or [0]]

    def _agrees(self, answer: tuple[int, int, str], given: frozenset[tuple[int, int, str]]) -> bool:
        if any(each[:2] == answer[:2] and each != answer for each in given):
            return False
        ends = {self._questions[number]: text for number, _, text in (*given, answer)}
        for constraint in self.program.constraints:
            if all(branch.end != self._questions[answer[0]] for branch in constraint.branches):
                continue
            places = [
                next(iter(of.values())) if len(of) == 1 else of.get(ends.get(branch.end, ""))
                for branch in constraint.branches
                for of in [self.program.branches[branch].places]
            ]
            known = [place for place in places if place is not None]
            if any(one >= other for one, other in pairwise(known)):
                return False
        return True

    def _apart(self, pick: Sequence[Way], *, wanted: bool) -> frozenset[int] | None:
        """The gates further back at which two maps of a gate have to differ, for nothing to be computed twice.

        With `wanted` they have to differ in any case. None where they are one. Raises TooLarge.
        """
        if len(pick) == 1:
            return frozenset()
        one, other = pick
        if one is not other:
            if wanted and self._origins(one) & self._origins(other):
                raise TooLarge  # two answers may give one map
            return frozenset() if not wanted or self._origins(one) | self._origins(other) else None
        if one.passes and not wanted:
            return frozenset()
        varying = [self._position[node] for node, branch in one.entries if self._follows(node, branch)]
        if len(one.entries) > 1 and varying:
            raise TooLarge  # of the maps that are read some may be equal, and some may differ
        return frozenset(varying) or None

    def _origins(self, way: Way) -> int:
        return self.regions.origins[way.start] if way.start >= 0 else 0

    def _follows(self, node: int, branch: Branch | None) -> bool:
        """Whether an entry is that of the branch that computes the region."""
        return branch is None and self.gates[self._position[node]].varies

    def _kept(
        self, state: _State, gate: Gate, blocks: Sequence[_Block], pick: Sequence[Way]
    ) -> frozenset[tuple[int, int, str]]:
        """The answers that gates further back read too."""
        answers = state.answers.union(
            *(self._answered(gate, block, way) for block, way in zip(blocks, pick, strict=True))
        )
        if not answers:
            return answers
        position = self._position[gate.node]
        demands = [demand for demand in state.demands if demand.gate != position]
        for block, way in zip(blocks, pick, strict=True):
            demands += [self._demand(entry, block) for entry in way.entries]
        return frozenset(each for each in answers if self._asking[each[0]] & self._open(demands, each[1]))

    def _open(self, demands: Sequence[_Demand], bit: int) -> int:
        """The gates that may still be read for a branch."""
        found = 0
        for gate, whose in demands:
            if not whose or not bit or whose & bit:
                found |= self._reach[gate]
        return found

    def _demand(self, entry: tuple[int, Branch | None], block: _Block) -> _Demand:
        node, branch = entry
        position = self._position[node]
        if not self.gates[position].varies:
            return _Demand(position, 0)
        whose = block.whose if branch is None else self.bits[branch]
        if not whose:
            raise TooLarge  # what branches answer each for itself is asked by none
        return _Demand(position, whose)

    def _step(
        self,
        state: _State,
        gate: Gate,
        blocks: tuple[_Block, ...],
        pick: Sequence[Way],
        two_maps: frozenset[int],
        kept: frozenset[tuple[int, int, str]],
    ) -> _Step | None:
        """None where maps that have to differ would be one."""
        position = self._position[gate.node]
        rest = [demand for demand in state.demands if demand.gate != position]
        entries = [
            [self._demand(entry, block) for entry in way.entries] for block, way in zip(blocks, pick, strict=True)
        ]
        both = {demand.gate for each in (rest, *entries) for demand in each if demand.whose == _BOTH}
        apart = (state.apart - {position}) | two_maps
        if apart & both:
            return None

        def final(demand: _Demand) -> _Demand:
            return _Demand(demand.gate, _BOTH) if demand.gate in both else demand

        numbers = [self._number[path] for path in gate.numbers]
        new: list[_Axis] = list(dict.fromkeys(final(demand) for each in entries for demand in each))
        new += numbers
        joined: dict[_Axis, int] = {demand: new.index(final(demand)) for demand in rest if final(demand) in new}
        joined |= {number: new.index(number) for number in state.numbers if number in numbers}
        staying: list[_Axis] = [*(demand for demand in rest if demand not in joined)]
        staying += [number for number in state.numbers if number not in joined]
        demands = sorted({axis for axis in (*new, *staying) if isinstance(axis, _Demand)})
        open_ = self._open(demands, 0)
        numbers = [axis for axis in (*new, *staying) if isinstance(axis, int) and self._reading[axis] & open_]
        after = _State(tuple(demands), apart, kept, tuple(sorted(numbers)))
        slots = tuple(tuple(new.index(final(demand)) for demand in each) for each in entries)
        return _Step(gate, state, blocks, slots, joined, tuple(new), tuple(staying), after)

    # Arrays --------------------------------------------------------------------------------------

    def _take(self, step: _Step) -> None:
        found = self._sums(step)
        axes = (*step.new, *step.rest)
        found = found.min(axis=tuple(at for at, axis in enumerate(axes) if axis not in step.after.axes))
        kept = [axis for axis in axes if axis in step.after.axes]
        found = found.transpose(*(kept.index(axis) for axis in step.after.axes), len(kept))
        known = self._values.get(step.after)
        self._values[step.after] = found if known is None else np.minimum(known, found)
        self._steps.setdefault(step.after, []).append(step)

    def _sums(self, step: _Step) -> _Array:
        """The least of all picks, by the new axes and those that stay."""
        if np.prod(self._size((*step.new, *step.rest))) > CELLS:
            raise TooLarge
        alike: dict[object, list[tuple[Way, ...]]] = {}
        for pick in step.picks:
            alike.setdefault(tuple(self._forms[id(way)] for way in pick), []).append(pick)
        values = self._values[step.before]
        found: _Array | None = None
        for picks in alike.values():
            costs = self._costs(step, picks)
            costs = costs.reshape((*costs.shape[:-1], *[1] * len(step.rest), costs.shape[-1]))
            sums = self._gathered(step, picks[0], values) + costs
            found = sums if found is None else np.minimum(found, sums)
        assert found is not None
        return found

    def _costs(self, step: _Step, picks: Sequence[tuple[Way, ...]]) -> _Array:
        """The least of picks, by the new axes."""
        key = (step.slots, step.new, tuple(tuple(map(id, pick)) for pick in picks))
        if key not in self._known_costs:
            found: _Array | None = None
            for pick in picks:
                costs = self._price(step, pick)
                found = costs if found is None else np.minimum(found, costs)
            assert found is not None
            self._known_costs[key] = found
        return self._known_costs[key]

    def _price(self, step: _Step, pick: tuple[Way, ...]) -> _Array:
        size = (*self._size(step.new), 2 * self.regions.prices.count)
        found = np.zeros(size)
        for way, slots in zip(pick, step.slots, strict=True):
            found = found + way.costs[self._place(step, slots)]
        return found

    def _place(self, step: _Step, slots: tuple[int, ...]) -> tuple[_Positions, ...]:
        """Where each of the new axes' points lies in the arrays of a way."""
        numbers = range(len(step.new) - len(step.gate.numbers), len(step.new))
        return tuple(self._along(step, at) for at in (*slots, *numbers))

    def _along(self, step: _Step, at: int) -> _Positions:
        (length,) = self._size((step.new[at],))
        return _numbered(length, at, len(step.new))

    def _gathered(self, step: _Step, pick: tuple[Way, ...], values: _Array) -> _Array:
        """What was paid before, by the new axes and those that stay."""
        where: dict[_Axis, _Positions] = {axis: self._along(step, at) for axis, at in step.joined.items()}
        for block, way, slots in zip(step.blocks, pick, step.slots, strict=True):
            place = self._place(step, slots)
            channels = way.channels[place] if place else way.channels.reshape((1,) * len(step.new))
            where |= dict.fromkeys(block.axes, channels)
        axes = step.before.axes
        order = [axes.index(axis) for axis in (*where, *step.rest)]
        return values.transpose(*order, *range(len(axes), values.ndim))[tuple(where.values())]

    # The way back --------------------------------------------------------------------------------

    def _way_back(
        self, state: _State, point: Mapping[_Axis, int], figure: int
    ) -> tuple[_Step, tuple[Way, ...], dict[_Axis, int]]:
        """The step and the pick that give the least at a point; where that lies before, and each number's answer."""
        best: tuple[float, _Step, tuple[Way, ...], dict[_Axis, int]] | None = None
        for step in self._steps[state]:
            values = np.asarray(self._values[step.before][..., figure])
            axes = (*step.new, *step.rest)
            fixed = tuple(point[axis] if axis in state.axes else slice(None) for axis in axes)
            free = [axis for axis in axes if axis not in state.axes]
            for pick in step.picks:
                costs = np.asarray(self._price(step, pick)[..., figure])
                sums = self._gathered(step, pick, values) + costs.reshape((*costs.shape, *[1] * len(step.rest)))
                here = np.asarray(sums[fixed])
                place = np.unravel_index(int(here.argmin()), here.shape)
                value = float(here[place])
                if best is None or value < best[0]:
                    at = dict(point) | {axis: int(each) for axis, each in zip(free, place, strict=True)}
                    best = value, step, pick, at
        assert best is not None
        _, step, pick, at = best
        before: dict[_Axis, int] = {axis: at[step.new[number]] for axis, number in step.joined.items()}
        before |= {axis: at[axis] for axis in (*step.rest, *step.new) if isinstance(axis, int) or axis in step.rest}
        numbers = step.new[len(step.new) - len(step.gate.numbers) :]
        for block, way, slots in zip(step.blocks, pick, step.slots, strict=True):
            place = tuple(at[step.new[slot]] for slot in slots) + tuple(at[axis] for axis in numbers)
            before |= dict.fromkeys(block.axes, int(way.channels[place]))
        return step, pick, before


_END: Final = _State((), frozenset(), frozenset(), ())


@lru_cache(maxsize=1024)
def _numbered(length: int, at: int, axes: int) -> _Positions:
    """0, 1, … along one of some axes."""
    return np.arange(length).reshape(*(length if axis == at else 1 for axis in range(axes)))


def _blocks(gate: Gate, here: Sequence[_Demand], *, apart: bool) -> Iterator[tuple[_Block, ...]]:
    """The maps that a gate can be for those that read it. What computes nothing may as well be one map as two."""
    yield tuple(_Block(demand.whose, (demand,)) for demand in here)
    if len(here) > 1 and not apart and not all(way.passes for way in gate.ways):
        yield (_Block(_BOTH, tuple(here)),)


def _ordered(regions: Regions) -> list[Gate]:
    """Gates behind all that they read; those that ask one question as near together as that allows."""
    first: dict[QuestionPath, int] = {}
    readers = dict.fromkeys(regions.gates, 0)
    for node, gate in regions.gates.items():
        if gate.question is not None:
            first.setdefault(gate.question, node)
        for read in {entry for way in gate.ways for entry, _ in way.entries}:
            readers[read] += 1
    found: list[Gate] = []
    ready: list[tuple[int, int]] = []

    def push(node: int) -> None:
        question = regions.gates[node].question
        heappush(ready, (-(node if question is None else first[question]), -node))

    for node, count in readers.items():
        if not count:
            push(node)
    while ready:
        node = -heappop(ready)[1]
        gate = regions.gates[node]
        found.append(gate)
        for read in {entry for way in gate.ways for entry, _ in way.entries}:
            readers[read] -= 1
            if not readers[read]:
                push(read)
    return found[::-1]
