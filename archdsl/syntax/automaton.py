"""The LALR automaton without semantic values: whether tokens are accepted, tried without side effects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archdsl.syntax.tables import Tables


@dataclass(frozen=True, slots=True)
class Automaton:
    tables: Tables

    def step(self, states: list[int], kind: str) -> bool:
        """Shift one token; `states` is unchanged where it is not accepted."""
        actions, rules = self.tables.actions, self.tables.rules
        kept = len(states)
        fresh: list[int] = []
        while True:
            action = actions[fresh[-1] if fresh else states[kept - 1]].get(kind)
            if action is None:
                return False
            if action >= 0:
                del states[kept:]
                states.extend(fresh)
                states.append(action)
                return True
            rule = rules[~action]
            size = rule.size
            from_fresh = min(size, len(fresh))
            if from_fresh:
                del fresh[-from_fresh:]
            kept -= size - from_fresh
            fresh.append(actions[fresh[-1] if fresh else states[kept - 1]][rule.makes])

    def reach(self, states: list[int], kinds: Iterable[str]) -> int:
        """How many of `kinds` are accepted in turn from `states`, which is not changed."""
        scratch = states.copy()
        count = 0
        for kind in kinds:
            if not self.step(scratch, kind):
                break
            count += 1
        return count

    def after(self, states: list[int], kinds: Iterable[str]) -> list[int] | None:
        """The states after `kinds`, or None where one of them is not accepted."""
        scratch = states.copy()
        return scratch if all(self.step(scratch, kind) for kind in kinds) else None

    def able(self, states: list[int]) -> list[str]:
        """The kinds that are accepted next."""
        row = self.tables.actions[states[-1]]
        return [t.name for t in self.tables.lexicon.terminals if t.name in row and self.reach(states, (t.name,))]
