"""The strategies by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias, assert_never

from archdsl.search.baselines.errors import NoCandidate
from archdsl.search.baselines.evolution import regularised_evolution
from archdsl.search.baselines.local_search import Move, local_search
from archdsl.search.baselines.proposals import Strategy
from archdsl.search.baselines.random_search import random_search

Name: TypeAlias = Literal["random", "evolution", "local"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A strategy as a command line names it, with its settings."""

    by: Name
    population: int = 10
    """Of evolution. The paper has 100, for 20,000 evaluations; budgets here are tens and hundreds."""
    tournament: int = 3
    """Of evolution; 25 in the paper."""
    move: Move = "best"
    """Of local search."""

    @property
    def settings(self) -> dict[str, int | str]:
        """Those that make a difference."""
        match self.by:
            case "random":
                return {}
            case "evolution":
                return {"population": self.population, "tournament": self.tournament}
            case "local":
                return {"move": self.move}
            case _:
                assert_never(self.by)

    def __str__(self) -> str:
        """`random search`, `regularised evolution (population 10, tournament 3)`."""
        names = {"random": "random search", "evolution": "regularised evolution", "local": "local search"}
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return f"{names[self.by]} ({settings})" if settings else names[self.by]

    def strategy(self, evaluations: int) -> Strategy:
        """Raises NoCandidate where the budget is too small for the strategy to be one."""
        match self.by:
            case "random":
                return random_search
            case "evolution":
                if evaluations <= self.population:
                    raise NoCandidate(
                        f"{evaluations} evaluations and a population of {self.population} leave nothing to evolve: "
                        "give more `--evaluations` or a smaller `--population`"
                    )
                return partial(regularised_evolution, population=self.population, tournament=self.tournament)
            case "local":
                return partial(local_search, move=self.move)
            case _:
                assert_never(self.by)
