"""What follows from logits, by each rule of a search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import assume, example, given, settings

from archdsl.pipeline import NotLoaded, load
from archdsl.pipeline.logits import write_logits
from archdsl.runs.errors import NoRun
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.genotype import Request, chances_of, found_by
from archdsl.search.derive.plan import Plan
from archdsl.search.derive.runs import from_run, from_text
from archdsl.search.derive.strongest import derive, every_end, matching
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.space.count import Census
from archdsl.space.trace import Answers, trace
from tests.cli.console import ROOT
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn

SURE: Final = 12.0
TEXTS: Final = ("spaces/cas", "spaces/autortnet", "spaces/gas", "spaces/nasbench201", "spaces/fbnet")
SLOW: Final = ("spaces/darts", "spaces/auto_deeplab", "spaces/ofa_mobilenetv3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def one_hot(program: Program, plan: Plan, answers: Answers) -> dict[QuestionPath, tuple[float, ...]]:
    """Logits that are sure of a genotype; what it is not asked has equal ones."""
    given = {path.question: answer[0] for path, answer in answers.items()}
    return {
        path: tuple(SURE * (answer == given.get(path)) for answer in learned.candidates)
        for path, learned in plan.learned.items()
    }


def ends_of(program: Program, answers: Answers) -> Mapping[str, str]:
    return {str(branch): answers[branch.end][0] for branch in program.branches if branch.end in answers}


def is_permitted(program: Program, answers: Answers) -> bool:
    """Whether logits can say it: branches share them, and inputs that stay are told from others by their ops."""
    given: dict[QuestionPath, tuple[str, ...]] = {}
    for path, answer in answers.items():
        if given.setdefault(path.question, answer) != answer:
            return False
        question = program.questions[path.question]
        if question.kind is QuestionKind.KEEP:
            edges = [program.questions.get(QuestionPath(path.scope, edge, path.node)) for edge in question.edges]
            if any(edge is None or edge.kind is not QuestionKind.OPERATOR or len(edge.answers) < 2 for edge in edges):
                return False
    return True


def is_derived(program: Program, answers: Answers) -> None:
    plan = Plan.plain(program, {})
    chances = Chances(plan, one_hot(program, plan, answers))
    found = [
        derive(chances, each).answers
        for each in every_end(plan)
        if all(answers.get(branch.end, (label,)) == (label,) for branch, label in each.items())
    ]
    assert found
    assert all(each == answers for each in found), "where a branch ends that this genotype does not read is the same"


UNREAD: Final = """archdsl 1

cell relu_or_not() {
  in x
  choose operator in {relu, bn}
  out x -> operator
}

space net() {
  in image: 4x8x8
  t = grid(i in 1..3, j in {1, 2, 3}) {
    start [1][1] = image
    choose source in {t[i - 1][j], t[i - 1][j - 1]} per branch
    each relu_or_not(source)
  }
  branches a, b in t[3]
  out y = a.last -> conv(2)
}
"""
"""Nothing reads the branch `b`: wherever it ends, the network is the same."""


@settings(max_examples=60)
@given(text=small_spaces())
@example(text=UNREAD)
def test_sure_logits_of_a_genotype_give_it(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    answers = Census(program).sample(Random(3))
    assume(is_permitted(program, answers))
    is_derived(program, answers)


@settings(max_examples=60)
@given(text=small_spaces())
def test_what_is_derived_is_a_member_that_reads_back(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    assume(program.questions)
    random = Random(4)
    plan = Plan.plain(program, {})
    logits = {path: tuple(random.gauss(0, 1) for _ in each.candidates) for path, each in plan.learned.items()}
    assume(logits)
    file = folder / "logits.json"
    file.write_text(write_logits(logits, program), encoding="utf-8")
    source = from_text(str(folder / "net.arch"), file)
    for ends in every_end(plan)[:3]:
        found = found_by(Request(source, {str(branch): label for branch, label in ends.items()}))
        (folder / "found.arch").write_text(found.text("found", folder), encoding="utf-8")
        again = load(str(folder / "found.arch"))
        assert again.diagnostics == ()
        assert again.meaning.trace is not None
        assert {path: again.meaning.answers[path] for path in again.meaning.trace.asked} == found.derived.answers


@pytest.mark.parametrize("text", [*TEXTS, *(pytest.param(each, marks=pytest.mark.slow) for each in SLOW)])
def test_sure_logits_of_a_network_give_it_by_the_rules_of_its_search(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    text += ".arch"
    program = load(text).program
    census, random = Census(program), Random(5)
    permitted = [each for each in (census.sample(random) for _ in range(20)) if is_permitted(program, each)]
    file = tmp_path / "logits.json"
    source = from_text(text, file)
    for answers in permitted[:3]:
        written = json.loads(write_logits(one_hot(program, Plan.plain(program, {}), answers), program))
        # What a guide makes of logits stands beside them.
        file.write_text(json.dumps({**written, "guided": written["logits"]}), encoding="utf-8")
        chances, _ = chances_of(source)
        (ends,) = matching(every_end(chances.plan), ends_of(program, answers))
        assert derive(chances, ends).answers == answers
    assert permitted


# The rules of papers ------------------------------------------------------------------------------

HEAD: Final = """archdsl 1

