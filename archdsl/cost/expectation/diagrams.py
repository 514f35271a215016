"""Decision diagrams: functions of the answers to questions, each stored once.

A diagram is a number. It is a leaf with a value, or asks a variable and goes on to a diagram for each answer; no path
asks a variable twice, and all ask them in one order (Bryant, 1986; with many answers and many kinds of leaves).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeGuard

Diagram: TypeAlias = int

FALSE: Final[Diagram] = 0
TRUE: Final[Diagram] = 1
LIMIT: Final = 2_000_000


class TooLarge(Exception):
    """A function that hangs on too many questions at once."""


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
    _leaves: dict[tuple[type, Hashable], Diagram] = field(default_factory=lambda: {(bool, False): 0, (bool, True): 1})
    _leaves_below: dict[Diagram, tuple[Hashable, ...]] = field(default_factory=dict[Diagram, tuple[Hashable, ...]])
    _supports: dict[Diagram, frozenset[int]] = field(default_factory=dict[Diagram, frozenset[int]])
    _applied: dict[Hashable, Diagram] = field(default_factory=dict["Hashable", Diagram])

    def leaf(self, value: Hashable) -> Diagram:
        key = (type(value), value)
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
        key = (name, diagrams)
        found = self._applied.get(key)
        if found is None:
            top = min(self.variables[each] for each in diagrams)
            if top == _LEAF:
                found = self.leaf(function(*(self.values[each] for each in diagrams)))
            else:
                found = self._node(
                    top,
                    tuple(
                        self.apply(name, function, *each) for each in zip(*self._cofactors(diagrams, top), strict=True)
                    ),
                )
            self._applied[key] = found
        return found

    def bind(self, diagram: Diagram, after: Mapping[Hashable, Diagram]) -> Diagram:
        """With another diagram in the place of each leaf."""
        leaves = self.leaves(diagram)
        if len(leaves) == 1:
            return after[leaves[0]]
        diagrams = (diagram, *(after[value] for value in leaves))
        key = ("bind", diagrams)
        found = self._applied.get(key)
        if found is None:
            top = min(self.variables[each] for each in diagrams)
            cofactors = zip(*self._cofactors(diagrams, top), strict=True)
            found = self._node(
                top, tuple(self.bind(each, dict(zip(leaves, rest, strict=True))) for each, *rest in cofactors)
            )
            self._applied[key] = found
        return found

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
        found = self._leaves_below.get(diagram)
        if found is None:
            if not self.children[diagram]:
                found = (self.values[diagram],)
            else:
                each = (value for child in self.children[diagram] for value in self.leaves(child))
                found = tuple(dict.fromkeys(each))
            self._leaves_below[diagram] = found
        return found

    def restrict(self, diagram: Diagram, variable: int, answer: int) -> Diagram:
        """Where a variable has this one of its answers."""
        here = self.variables[diagram]
        if here > variable:
            return diagram
        if here == variable:
            return self.children[diagram][answer]
        key = ("restrict", diagram, variable, answer)
        found = self._applied.get(key)
        if found is None:
            found = self._node(here, tuple(self.restrict(each, variable, answer) for each in self.children[diagram]))
            self._applied[key] = found
        return found

    def at(self, diagram: Diagram, answers: Mapping[int, int]) -> Diagram:
        """The leaf under answers to all variables that it hangs on."""
        while self.children[diagram]:
            diagram = self.children[diagram][answers[self.variables[diagram]]]
        return diagram

    def support(self, diagram: Diagram) -> frozenset[int]:
        """The variables that it hangs on."""
        found = self._supports.get(diagram)
        if found is None:
            found = frozenset[int]().union(*map(self.support, set(self.children[diagram])))
            if self.children[diagram]:
                found |= {self.variables[diagram]}
            self._supports[diagram] = found
        return found

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


def _is_tuple(value: Hashable) -> TypeGuard[tuple[Hashable, ...]]:
    return isinstance(value, tuple)
