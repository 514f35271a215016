"""What strategies propose: genotypes of the space within the bounds, the same by the same seed, better and better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archdsl.cost import figures
from archdsl.cost.rows import rows_of
from archdsl.ir import closed
from archdsl.pipeline import load
from archdsl.search.baselines.bounds import Bounds
from archdsl.search.baselines.errors import NoCandidate
from archdsl.search.baselines.evolution import regularised_evolution
from archdsl.search.baselines.local_search import local_search
from archdsl.search.baselines.members import Members
from archdsl.search.baselines.proposals import Strategy, random_of
from archdsl.search.baselines.random_search import random_search
from archdsl.search.baselines.strategies import Choice
from archdsl.search.derive.where import Where
from archdsl.space import Program
from archdsl.space.count import Census
from archdsl.space.trace import Answers, trace
from tests.cost.invented import numbered
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn
from tests.search.baselines.small import Separable, proposed, write_text
from tests.space.enumeration import genotypes

ROOT = Path(__file__).parents[3]
SEPARATE = "archdsl 1\n\nuse std\n\nspace separate() {\n  in image: 4x8x8\n  m0 = image -> conv1x1(4)\n"
STRATEGIES: dict[str, Strategy] = {
    "random": random_search,
    "evolution": partial(regularised_evolution, population=4, tournament=2),
    "local, best": partial(local_search, move="best"),
    "local, first": partial(local_search, move="first"),
}
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES.keys())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Program:
    return load(str(write_text(folder))).program


def macs(program: Program, answers: Answers) -> int:
    return figures(closed(program, trace(program, answers), "net")).macs


def evaluated(strategy: Strategy, members: Members, accuracy: Callable[[Answers], float], count: int) -> list[Answers]:
    return proposed(strategy(members, 0), accuracy, count)


# Membership and bounds --------------------------------------------------------------------------


@settings(max_examples=10)
@given(text=small_spaces(), seed=st.integers(0, 99))
def test_all_that_is_proposed_are_genotypes(folder: Path, text: str, seed: int) -> None:
    """On spaces that nobody wrote, against an enumeration that shares no code with the strategies."""
    program = drawn(folder, text)
    assume(1 < Census(program).count <= 150)
    every = set(genotypes(program))
    members = Members(program)
    for strategy in STRATEGIES.values():
        for answers in proposed(strategy(members, seed), Separable(seed), 8):
            assert frozenset(answers.items()) in every


@settings(max_examples=10)
@given(text=small_spaces(), seed=st.integers(0, 99))
def test_neighbours_and_mutants_differ_in_one_answer(folder: Path, text: str, seed: int) -> None:
    """And beyond it in what is newly asked alone; where nothing is, each other genotype so near is a neighbour."""
    program = drawn(folder, text)
    assume(1 < Census(program).count <= 150)
    members, random = Members(program), Random(seed)
    here = members.sample(random)
    neighbours = list(members.neighbours(here, random))
    for other in [*neighbours, *(members.mutant(here, random) for _ in range(5) if neighbours)]:
        assert len([path for path in here if path in other and other[path] != here[path]]) == 1
    near = {
        genotype
        for genotype in genotypes(program)
        if dict(genotype).keys() == here.keys()
        and sum(set(answer) != set(here[path]) for path, answer in genotype) == 1
        and all(len(set(answer) - set(here[path])) <= 1 for path, answer in genotype)
    }
    assert near <= {frozenset(each.items()) for each in neighbours}


@every_strategy
def test_all_that_is_proposed_meets_the_bounds(tiny: Program, strategy: Strategy) -> None:
    every = [dict(each) for each in genotypes(tiny)]
    rows = dict.fromkeys(row for each in every for row in rows_of(closed(tiny, trace(tiny, each), "net")))
    table = numbered(rows)
    seconds = sorted(Bounds((), table).costs(closed(tiny, trace(tiny, each), "net")).seconds or 0 for each in every)
    wheres = (Where("latency", ">", seconds[8], "latency > …"), Where("latency", "<=", seconds[25], "latency <= …"))
    members = Members(tiny, Bounds(wheres, table))
    for answers in evaluated(strategy, members, Separable(1), 20):
        found = members.costs(answers).seconds
        assert found is not None
        assert seconds[8] < found <= seconds[25]


def test_under_bounds_random_search_is_uniform_over_what_meets_them(tiny: Program) -> None:
    """GAS, table 3, setting (b)."""
    limit = 700_000
    within = [each for each in genotypes(tiny) if macs(tiny, dict(each)) < limit]
    assert 5 < len(within) < 39
    members = Members(tiny, Bounds([Where.parse("macs < 700k")]))
    count = 10 * len(within)
    drawn = Counter(frozenset(each.items()) for each in proposed(random_search(members, 3), lambda _: 0.0, count))
    assert drawn.keys() == set(within)
    assert sum((number - 10) ** 2 / 10 for number in drawn.values()) < 3 * len(within)


# Papers' spaces ---------------------------------------------------------------------------------


def test_what_a_mutation_leaves_unasked_is_dropped() -> None:
    """FasterSeg: another path of a branch asks other cells."""
    program = load(str(ROOT / "spaces/fasterseg.arch"), overrides={"layers": "6", "w": "2"}, size=(64, 128)).program
    members, random = Members(program), Random(0)
    here = members.sample(random)
    seen = 0
    for _ in range(12):
        child = members.mutant(here, random)
        found = trace(program, child)
        assert found.closed
        assert found.asked.keys() == child.keys()
        seen += child.keys() != here.keys()
        here = child
    assert seen


# Determinism ------------------------------------------------------------------------------------


@every_strategy
def test_the_same_seed_gives_the_same_trace(tiny: Program, strategy: Strategy) -> None:
    accuracy = Separable(2)
    one, same, other = (proposed(strategy(Members(tiny), seed), accuracy, 25) for seed in (0, 0, 1))
    assert one == same
    assert one != other


def test_all_begin_as_random_search_does(tiny: Program) -> None:
    """So that on equal terms a strategy differs from random search by what it does with accuracies alone."""
    members, accuracy = Members(tiny), Separable(2)
    first = proposed(random_search(members, 5), accuracy, 4)
    assert proposed(regularised_evolution(members, 5, population=4, tournament=2), accuracy, 4) == first
    assert proposed(local_search(members, 5, move="best"), accuracy, 1) == first[:1]


# Optima -----------------------------------------------------------------------------------------


def best(accuracy: Callable[[Answers], float], found: Sequence[Answers]) -> float:
    return max(map(accuracy, found))


@pytest.fixture(scope="module")
def separate(folder: Path) -> Program:
    """Eight questions of four answers that ask each other nothing: 65,536 genotypes."""
    ops = "{conv3x3(c = 4), conv1x1(c = 4), relu, relu6}"
    lines = "".join(f"  m{i} = m{i - 1} -> {ops}\n" for i in range(1, 9))
    path = folder / "separate.arch"
    path.write_text(f"{SEPARATE}{lines}  out y = m8 -> conv1x1(4)\n}}\n", encoding="utf-8")
    return load(str(path)).program


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("move", ["best", "first"])
def test_local_search_climbs_to_the_optimum_of_a_separable_accuracy(separate: Program, seed: int, move: str) -> None:
    """Each step makes one answer the best, so eight steps among 24 neighbours each are enough."""
    accuracy = Separable(seed)
    strategy = local_search(Members(separate), seed, move="best" if move == "best" else "first")
    assert best(accuracy, proposed(strategy, accuracy, 1 + 9 * 24)) == accuracy.optimum(separate)


@pytest.mark.parametrize("seed", range(2))
def test_evolution_comes_to_the_optimum_where_random_search_does_not(separate: Program, seed: int) -> None:
    accuracy, members = Separable(seed), Members(separate)
    evolution = regularised_evolution(members, seed, population=10, tournament=5)
    assert best(accuracy, proposed(evolution, accuracy, 400)) == accuracy.optimum(separate)
    assert best(accuracy, proposed(random_search(members, seed), accuracy, 400)) < accuracy.optimum(separate)


def test_the_oldest_dies_however_good_it_is(separate: Program) -> None:
    """Where each is worse than all before it, the parent is the older one of two that live, and never an older one."""
    worse = iter(range(0, -1000, -1))
    strategy = regularised_evolution(Members(separate), 1, population=2, tournament=16)
    found = proposed(strategy, lambda _: float(next(worse)), 12)
    for child, parent in zip(found[2:], found, strict=False):
        assert sum(child[path] != parent[path] for path in child) == 1


def test_local_search_proposes_no_neighbour_twice(tiny: Program) -> None:
    """Where all are known it begins anew at a genotype that is drawn, which counts."""
    members = Members(tiny)
    proposals = proposed(local_search(members, 0, move="best"), Separable(4), 60)
    found = [frozenset(each.items()) for each in proposals]
    starts = {frozenset(members.sample(random_of(0, number)).items()) for number in range(60)}
    assert all(count == 1 or each in starts for each, count in Counter(found).items())
    assert set(found) == set(genotypes(tiny))


# Refusals ---------------------------------------------------------------------------------------


def test_bounds_out_of_reach_say_what_there_is(tiny: Program) -> None:
    with pytest.raises(NoCandidate, match=r"no genotype meets `macs < 1k`: .* have macs from 122,880 to 1,007,616"):
        Members(tiny, Bounds([Where.parse("macs < 1k")]))
    with pytest.raises(NoCandidate, match="`latency < 8ms` needs a cost table"):
        Bounds([Where.parse("latency < 8ms")])


def test_bounds_that_none_meets_together_say_what_was_seen(tiny: Program) -> None:
    members = Members(tiny, Bounds([Where.parse("macs > 900k"), Where.parse("params < 400")]), tries=40)
    with pytest.raises(NoCandidate, match=r"none of 40 genotypes of `tiny` meets `macs > 900k, params < 400`: they"):
        members.sample(Random(0))


def test_a_budget_within_the_population_is_refused() -> None:
    with pytest.raises(NoCandidate, match="leave nothing to evolve"):
        Choice("evolution", population=10).strategy(10)
