"""What the phases of published searches do with each question."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random

import archdsl
from archdsl.pipeline import check
from archdsl.relax.phases import EDGES, PhaseQuestions, questions_in, questions_of, views_of
from archdsl.relax.relaxed import NONE, View
from archdsl.settings import Search
from archdsl.settings.losses import Heads
from archdsl.settings.relaxations import RELAXED, Method, PartialChannels, Relaxation, Untrained, WithoutLogits
from archdsl.settings.schedules import Anneal, Constant, Exponential
from archdsl.space import Program, QuestionKind
from archdsl.space.count import Census

ROOT = Path(__file__).parents[2]
SPACES = ROOT / "spaces"
Kind = QuestionKind


@cache
def search_of(file: Path) -> Search:
    checked = check(str(file))
    assert not checked.failed
    (found,) = (each for each in checked.recipes if isinstance(each, Search))
    return found


@cache
def space_of(file: str) -> Program:
    return archdsl.load(file).space


def kinds_of(questions: PhaseQuestions) -> dict[QuestionKind, int]:
    found: dict[QuestionKind, int] = {}
    for path in questions.rules:
        kind = questions.program.questions[path].kind
        found[kind] = found.get(kind, 0) + 1
    return found


def test_fasterseg() -> None:
    program = space_of(str(SPACES / "fasterseg.arch"))
    pretraining, student, teacher = (
        questions_in(phase, program, {}) for phase in search_of(SPACES / "fasterseg.arch").phases
    )
    everything = {Kind.OPERATOR: 45, Kind.SOURCE: 27, Kind.WIDTH: 44}
    # Nothing is searched: ops and paths are mixed alike, and widths are those of the sandwich.
    assert pretraining.learned == ()
    assert kinds_of(pretraining) == everything
    assert set(pretraining.rules.values()) == {
        WithoutLogits(Untrained.UNIFORM, (Kind.OPERATOR,)),
        WithoutLogits(Untrained.UNIFORM, (Kind.SOURCE,)),
        WithoutLogits(Untrained.ONE_PATH, (Kind.WIDTH,)),
    }
    assert kinds_of(student) == everything
    assert len(student.learned) == sum(everything.values())
    assert student.answers == {}
    # 3.3: the teacher's maps are all of the largest width, and its ops are no skips.
    assert kinds_of(teacher) == {Kind.OPERATOR: 45, Kind.SOURCE: 27}
    assert set(teacher.answers.values()) == {("12",)}
    assert all(teacher.program.questions[path].kind is Kind.WIDTH for path in teacher.answers)
    ops = [path for path in teacher.rules if program.questions[path].kind is Kind.OPERATOR]
    assert all(student.candidates(path)[0] == "skip" and len(student.candidates(path)) == 5 for path in ops)
    assert all("skip" not in teacher.candidates(path) and len(teacher.candidates(path)) == 4 for path in ops)


def test_fasterseg_runs_each_branch_and_each_pair() -> None:
    """Appendix B: the finer branch first. Heads of 8, 16, 32, 8 + 32, 16 + 32, and here 8 + 16."""
    program = space_of(str(SPACES / "fasterseg.arch"))
    a, b = program.branches
    student = questions_in(search_of(SPACES / "fasterseg.arch").phases[1], program, {})
    assert student.views == (
        View("a.8", ((a, "8"), (b, None))),
        View("a.16", ((a, "16"), (b, None))),
        View("b.16", ((a, None), (b, "16"))),
        View("b.32", ((a, None), (b, "32"))),
        View("a.8+b.16", ((a, "8"), (b, "16"))),
        View("a.8+b.32", ((a, "8"), (b, "32"))),
        View("a.16+b.32", ((a, "16"), (b, "32"))),
    )
    ended = views_of(program, (Heads.OUTPUT, Heads.EACH_PAIR), {b.end: ("16",)})
    assert ended == (View(), View("a.8+b.16", ((a, "8"), (b, "16"))))


def test_views_are_the_pairs_of_genotypes() -> None:
    program = space_of(str(SPACES / "fasterseg.arch"))
    census, random = Census(program), Random(3)
    sampled = {
        tuple(sample[branch.end][0] for branch in program.branches)
        for sample in (census.sample(random) for _ in range(200))
    }
    views = views_of(program, (Heads.EACH_PAIR,), {})
    assert {tuple(label for _, label in view.ends) for view in views} == sampled


def test_fasterseg_sandwich() -> None:
    program = space_of(str(SPACES / "fasterseg.arch"))
    pretraining, student, teacher = (
        questions_in(phase, program, {}) for phase in search_of(SPACES / "fasterseg.arch").phases
    )
    runs = pretraining.passes(Random(1))
    assert [each.name for each in runs] == ["largest", "smallest", "random", "random"]
    assert all(set(each.answers) == set(pretraining.widths) for each in runs)
    assert set(runs[0].answers.values()) == {("12",)}
    assert set(runs[1].answers.values()) == {("4",)}
    assert runs[2].answers != runs[3].answers
    assert set(runs[2].answers.values()) == {(width,) for width in ("4", "6", "8", "10", "12")}
    assert pretraining.passes(Random(1)) == runs
    assert [(each.name, bool(each.answers)) for each in student.passes(Random(1))] == [
        ("largest", True),
        ("smallest", True),
        ("sampled", False),
    ]
    # No width is open.
    assert [each.name for each in teacher.passes(Random(1))] == ["sampled"]


def test_cas_searches_its_backbone_first() -> None:
    file = str(SPACES / "cas.arch")
    backbone, pretraining, multiscale = search_of(SPACES / "cas.arch").phases
    assert backbone.network == "cas_backbone"
    first = questions_in(backbone, space_of(f"{file}:cas_backbone"), {})
    rule = Relaxation(Method.SOFTMAX, (Kind.OPERATOR,), also_none=True)
    assert set(first.rules.values()) == {rule}
    assert {path.scope[0].name for path in first.rules} == {"normal", "reduction"}
    assert all(first.candidates(path)[-1] == NONE for path in first.rules)
    # What a genotype of the backbone answers is discrete in the network around it.
    found = Census(space_of(f"{file}:cas_backbone")).sample(Random(2))
    whole = space_of(f"{file}:cas")
    second = questions_in(pretraining, whole, found)
    third = questions_in(multiscale, whole, found)
    for made in (second, third):
        assert made.answers == found
        assert {path.scope[0].name for path in made.rules} == {"multiscale"}
    assert third.learned == tuple(third.rules)
    assert set(third.rules.values()) == {rule}


def test_a_phase_that_pretrains_searches_nothing() -> None:
    file = str(SPACES / "cas.arch")
    found = Census(space_of(f"{file}:cas_backbone")).sample(Random(2))
    made = questions_in(search_of(SPACES / "cas.arch").phases[1], space_of(f"{file}:cas"), found)
    assert made.learned == ()


def test_autortnet() -> None:
    (phase,) = search_of(SPACES / "autortnet.arch").phases
    made = questions_in(phase, space_of(str(SPACES / "autortnet.arch")), {})
    assert kinds_of(made) == {Kind.OPERATOR: 37, Kind.EXIT: 3}
    assert {(each.method, each.temperature) for each in made.rules.values() if isinstance(each, Relaxation)} == {
        (Method.GUMBEL, Anneal(3.0, 0.03))
    }
    assert made.views == (View(),)


def test_gas() -> None:
    (phase,) = search_of(SPACES / "gas.arch").phases
    made = questions_in(phase, space_of(str(SPACES / "gas.arch")), {})
    assert kinds_of(made) == {Kind.OPERATOR: 70}
    assert set(made.rules.values()) == {Relaxation(Method.GUMBEL, (Kind.OPERATOR,), Anneal(1.0, 0.03))}


def test_darts() -> None:
    (phase,) = search_of(SPACES / "darts.arch").phases
    made = questions_in(phase, space_of(str(SPACES / "darts.arch")), {})
    assert kinds_of(made) == {Kind.OPERATOR: 28}
    # 2.4: `zero` takes part in the search.
    assert {len(made.candidates(path)) for path in made.rules} == {8}
    assert set(made.rules.values()) == {Relaxation(Method.SOFTMAX, (Kind.OPERATOR,), Constant(1.0), also_none=True)}


def test_fbnet() -> None:
    (phase,) = search_of(SPACES / "fbnet.arch").phases
    made = questions_in(phase, space_of(str(SPACES / "fbnet.arch")), {})
    assert set(made.rules.values()) == {Relaxation(Method.GUMBEL, (Kind.OPERATOR,), Exponential(5.0, 0.956))}


def test_edges_are_weighed_where_a_relaxation_normalises_them() -> None:
    program = space_of(str(SPACES / "darts.arch"))
    softmax = Relaxation(Method.SOFTMAX, RELAXED)
    without, weighed = (
        questions_of(program, (softmax, PartialChannels(Fraction(1), edge_normalisation=each)))
        for each in (False, True)
    )
    assert kinds_of(without) == {Kind.OPERATOR: 28}
    assert kinds_of(weighed) == {Kind.OPERATOR: 28, Kind.KEEP: 6}
    assert {rule for path, rule in weighed.rules.items() if program.questions[path].kind is Kind.KEEP} == {EDGES}


def test_what_a_genotype_answers_is_not_searched() -> None:
    """Also the questions that only other answers lead to."""
    program = space_of(str(SPACES / "autortnet.arch"))
    (phase,) = search_of(SPACES / "autortnet.arch").phases
    exits = {path: (each.answers[0],) for path, each in program.questions.items() if each.kind is Kind.EXIT}
    made = questions_in(phase, program, exits)
    assert made.answers == exits
    assert set(made.rules) < set(questions_in(phase, program, {}).rules)
