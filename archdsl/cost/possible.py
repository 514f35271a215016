"""What answers can make of the nodes of a program: which are computed, which maps are there, which are one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from archdsl.ops import Dim
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Absent,
    Apply,
    Asked,
    Image,
    Keep,
    Measured,
    Node,
    OfBranch,
    Program,
    Result,
    Searching,
    Select,
    holds,
)


@dataclass(frozen=True, slots=True)
class Presence:
    there: bool
    """Whether some answers give the map."""
    absent: bool
    """Whether some answers leave it out."""


@dataclass(frozen=True)
class Possible:
    """Questions are taken one by one, so that some of what is possible here no genotype may have."""

    program: Program

    @cached_property
    def reached(self) -> frozenset[int]:
        """The nodes that a network can compute at inference."""
        found: set[int] = set()
        waiting = [index for index in self.program.results if not _auxiliary(self.program.nodes[index])]
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                waiting.extend(sources(self.program.nodes[index]))
        return frozenset(found)

    @cached_property
    def presence(self) -> tuple[Presence, ...]:
        """By node."""
        found: list[Presence] = []
        for node in self.program.nodes:
            found.append(self._presence(node, [found[source] for source in sources(node)]))
        return tuple(found)

    def _presence(self, node: Node, reads: list[Presence]) -> Presence:
        some, none = any(each.there for each in reads), all(each.absent for each in reads)
        match node.payload:
            case Image():
                return Presence(there=True, absent=False)
            case Absent():
                return Presence(there=False, absent=True)
            case Select(subject, labels):
                left_out = isinstance(subject, Asked) and len(labels) < len(
                    self.program.questions[subject.question].answers
                )
                return Presence(some, left_out or not reads or any(each.absent for each in reads))
            case Keep(question):
                kept = self.program.questions[question].keep
                return Presence(some, sum(each.absent for each in reads) >= kept)
            case Apply(name) if PRIMITIVES[name].variadic:
                return Presence(some, none)
            case Apply() | OfBranch() | Result():
                return Presence(all(each.there for each in reads), any(each.absent for each in reads))

    @cached_property
    def origins(self) -> tuple[frozenset[int], ...]:
        """By node, the nodes whose map it can be."""
        found: list[frozenset[int]] = []
        for index, node in enumerate(self.program.nodes):
            own = frozenset({index})
            of_sources = (found[source] for source in sources(node))
            if isinstance(node.payload, Select | OfBranch):
                found.append(frozenset[int]().union(*of_sources))
            elif _is_sum(node):
                found.append(own.union(*of_sources))  # a sum of one map is that map
            else:
                found.append(own)
        return tuple(found)


def sources(node: Node) -> tuple[int, ...]:
    """The inputs that a network can have, which is no supernet."""
    match node.payload:
        case Select(Searching(), labels):
            return tuple(source for label, source in zip(labels, node.inputs, strict=True) if label == "no")
        case Select(Measured(count), labels) if not isinstance(count, Dim):
            found = (source for label, source in zip(labels, node.inputs, strict=True) if holds(label, count))
            return tuple(found)[:1]
        case _:
            return node.inputs


def _is_sum(node: Node) -> bool:
    return isinstance(node.payload, Keep) or (
        isinstance(node.payload, Apply) and PRIMITIVES[node.payload.primitive].traits.identity_of_one
    )


def _auxiliary(node: Node) -> bool:
    return isinstance(node.payload, Result) and node.payload.auxiliary
