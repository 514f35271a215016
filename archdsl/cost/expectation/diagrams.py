"""Decision diagrams: functions of the answers to questions, each stored once.

A diagram is a number. It is a leaf with a value, or asks a variable and goes on to a diagram for each answer; no path
asks a variable twice, and all ask them in one order (Bryant, 1986; with many answers and many kinds of leaves).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeGuard

Diagram: TypeAlias = int

FALSE: Final[Diagram] = 0
TRUE: Final[Diagram] = 1
LIMIT: Final = 2_000_000


class TooLarge(Exception):
    """A function that hangs on too many questions at once."""


@dataclass(slots=True)
class _Frame:
    """A call that waits for those on its parts."""

    diagrams: tuple[Diagram, ...]
    variable: int = 0
    parts: Sequence[tuple[Diagram, ...]] = ()


@dataclass(slots=True)
class Diagrams:
    """All diagrams over some variables, which are numbered in the order in which they are asked."""

    limit: int = LIMIT
    """More nodes are not built."""
    variables: list[int] = field(default_factory=lambda: [_LEAF, _LEAF])
    """For each node its variable."""
    children: list[tuple[Diagram, ...]] = field(default_factory=lambda: [(), ()])
    values: list[Hashable] = field(default_factory=lambda: [False, True])
    """For each leaf its value."""
    _nodes: dict[tuple[int, tuple[Diagram, ...]], Diagram] = field(
        default_factory=dict[tuple[int, tuple[Diagram, ...]], Diagram]
    )
    _leaves: dict[tuple[Hashable, Hashable], Diagram] = field(
        default_factory=lambda: {(bool, False): 0, (bool, True): 1}
    )
    _leaves_below: dict[Diagram, tuple[Hashable, ...]] = field(default_factory=dict[Diagram, tuple[Hashable, ...]])
    _supports: dict[Diagram, frozenset[int]] = field(default_factory=dict[Diagram, frozenset[int]])
    _applied: dict[Hashable, Diagram] = field(default_factory=dict["Hashable", Diagram])

    def leaf(self, value: Hashable) -> Diagram:
        key = (_types(value), value)
        if key not in self._leaves:
            self._leaves[key] = self._new(_LEAF, (), value)
        return self._leaves[key]

    def ask(self, variable: int, options: Sequence[Diagram]) -> Diagram:
        """By the answer to a variable one of `options`, in which variables may come before it."""
        if len(set(options)) == 1:
            return options[0]
        if all(self.variables[each] > variable for each in options):
            return self._node(variable, tuple(options))
        found = options[-1]
        for answer in reversed(range(len(options) - 1)):
            found = self.choose(self.answered(variable, answer, len(options)), options[answer], found)
        return found

    def answered(self, variable: int, answer: int, count: int) -> Diagram:
        """That a variable has this one of its answers."""
        return self._node(variable, tuple(TRUE if each == answer else FALSE for each in range(count)))

    def apply(self, name: Hashable, function: Callable[..., Hashable], *diagrams: Diagram) -> Diagram:
        """A function of the values; `name` stands for the function and all that it hangs on."""
        # Frames and not calls: a diagram is as deep as a text has questions.
        known = self._applied
        waiting: list[_Frame] = [_Frame(diagrams)]
        while waiting:
            frame = waiting[-1]
            key = (name, frame.diagrams)
            if key in known:
                waiting.pop()
            elif frame.parts:
                known[key] = self._node(frame.variable, tuple([known[name, part] for part in frame.parts]))
                waiting.pop()
            elif (top := min([self.variables[each] for each in frame.diagrams])) == _LEAF:
                known[key] = self.leaf(function(*(self.values[each] for each in frame.diagrams)))
                waiting.pop()
            else:
                frame.variable = top
                frame.parts = list(zip(*self._cofactors(frame.diagrams, top), strict=True))
                waiting += [_Frame(part) for part in frame.parts if (name, part) not in known]
        return known[name, diagrams]

    def bind(self, diagram: Diagram, after: Mapping[Hashable, Diagram]) -> Diagram:
        """With another diagram in the place of each leaf."""
        known = self._applied
        first = self._bound(diagram, after)
        waiting: list[_Frame] = [_Frame(first)]
        while waiting:
            frame = waiting[-1]
            if self._is_bound(frame.diagrams):
                waiting.pop()
            elif frame.parts:
                children = tuple([self._binding(part) for part in frame.parts])
                known["bind", frame.diagrams] = self._node(frame.variable, children)
                waiting.pop()
            else:
                frame.variable = min([self.variables[each] for each in frame.diagrams])
                leaves = self.leaves(frame.diagrams[0])
                cofactors = zip(*self._cofactors(frame.diagrams, frame.variable), strict=True)
                frame.parts = [self._bound(each, dict(zip(leaves, rest, strict=True))) for each, *rest in cofactors]
                waiting += [_Frame(part) for part in frame.parts if not self._is_bound(part)]
        return self._binding(first)

    def _bound(self, diagram: Diagram, after: Mapping[Hashable, Diagram]) -> tuple[Diagram, ...]:
        """A diagram, and what stands in the place of each of its leaves."""
        return (diagram, *[after[value] for value in self.leaves(diagram)])

    def _is_bound(self, diagrams: tuple[Diagram, ...]) -> bool:
        return len(diagrams) == 2 or ("bind", diagrams) in self._applied

    def _binding(self, diagrams: tuple[Diagram, ...]) -> Diagram:
        return diagrams[1] if len(diagrams) == 2 else self._applied["bind", diagrams]

    def choose(self, condition: Diagram, one: Diagram, other: Diagram) -> Diagram:
        return self.bind(condition, {True: one, False: other})

    def conjunction(self, *conditions: Diagram) -> Diagram:
        found = TRUE
        for each in conditions:
            found = self.choose(each, found, FALSE)
        return found

    def either(self, one: Diagram, other: Diagram) -> Diagram:
        return self.choose(one, TRUE, other)

    def negated(self, condition: Diagram) -> Diagram:
        return self.choose(condition, FALSE, TRUE)

    def has(self, diagram: Diagram, value: Hashable) -> Diagram:
        """That it has this value."""

        def is_it(found: Hashable) -> bool:
            return type(found) is type(value) and found == value

        return self.apply(("has", type(value), value), is_it, diagram)

    def together(self, diagrams: Sequence[Diagram]) -> Diagram:
        """Their values as a tuple."""
        found = self.leaf(())
        for each in diagrams:
            found = self.apply("together", _with, found, each)
        return found

    def joint_leaves(self, diagram: Diagram) -> list[tuple[Hashable, ...]]:
        """Those of diagrams that were put together."""
        return [each for each in self.leaves(diagram) if _is_tuple(each)]

    def leaves(self, diagram: Diagram) -> tuple[Hashable, ...]:
        """Every value that it can have."""
        known = self._leaves_below
        for node in self._upwards(diagram, known):
            children = self.children[node]
            each = (value for child in children for value in known[child])
            known[node] = tuple(dict.fromkeys(each)) if children else (self.values[node],)
        return known[diagram]

    def restrict(self, diagram: Diagram, variable: int, answer: int) -> Diagram:
        """Where a variable has this one of its answers."""
        known: dict[Diagram, Diagram] = {}
        waiting = [diagram]
        while waiting:
            each = waiting[-1]
            if each in known:
                waiting.pop()
            elif self.variables[each] >= variable:
                known[each] = self.children[each][answer] if self.variables[each] == variable else each
            elif missing := [child for child in self.children[each] if child not in known]:
                waiting += missing
            else:
                known[each] = self._node(self.variables[each], tuple([known[child] for child in self.children[each]]))
        return known[diagram]

    def at(self, diagram: Diagram, answers: Mapping[int, int]) -> Diagram:
        """The leaf under answers to all variables that it hangs on."""
        while self.children[diagram]:
            diagram = self.children[diagram][answers[self.variables[diagram]]]
        return diagram

    def support(self, diagram: Diagram) -> frozenset[int]:
        """The variables that it hangs on."""
        known = self._supports
        for node in self._upwards(diagram, known):
            children = self.children[node]
            own = frozenset({self.variables[node]} if children else ())
            known[node] = own.union(*(known[child] for child in set(children)))
        return known[diagram]

    def _upwards(self, diagram: Diagram, known: Mapping[Diagram, object]) -> Iterator[Diagram]:
        """Those diagrams from here on that are not known yet, each behind all that it leads to."""
        waiting = [diagram]
        while waiting:
            node = waiting[-1]
            if node in known:
                waiting.pop()
            elif missing := [child for child in self.children[node] if child not in known]:
                waiting += missing
            else:
                waiting.pop()
                yield node

    def _cofactors(self, diagrams: Sequence[Diagram], variable: int) -> list[tuple[Diagram, ...]]:
        count = next(len(self.children[each]) for each in diagrams if self.variables[each] == variable)
        return [self.children[each] if self.variables[each] == variable else (each,) * count for each in diagrams]

    def _node(self, variable: int, children: tuple[Diagram, ...]) -> Diagram:
        if len(set(children)) == 1:
            return children[0]
        key = (variable, children)
        if key not in self._nodes:
            self._nodes[key] = self._new(variable, children, None)
        return self._nodes[key]

    def _new(self, variable: int, children: tuple[Diagram, ...], value: Hashable) -> Diagram:
        if len(self.variables) >= self.limit:
            raise TooLarge
        self.variables.append(variable)
        self.children.append(children)
        self.values.append(value)
        return len(self.variables) - 1


_LEAF: Final = 1 << 60
"""Stands after all variables."""


def _with(left: Hashable, right: Hashable) -> tuple[Hashable, ...]:
    assert _is_tuple(left)
    return (*left, right)


def _types(value: Hashable) -> Hashable:
    """By which 1 and True are told apart, also within tuples."""
    return tuple(map(_types, value)) if _is_tuple(value) else type(value)


def _is_tuple(value: Hashable) -> TypeGuard[tuple[Hashable, ...]]:
    return isinstance(value, tuple)
