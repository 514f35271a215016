"""Rules on channel counts that answers decide agree with the rules on numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.ops import Count, Dim, Shape, ShapeError
from archdsl.ops.bind import bind
from archdsl.ops.dims import Leaf, add, divide, multiply, values, variable
from archdsl.ops.primitives import PRIMITIVES
from tests.primitive_cases import CASES


@dataclass(frozen=True, slots=True)
class Width:
    """A leaf that the tests give a value."""

    name: str
    numbers: frozenset[int]

    def __str__(self) -> str:
        return self.name

    def domain(self) -> frozenset[int] | None:
        return self.numbers


WIDTHS = [Width(name, frozenset({8, 16, 24})) for name in "abc"]
counts: st.SearchStrategy[Count] = st.recursive(
    st.one_of(st.integers(-4, 12), st.sampled_from(WIDTHS).map(variable)),
    lambda inner: st.one_of(st.builds(add, inner, inner), st.builds(multiply, inner, inner)),
    max_leaves=5,
)
answers = st.fixed_dictionaries({width: st.sampled_from(sorted(width.numbers)) for width in WIDTHS})


def lookup(chosen: dict[Width, int]) -> Callable[[Leaf], int]:
    def value(leaf: Leaf) -> int:
        assert isinstance(leaf, Width)
        return chosen[leaf]

    return value


def closed(count: Count, chosen: dict[Width, int]) -> int:
    return count.evaluate(lookup(chosen)) if isinstance(count, Dim) else count


def closed_shape(shape: Shape, chosen: dict[Width, int]) -> Shape:
    return shape._replace(channels=closed(shape.channels, chosen))


@given(counts, counts, counts)
def test_counts_form_a_commutative_ring(a: Count, b: Count, c: Count) -> None:
    assert add(a, b) == add(b, a)
    assert multiply(a, b) == multiply(b, a)
    assert add(add(a, b), c) == add(a, add(b, c))
    assert multiply(multiply(a, b), c) == multiply(a, multiply(b, c))
    assert multiply(a, add(b, c)) == add(multiply(a, b), multiply(a, c))
    assert add(a, 0) == multiply(a, 1) == a
    assert add(a, multiply(a, -1)) == multiply(a, 0) == 0


@given(counts, counts, answers)
def test_evaluation_respects_sums_and_products(a: Count, b: Count, chosen: dict[Width, int]) -> None:
    assert closed(add(a, b), chosen) == closed(a, chosen) + closed(b, chosen)
    assert closed(multiply(a, b), chosen) == closed(a, chosen) * closed(b, chosen)


@given(counts, answers)
def test_values_cover_every_evaluation(count: Count, chosen: dict[Width, int]) -> None:
    found = values(count)
    assert found is None or closed(count, chosen) in found


@given(counts, st.integers(1, 8))
def test_dividing_undoes_multiplying(count: Count, number: int) -> None:
    assert divide(multiply(count, number), number) == count


def test_halves_that_cancel_are_whole() -> None:
    half = multiply(variable(WIDTHS[0]), Fraction(1, 2))
    assert add(half, half) == variable(WIDTHS[0])


@pytest.mark.parametrize("primitive", CASES)
@given(data=st.data(), chosen=answers)
@settings(max_examples=20)
def test_open_counts_agree_with_numbers(primitive: str, data: st.DataObject, chosen: dict[Width, int]) -> None:
    case = data.draw(CASES[primitive])
    rule = PRIMITIVES[primitive]
    width = variable(data.draw(st.sampled_from(WIDTHS)))
    maps = [shape._replace(channels=multiply(width, 36)) for shape in case.maps]
    given_ = dict(case.given)
    if "c" in given_:
        given_["c"] = multiply(variable(data.draw(st.sampled_from(WIDTHS))), 36)
    if "heads" in given_:  # the channels of a head are a number
        given_["heads"] = multiply(width, 18)
    attributes = dict(bind(rule, given_))
    numbers = {name: closed(value, chosen) if isinstance(value, Dim) else value for name, value in attributes.items()}
    closed_maps = [closed_shape(shape, chosen) for shape in maps]

    result = rule.shape(maps, attributes)
    assert closed_shape(result, chosen) == rule.shape(closed_maps, numbers)
    open_macs, macs = rule.macs(maps, result, attributes), rule.macs(closed_maps, closed_shape(result, chosen), numbers)
    assert closed(open_macs, chosen) == macs
    open_weights, weights = rule.weights(maps, attributes), rule.weights(closed_maps, numbers)
    assert [tuple(closed(n, chosen) for n in each.shape) for each in open_weights] == [each.shape for each in weights]


def test_a_depthwise_conv_can_be_said_with_groups() -> None:
    width = variable(WIDTHS[0])
    attributes = dict(bind(PRIMITIVES["conv"], {"c": multiply(width, 2), "groups": width}))
    maps = [Shape(width, 4, 4)]
    assert PRIMITIVES["conv"].shape(maps, attributes) == Shape(multiply(width, 2), 4, 4)
    assert PRIMITIVES["conv"].weights(maps, attributes)[0].shape == (multiply(width, 2), 1, 3, 3)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"c": multiply(variable(WIDTHS[0]), Fraction(1, 16))}, "can have 1/2 output channels"),
        ({"c": 8, "groups": variable(WIDTHS[0])}, "has a groups, which do not divide its 48 input channels"),
        ({"c": multiply(variable(WIDTHS[0]), 3), "groups": 16}, "do not divide its 3 * a output channels"),
    ],
)
def test_a_width_that_does_not_fit_in_some_answer_is_refused(given: dict[str, object], reason: str) -> None:
    attributes = dict(bind(PRIMITIVES["conv"], given))
    with pytest.raises(ShapeError) as caught:
        PRIMITIVES["conv"].shape([Shape(48, 4, 4)], attributes)
    assert caught.value.code == "E0504"
    assert reason in caught.value.reason
