"""Records are frozen dataclasses in all but the time that they take to make."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.records import compared, record


@record
class Point:
    x: int
    note: str = field(default="", compare=False, repr=False)
    near: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Same:
    x: int
    note: str = field(default="", compare=False, repr=False)
    near: tuple[Same, ...] = ()


@record
class Named(Point):
    name: str = ""


@record
class Kept:
    put: int
    many: dict[str, int] = field(default_factory=dict[str, int])
    label: str = field(default="none", kw_only=True)


@record
class Empty:
    """A record without fields."""


_X = st.integers(0, 2)
_NOTE = st.sampled_from(["", "a"])
POINTS = st.recursive(
    st.builds(Point, _X, _NOTE),
    lambda inner: st.builds(Point, _X, _NOTE, st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)


def as_dataclass(point: Point) -> Same:
    return Same(point.x, point.note, tuple(map(as_dataclass, point.near)))


@given(one=POINTS, other=POINTS)
def test_records_are_compared_hashed_and_shown_as_dataclasses_are(one: Point, other: Point) -> None:
    assert (one == other) == (as_dataclass(one) == as_dataclass(other))
    assert len({one, other}) == len({as_dataclass(one), as_dataclass(other)})
    assert repr(one) == repr(as_dataclass(one)).replace("Same", "Point")


@given(point=POINTS)
def test_records_are_copied_pickled_and_matched(point: Point) -> None:
    assert deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
    assert replace(point, x=3).near == point.near
    match point:
        case Point(x, note, near):
            assert (x, note, near) == (point.x, point.note, point.near)


def test_records_are_frozen_and_have_no_other_attributes() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(FrozenInstanceError):
        del point.x  # pyright: ignore[reportAttributeAccessIssue]
    assert not hasattr(point, "__dict__")


def test_a_record_equals_its_own_kind_alone() -> None:
    assert Named(1) != Point(1)
    assert Named(1, name="a") != Named(1, name="b")
    assert Empty() == Empty()
    assert compared(Named) == ("x", "near", "name")


def test_records_are_made_as_dataclasses_are() -> None:
    one, other = Kept(1), Kept(put=1, label="none")
    assert one == other
    assert one.many is not other.many
    assert Kept(2, {"a": 1}, label="b") == replace(one, put=2, many={"a": 1}, label="b")
    with pytest.raises(TypeError):
        Kept()  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):
        Kept(1, {}, "b")  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):
        Kept(1, name="b")  # pyright: ignore[reportCallIssue]