space net() {
  in image: 4x8x8
  one = image -> conv(4)
  two = image -> conv(4)
  x = sum({image, one, two} -> {relu, conv(c = 4), bn}, keep = 2)
  out y = x -> conv(2)
}
"""
SEARCH: Final = """
search found of net {
  %s
  arch = adam(lr = 1e-3)
  weights = sgd(lr = 0.1, batch = 2)
  epochs = 1
}
"""


def write(tmp_path: Path, lines: str, logits: Mapping[str, list[float]], **more: object) -> tuple[str, Path]:
    text, file = tmp_path / "net.arch", tmp_path / "logits.json"
    text.write_text(HEAD + (SEARCH % lines if lines else ""), encoding="utf-8")
    file.write_text(json.dumps({"version": 1, "space": "net", "logits": logits, **more}), encoding="utf-8")
    return str(text), file


def answers_of(text: str, file: Path) -> dict[str, tuple[str, ...]]:
    found = found_by(Request(from_text(text, file)))
    return {str(path): answer for path, answer in found.derived.answers.items()}


def test_none_takes_probability_and_wins_no_edge(tmp_path: Path) -> None:
    """CAS, DARTS: of `one` and `two`, `none` has taken so much that their ops are weaker than the third edge's."""
    logits = {"x.image": [0.0, 1.0, 0.0, 0.5], "x.one": [2.0, 0.0, 0.0, 5.0], "x.two": [0.0, 0.0, 1.0, 0.0]}
    rule = "relax = softmax(also = none)\n  derive = argmax(except = none), keep(by = max_probability)"
    found = answers_of(*write(tmp_path, rule, logits))
    assert found == {"x.keep": ("image", "two"), "x.image": ("conv(c = 4)",), "x.two": ("bn",)}


def test_the_means_of_dirichlet_distributions_rank_inputs(tmp_path: Path) -> None:
    """DrNAS: (elu(4) + 1) / 7 is less than what logits below zero leave to the others, and softmax(4, 0, 0) is more."""
    logits = {"x.image": [4.0, 0.0, 0.0], "x.one": [0.0, -3.0, -3.0], "x.two": [0.5, -3.0, -3.0]}
    assert answers_of(*write(tmp_path, "relax = dirichlet", logits))["x.keep"] == ("one", "two")
    assert answers_of(*write(tmp_path, "relax = softmax", logits))["x.keep"] == ("image", "two")


def test_weighed_inputs_are_ranked_by_both(tmp_path: Path) -> None:
    """PC-DARTS: the probability of the op times that of the edge."""
    logits = {
        "x.keep": [0.0, 3.0, 3.0],
        "x.image": [1.0, 0.0, 0.0],
        "x.one": [0.5, 0.0, 0.0],
        "x.two": [0.0, 0.4, 0.0],
    }
    rule = "relax = softmax, partial(channels = 1 / 2, edge_normalisation)"
    assert answers_of(*write(tmp_path, rule, logits))["x.keep"] == ("one", "two")
    assert answers_of(*write(tmp_path, "relax = softmax", logits))["x.keep"] == ("image", "one")


def test_guided_logits_are_read_where_a_rule_says_so(tmp_path: Path) -> None:
    program = load(str(ROOT / "spaces/gas.arch")).program
    plan = Plan.plain(program, {})
    plain = {program.spell(path): [1.0] + [0.0] * 7 for path in plan.learned}
    guided = {program.spell(path): [0.0] * 7 + [1.0] for path in plan.learned}
    file = tmp_path / "logits.json"
    file.write_text(json.dumps({"version": 1, "logits": plain, "guided": guided}), encoding="utf-8")
    found = found_by(Request(from_text(str(ROOT / "spaces/gas.arch"), file)))
    assert set(found.derived.answers.values()) == {("sep_conv3x3(d = 8)",)}
    file.write_text(json.dumps({"version": 1, "logits": plain}), encoding="utf-8")
    with pytest.raises(NotDerived, match="has no guided logits of `trunk"):
        found_by(Request(from_text(str(ROOT / "spaces/gas.arch"), file)))


