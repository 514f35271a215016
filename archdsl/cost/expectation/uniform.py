"""One cost for each op, wherever it stands: `uniform(…, relative_to = identity)`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from archdsl.cost.expectation.chances import certain, given
from archdsl.cost.expectation.diagrams import Diagrams
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.symbolic import Variable
from archdsl.space import Asked, Program, QuestionKind, QuestionPath, Select
from archdsl.space.node_path import parts
from archdsl.space.trace import Answers


def op_costs(expectation: Expectation, program: Program, relative_to: str, answers: Answers) -> Mapping[str, float]:
    """What each op costs: the network with it on every edge, less that with another one (CAS, section 4.1).

    An edge counts where no answer is given. Where it does not offer the op it has the other one, and where it does not
    offer that either, its candidates are even. The paper measures with inputs of sums that are not kept: as in its
    supernet, all are there. Widths, sources and exits, which CAS does not search, are even.
    """
    open_ = [each for each in expectation.variables if _is_open(each, program, answers)]
    base = dict(given(expectation.variables, answers))
    base |= {each.path: certain(each, (relative_to,)) for each in open_ if (relative_to,) in each.answers}
    lowest = expectation.value(expectation.chances(base))
    found: dict[str, float] = {}
    for (op,) in dict.fromkeys(answer for each in open_ for answer in each.answers):
        with_it = {each.path: certain(each, (op,)) for each in open_ if (op,) in each.answers}
        found[op] = expectation.value(expectation.chances(base | with_it)) - lowest
    return found


def uniform(
    inner: Expectation, program: Program, relative_to: str, answers: Answers, over: Collection[str] = ()
) -> Expectation:
    """The sum over the edges that are searched of the costs of their ops by their chances (CAS, equation 5).

    `inner` is what is measured, `over` the parts whose edges count, all where it is empty. Cells that are repeated
    count once, as the paper sums over the edges of a cell; the share of `none` costs nothing, of which it is silent.
    """
    costs = op_costs(inner, program, relative_to, answers)
    inside = _asked_in(program, over) if over else program.questions
    diagrams = Diagrams()
    priced = [
        ((diagrams.answered(number, position, len(variable.answers)),), costs[op])
        for number, variable in enumerate(inner.variables)
        if variable.path.question in inside and _is_open(variable, program, answers)
        for position, (op,) in enumerate(variable.answers)
    ]
    return Expectation.of_conditions(diagrams, inner.variables, priced)


def _is_open(variable: Variable, program: Program, answers: Answers) -> bool:
    """Whether it is the op of an edge that is searched."""
    question = variable.path.question
    asked = program.questions[question].kind is QuestionKind.OPERATOR
    return asked and variable.path not in answers and question not in answers


def _asked_in(program: Program, inside: Collection[str]) -> frozenset[QuestionPath]:
    """The questions that stand in some parts of the network."""
    return frozenset(
        node.payload.subject.question
        for node in program.nodes
        if isinstance(node.payload, Select)
        and isinstance(node.payload.subject, Asked)
        and not set(inside).isdisjoint(parts(node.frames))
    )
