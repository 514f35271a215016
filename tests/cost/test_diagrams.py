"""Decision diagrams are as deep as a text has questions, and deeper than Python's calls may be."""

from __future__ import annotations

import sys

from archdsl.cost.expectation.diagrams import FALSE, TRUE, Diagrams


def test_diagrams_are_deeper_than_calls() -> None:
    depth = 2 * sys.getrecursionlimit()
    diagrams = Diagrams()
    every = TRUE
    for variable in reversed(range(depth)):
        every = diagrams.ask(variable, (FALSE, every))
    assert len(diagrams.support(every)) == depth
    assert set(diagrams.leaves(every)) == {True, False}
    some_not = diagrams.negated(every)
    assert diagrams.negated(some_not) == every
    assert diagrams.conjunction(every, some_not) == FALSE
    assert diagrams.either(every, some_not) == TRUE
    assert diagrams.has(every, False) == some_not
    assert diagrams.joint_leaves(diagrams.together([every, some_not])) == [(False, True), (True, False)]


def test_the_number_one_is_not_the_value_true() -> None:
    diagrams = Diagrams()
    both = [diagrams.together([diagrams.leaf(value)]) for value in (True, 1)]
    assert [[type(each) for each in leaf] for one in both for leaf in diagrams.joint_leaves(one)] == [[bool], [int]]
