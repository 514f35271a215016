"""The LALR tables as plain data, so that they can be cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from archdsl.syntax.tokens import Lexicon, Terminal


@dataclass(slots=True)
class Reduction:
    """The result of a reduction, from which an AST node is built."""

    data: str
    children: list[Any]


Included: TypeAlias = "tuple[int, bool, int]"
"""The position of a child, whether its own children stand in its place, and how many gaps stand before it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One production: how many symbols it takes, what it makes, and which of its children it keeps."""

    size: int
    makes: str
    name: str
    included: tuple[Included, ...]
    gaps: int
    """How many optional parts are missing at its end."""
    passes_on: bool
    """Whether an only child stands for the whole."""

    def pick(self, children: list[Any]) -> Any:
        """The reduction of these children, or the one child that stands for it."""
        kept: list[Any] = []
        for position, spreads, gaps in self.included:
            if gaps:
                kept += [None] * gaps
            child = children[position]
            if not spreads:
                kept.append(child)
            elif kept:
                kept += child.children
            else:
                kept = child.children  # a repetition grows in place, so that a long one stays linear
        if self.gaps:
            kept += [None] * self.gaps
        return kept[0] if self.passes_on and len(kept) == 1 else Reduction(self.name, kept)


@dataclass(frozen=True, slots=True)
class Tables:
    """`actions[state][symbol]` is a state to go to, or `~index` of a rule to reduce by."""

    actions: tuple[dict[str, int], ...]
    rules: tuple[Rule, ...]
    start: int
    end: int
    lexicon: Lexicon

    def as_data(self) -> dict[str, Any]:
        """The tables as JSON data."""
        return {
            "actions": list(self.actions),
            "rules": [[r.size, r.makes, r.name, [*map(list, r.included)], r.gaps, r.passes_on] for r in self.rules],
            "start": self.start,
            "end": self.end,
            "terminals": [[t.name, t.pattern, t.literal, t.priority, t.width] for t in self.lexicon.terminals],
        }

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Tables:
        """The tables from the data of `as_data`. Raises KeyError, TypeError or ValueError for anything else."""
        rules = tuple(
            Rule(size, makes, name, tuple((at, spreads, gaps) for at, spreads, gaps in included), end, passes_on)
            for size, makes, name, included, end, passes_on in data["rules"]
        )
        terminals = tuple(Terminal(*fields) for fields in data["terminals"])
        return cls(tuple(data["actions"]), rules, data["start"], data["end"], Lexicon(terminals))
