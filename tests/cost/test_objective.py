"""Objectives are what texts and papers say, as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, isnan
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np
import pytest

from archdsl.cost import figures
from archdsl.cost.estimate import MissingRows, estimate
from archdsl.cost.expectation.program import Array
from archdsl.cost.objective import Chances, PricedObjective, adapted, tables_of
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Table, TableUnreadable, table_bytes
from archdsl.ir import closed
from archdsl.pipeline import check, load
from archdsl.settings import Search
from archdsl.settings.costs import Cost, Counted, Measured, TableFile, Uniform
from archdsl.settings.objectives import Adaptive, CostTerm, Log, LossTerm, Objective, Sum, Value, costs_in
from archdsl.settings.searches import Phase
from archdsl.space import Apply, Program, QuestionKind
from archdsl.space.count import Census
from archdsl.space.node_path import parts
from archdsl.space.trace import Answers, trace
from tests.cost.invented import SCALE, table
from tests.cost.objectives import FORMS, KINDS, SPACE, WEIGHTED, searched

ROOT = Path(__file__).parents[2]
MACS = CostTerm(Cost("macs", Counted("macs")))


def filled(program: Program) -> Table:
    """A table with an invented time for each row, in ms."""
    rows = rows_of_space(program)
    return table({row: 1 + crc32(f"{row.reads} {row.body}".encode()) % 1000 for row in rows}, scale=SCALE)


def phase_of(file: str, name: str) -> Phase:
    (search,) = (each for each in check(str(ROOT / file)).recipes if isinstance(each, Search))
    return next(each for each in search.phases if each.name == name)


def priced(objective: Objective, program: Program, answers: Answers | None = None) -> PricedObjective:
    """With one invented table in the place of all that it names."""
    invented = filled(program)
    files = (term.cost.table for term in costs_in(objective))
    tables = {each.path: invented for each in files if each and each.path}
    return PricedObjective.of(objective, program, tables, answers)


def network_ms(program: Program, answers: Answers, *over: str) -> float:
    """What the rows of a network take by its table, or those in some parts of it."""
    rows = estimate(closed(program, trace(program, answers), "net"), filled(program)).rows
    inside = tuple(f"{part}{mark}" for part in over for mark in ".[")
    return 1e3 * fsum(row.seconds for row in rows if not over or row.use.path.startswith(inside))


def samples(program: Program, count: int = 5) -> Iterator[Answers]:
    census = Census(program)
    return (census.sample(Random(seed)) for seed in range(count))


def somewhere(priced: PricedObjective, seed: int) -> Chances:
    """Random chances of the answers of all variables."""
    draw = np.random.default_rng(seed)
    parts = [draw.dirichlet([1.0] * (len(each.answers) - each.keeps)) for each in priced.variables]
    padded = [np.append(part, [0.0] * each.keeps) for part, each in zip(parts, priced.variables, strict=True)]
    values: Array = np.concatenate(padded)
    return Chances(values, np.ones_like(values))


@pytest.mark.parametrize("text", FORMS)
def test_a_form_is_its_formula(text: str, tmp_path: Path) -> None:
    program, phase = searched(tmp_path, text)
    found = priced(phase.objective, program)
    for answers in samples(program):
        macs = figures(closed(program, trace(program, answers), "net")).macs
        assert found.value(answers, loss=1.5) == pytest.approx(FORMS[text](1.5, macs), rel=1e-12)
        assert found.costs_of(answers) == ({MACS: macs} if "macs" in text else {})


def test_what_is_outside_of_a_domain_is_no_number(tmp_path: Path) -> None:
    program, phase = searched(tmp_path, "loss + log(1 - macs)")
    assert all(isnan(priced(phase.objective, program).value(answers)) for answers in samples(program))


def test_networks_are_picked_by_accuracy_and_latency() -> None:
    """FasterSeg, equation 5."""
    program = load(str(ROOT / "spaces/fasterseg.arch"), overrides={"layers": "5"}).program
    pick = phase_of("spaces/fasterseg.arch", "student").pick
    assert pick is not None
    found = priced(pick, program)
    for answers in samples(program):
        expected = 0.7 * (network_ms(program, answers) / 8.3) ** -0.07
        assert found.value(answers, accuracy=0.7) == pytest.approx(expected, rel=1e-9)


# Weights by kind ----------------------------------------------------------------------------------


def test_weights_scale_the_gradient_by_the_answers_of_each_kind(tmp_path: Path) -> None:
    """FasterSeg, equation 3: a sum of costs, in each of which one kind of answers alone moves."""
    program, phase = searched(tmp_path, f"loss + {WEIGHTED} + macs")
    found = priced(phase.objective, program)
    (expectation,) = found.costs.values()
    chances = somewhere(found, 1)
    evaluated = found.evaluated(chances)
    (weighted,) = (term for term in evaluated if term.weights)
    plain = expectation.value(chances.values)
    assert evaluated[MACS].value == plain
    assert evaluated[weighted].plain == plain
    assert evaluated[weighted].value == pytest.approx(sum(KINDS.values()) * plain)
    kinds = found.spread([KINDS[program.questions[each.path].kind] for each in found.variables])
    for place in range(len(chances.values)):
        step = np.zeros_like(chances.values)
        step[place] = 1e-3
        slope = (expectation.value(chances.values + step) - expectation.value(chances.values - step)) / 2e-3
        assert evaluated[weighted].gradient[place] == pytest.approx(kinds[place] * slope, rel=1e-6, abs=1e-6 * plain)


def test_the_published_weights_leave_the_latency_as_it_is() -> None:
    program = load(str(ROOT / "spaces/fasterseg.arch"), overrides={"layers": "5"}).program
    found = priced(phase_of("spaces/fasterseg.arch", "student").objective, program)
    for answers in samples(program):
        expected = 2 + 0.01 * network_ms(program, answers)
        assert found.value(answers, loss=2) == pytest.approx(expected, rel=1e-9)


# Parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "phase", "over"),
    [("spaces/gas.arch", "gas_s", ("trunk",)), ("spaces/autortnet.arch", "autortnet_a", ("h1", "h2", "h3"))],
)
def test_a_cost_over_parts_is_that_of_their_rows(file: str, phase: str, over: tuple[str, ...]) -> None:
    """GAS, equations 8 and 9; AutoRTNet, equations 4 and 7, where cells behind the exit are no part of the network."""
    program = load(str(ROOT / file)).program
    objective = phase_of(file, phase).objective
    found = priced(objective, program)
    (term,) = found.costs
    assert term.over == over
    for answers in samples(program):
        expected = network_ms(program, answers, *over)
        assert expected < network_ms(program, answers)
        unit = 1e-3  # the texts' unit is a microsecond
        assert found.costs_of(answers)[term] * unit == pytest.approx(expected, rel=1e-9)


def test_parts_add_up_to_the_network() -> None:
    program = load(str(ROOT / "spaces/fasterseg.arch"), overrides={"layers": "5"}).program
    cost = Cost("macs", Counted("macs"))
    convs = (node for node in program.nodes if isinstance(node.payload, Apply) and node.payload.primitive == "conv")
    outermost = {parts(node.frames)[0] for node in convs} - {"deep", "middle"}  # auxiliary outputs have no rows
    terms = (CostTerm(cost), *(CostTerm(cost, (part,)) for part in sorted(outermost)))
    found = priced(Sum(((1, LossTerm()), *((1, term) for term in terms))), program)
    for answers in samples(program):
        whole, *some = found.costs_of(answers).values()
        assert whole == fsum(some)
        assert len(some) == len(outermost)


def test_a_cost_that_no_network_has_is_refused(tmp_path: Path) -> None:
    space = SPACE.replace("  out logits = trunk", "  plain = trunk -> relu\n  out logits = plain")
    program, phase = searched(tmp_path, "loss + log(macs(over = plain))", space)
    with pytest.raises(ValueError, match=r"`macs\(over = \{plain\}\)` is 0 for every network of `net`"):
        priced(phase.objective, program)


# Costs relative to an op --------------------------------------------------------------------------


def everywhere(program: Program, op: str) -> Answers:
    """The genotype with one op on every edge."""
    return dict.fromkeys(program.questions, (op,))


def test_an_op_costs_what_a_network_of_it_does_more() -> None:
    """CAS, section 4.1 and equation 5, on a space that asks for ops alone."""
    program = load(str(ROOT / "spaces/nasbench201.arch")).program
    file = TableFile("t.json", ROOT / "t.json")
    cost = Cost("op_latency", Uniform(Measured(file), "skip_connect"))
    found = priced(Sum(((1, LossTerm()), (1, CostTerm(cost)))), program)
    (ops,) = {question.answers for question in program.questions.values()}
    above = {op: network_ms(program, everywhere(program, op)) for op in ops}
    for answers in samples(program):
        expected = fsum(above[op] - above["skip_connect"] for (op,) in answers.values())
        assert found.costs_of(answers)[CostTerm(cost)] == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_of_edges_that_a_genotype_leaves_out_no_op_costs_anything() -> None:
    program = load(f"{ROOT / 'spaces/cas.arch'}:cas_backbone").program
    found = priced(phase_of("spaces/cas.arch", "backbone").objective, program)
    (term,) = found.costs
    asked = program.questions.items()
    ops = {path: ("identity",) for path, each in asked if each.kind is QuestionKind.OPERATOR}
    kept = {path: each.answers[:2] for path, each in asked if each.kind is QuestionKind.KEEP}
    assert found.costs_of({**ops, **kept}) == {term: 0.0}
    assert found.costs_of(kept) == {term: 0.0}


def test_only_ops_that_are_searched_cost() -> None:
    program = load(str(ROOT / "spaces/nasbench201.arch")).program
    first, *others = program.questions
    cost = Cost("op_macs", Uniform(Counted("macs"), "skip_connect"))
    conv = "nor_conv(k = 3)"
    objective = Sum(((1, LossTerm()), (1, CostTerm(cost))))
    found = priced(objective, program, dict.fromkeys(others, (conv,)))

    def macs(op: str) -> float:
        answers = {**everywhere(program, conv), first: (op,)}
        return figures(closed(program, trace(program, answers), "net")).macs

    for op in program.questions[first].answers:
        value = found.costs_of({first: (op,)})[CostTerm(cost)]
        assert value == pytest.approx(macs(op) - macs("skip_connect"))


# Adaptive weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("cost", "weight"), [(5.6, 1.5), (5.7, 3.0), (6.0, 3.0), (6.5, 3.0), (6.6, 6.0)])
def test_a_weight_follows_what_derived_networks_cost(cost: float, weight: float) -> None:
    assert adapted(3.0, cost, Adaptive(MACS, 5.7, 6.5)) == weight


def test_adaptive_weights_are_those_of_an_objective(tmp_path: Path) -> None:
    text = "adaptive(macs, least = 1, most = 2, factor = 10)"
    program, phase = searched(tmp_path, f"loss + 0.01 * {text}")
    found = priced(phase.objective, program)
    answers = next(samples(program))
    assert found.weights == {text: 1.0}
    heavier = found.adapted(found.weights, answers)
    assert heavier == {text: 10.0}
    macs = found.costs_of(answers)[MACS]
    assert found.value(answers, heavier, loss=1) == pytest.approx(1 + 0.1 * macs)


# Tables -------------------------------------------------------------------------------------------


def with_table(file: TableFile) -> Objective:
    return Sum(((1, LossTerm()), (1, Log(CostTerm(Cost("latency", Measured(file)))))))


def test_tables_are_read_where_a_text_names_them(tmp_path: Path) -> None:
    program = load(str(ROOT / "spaces/nasbench201.arch")).program
    file = TableFile("t.json", tmp_path / "t.json")
    with pytest.raises(OSError, match=r"t\.json"):
        tables_of([with_table(file)])
    (tmp_path / "t.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TableUnreadable):
        tables_of([with_table(file)])
    (tmp_path / "t.json").write_bytes(table_bytes(filled(program)))
    assert tables_of([with_table(file), Value(1)]) == {tmp_path / "t.json": filled(program)}
    with pytest.raises(ValueError, match=r"`t\.json` is relative to a text without a place"):
        tables_of([with_table(TableFile("t.json", None))])


def test_a_row_that_a_table_lacks_is_never_free() -> None:
    program = load(str(ROOT / "spaces/nasbench201.arch")).program
    path = ROOT / "t.json"
    first, *others = filled(program).times
    lacking = table(dict.fromkeys(others, 1.0))
    with pytest.raises(MissingRows) as found:
        PricedObjective.of(with_table(TableFile("t.json", path)), program, {path: lacking})
    assert found.value.rows == (first,)


def test_a_search_needs_no_row_that_a_space_does_not_list() -> None:
    """A sum that keeps some inputs adds all of them while it is searched."""
    for name in ("cas", "gas"):
        program = load(str(ROOT / f"spaces/{name}.arch")).program
        objective = with_table(TableFile("t.json", ROOT / "t.json"))
        assert priced(objective, program).costs