def test_of_a_phase_that_searches_a_part_the_rest_stays_open(tmp_path: Path) -> None:
    """CAS searches its backbone first; the text says what is open, and derives the rest later."""
    text = str(ROOT / "spaces/cas.arch")
    program = load(text).program
    random = Random(7)
    logits = {
        path: tuple(random.gauss(0, 1) for _ in range(len(question.answers) + 1))
        for path, question in program.questions.items()
        if question.kind is QuestionKind.OPERATOR
    }
    file = tmp_path / "logits.json"
    file.write_text(write_logits(logits, program), encoding="utf-8")
    first = found_by(Request(from_text(text, file, phase="backbone")))
    assert {path.scope[0].name for path in first.derived.left_open} == {"multiscale"}
    assert "open = multiscale\n" in first.text("found", ROOT)
    whole = found_by(Request(from_text(text, file)))
    assert not whole.derived.left_open
    assert first.derived.answers.items() <= whole.derived.answers.items()


def test_a_genotype_keeps_its_answers_and_is_completed(tmp_path: Path) -> None:
    text = str(ROOT / "spaces/genotypes/cas_gt.arch:cas_gt_backbone")
    before = load(text)
    program = before.program
    logits = {
        path: tuple(float(number) for number in range(len(question.answers)))
        for path, question in program.questions.items()
        if path.scope[0].name == "multiscale" and question.kind is QuestionKind.OPERATOR
    }
    file = tmp_path / "logits.json"
    file.write_text(write_logits(logits, program), encoding="utf-8")
    found = found_by(Request(from_text(text, file)))
    assert before.meaning.answers.items() <= found.derived.answers.items()
    assert trace(program, found.derived.answers).closed


# Runs ---------------------------------------------------------------------------------------------


def make_run(tmp_path: Path, steps: Mapping[int, list[float]]) -> Path:
    write(tmp_path, "relax = softmax", {"x.image": [0.0] * 3})
    run = tmp_path / "run"
    (run / "logits" / "found").mkdir(parents=True)
    program = load(str(tmp_path / "net.arch")).program
    record = {"format_version": 2, "text": "../net.arch", "item": "found", "hash": program.hash, "seed": 3}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    for step, vector in steps.items():
        logits = {f"x.{edge}": vector for edge in ("image", "one", "two")}
        file = run / "logits" / "found" / f"{step}.json"
        file.write_text(json.dumps({"version": 1, "hash": program.hash, "logits": logits}), encoding="utf-8")
    return run


def test_a_run_gives_its_last_step_or_another(tmp_path: Path) -> None:
    run = make_run(tmp_path, {20: [1.0, 0.0, 0.0], 100: [0.0, 0.0, 1.0]})
    ops = [found_by(Request(from_run(run, step=step))).derived.answers.values() for step in (None, 20)]
    assert [("bn",) in each for each in ops] == [True, False]
    found = found_by(Request(from_run(run)))
    text = found.text("found", tmp_path)
    assert f'found=run("{run.as_posix()}","found",seed=3,step=100' in "".join(text.split())
    (tmp_path / "found.arch").write_text(text, encoding="utf-8")
    assert load(str(tmp_path / "found.arch")).closed


def test_costs_are_those_of_the_images_of_a_run_or_of_others(tmp_path: Path) -> None:
    run = make_run(tmp_path, {1: [1.0, 0.0, 0.0]})
    as_written = from_run(run).loaded.program.image.shape
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps(record | {"size": [48, 80]}), encoding="utf-8")
    sizes = [from_run(run, size=size).loaded.program.image.shape.size for size in (None, (16, 24))]
    assert sizes == [(48, 80), (16, 24)]
    assert as_written.size not in sizes


def test_a_run_whose_space_has_changed_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path, {1: [1.0, 0.0, 0.0]})
    (tmp_path / "net.arch").write_text(HEAD.replace("bn}", "relu6}") + SEARCH % "relax = softmax", encoding="utf-8")
    with pytest.raises(NotDerived, match="has changed since the run"):
        from_run(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 3}, "of another version"),
        ({"item": None}, "`item` has to be a valid string"),
        ({"item": "nothing"}, "no space and no genotype `nothing`"),
    ],
)
def test_a_record_that_is_none_of_a_search(tmp_path: Path, change: Mapping[str, object], message: str) -> None:
    run = make_run(tmp_path, {1: [1.0, 0.0, 0.0]})
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps(record | change), encoding="utf-8")
    with pytest.raises((NoRun, NotDerived, NotLoaded), match=message):
        from_run(run)


def test_steps_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = make_run(tmp_path / "empty", {})
    run = make_run(tmp_path, {20: [1.0, 0.0, 0.0], 100: [0.0, 0.0, 1.0]})
    with pytest.raises(NotDerived, match="has no step 21: it has 2 from 20 to 100"):
        from_run(run, step=21)
    with pytest.raises(NoRun, match="holds no run"):
        from_run(tmp_path)
    with pytest.raises(NotDerived, match="has no logits of the phase"):
        from_run(empty)
