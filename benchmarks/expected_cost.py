"""What an expected cost with its gradients takes: `python -m benchmarks.expected_cost`, in ms of CPU time.

For each space: taking its networks apart, once for a search; the expectation with its gradient by all chances in numpy,
which of FasterSeg may take 20 ms; and the objective of the text's search with its gradients by weights in torch.
Tables are invented, for times do not depend on what stands in them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import thread_time

import torch

from archdsl.cost.objective import PricedObjective
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Measurement, Table
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.nets.supernet.objective import SearchObjective
from archdsl.pipeline import check, load
from archdsl.settings import Search
from archdsl.settings.costs import Unit
from archdsl.settings.objectives import costs_in
from archdsl.settings.searches import Phase
from archdsl.space import Program

SPACES = Path(__file__).parents[1] / "spaces"
NAMES = ("gas", "cas", "autortnet", "fasterseg")
CALLS = 30
INVENTED = Measurement(
    device="invented",
    runtime="torch",
    version="0",
    precision="fp32",
    threads=1,
    clock="cpu",
    statistic="minimum",
    rounds=1,
)


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'space':<10} {'terms':>7} {'built, s':>9} {'expectation, ms':>16} {'objective, ms':>14}")
    for name in NAMES:
        print(measured(name))


def measured(name: str) -> str:
    program, phase = searched(SPACES / f"{name}.arch")
    table = Table(Unit.MS, dict.fromkeys(rows_of_space(program), 1.0), INVENTED)
    files = (term.cost.table for term in costs_in(phase.objective))
    begun = thread_time()
    priced = PricedObjective.of(phase.objective, program, {file.path: table for file in files if file and file.path})
    built = thread_time() - begun
    (expectation,) = priced.costs.values()
    supernet = Supernet(program)
    objective = SearchObjective(supernet, priced)
    answers = {path: len(supernet.answers(path)) for path in supernet.questions}
    weights = {path: torch.full((count,), 1 / count, requires_grad=True) for path, count in answers.items()}
    decisions = Decisions(weights=weights)

    def step() -> None:
        value = objective(torch.tensor(0.0), decisions).value
        torch.autograd.grad(value, list(weights.values()), allow_unused=True)

    chances = objective.chances(decisions).values
    numpy_ms = cpu_ms(lambda: expectation.value_and_gradient(chances))
    return f"{name:<10} {len(expectation.costs):>7,} {built:>9.1f} {numpy_ms:>16.2f} {cpu_ms(step):>14.2f}"


def searched(file: Path) -> tuple[Program, Phase]:
    """The phase of a text's search that has a cost, with its program."""
    (search,) = (each for each in check(str(file)).recipes if isinstance(each, Search))
    phase = next(each for each in search.phases if costs_in(each.objective))
    return load(f"{file}:{phase.network or search.space}").program, phase


def cpu_ms(call: Callable[[], object]) -> float:
    """The median of some calls, after one that is not counted."""
    call()
    found: list[float] = []
    for _ in range(CALLS):
        begun = thread_time()
        call()
        found.append(1e3 * (thread_time() - begun))
    return median(found)


if __name__ == "__main__":
    main()
