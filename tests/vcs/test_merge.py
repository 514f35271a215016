"""Merges of texts: laws of any three-way merge, and what answers make of it."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.syntax.load import MAX_BYTES
from archdsl.vcs.canonical import canonical
from archdsl.vcs.merge import Merged, merge

HEAD = "archdsl 1\n\nuse std\n\n"
QUESTIONS = ("a", "b.path", "trunk[1][8].width", "trunk[2..4][8].width", "node.x", "node.y", "open")
VALUES = ("8", "16", "conv3x3")

Answers = dict[str, str]


def text(answers: Answers) -> str:
    """A genotype: `node.x` stands in a block of its own."""
    plain = [f"  {key} = {value}\n" for key, value in answers.items() if not key.startswith("node.")]
    inner = [f"    {key[5:]} = {value}\n" for key, value in answers.items() if key.startswith("node.")]
    block = ["  answer node {\n", *inner, "  }\n"]
    return f"{HEAD}genotype g of net {{\n{''.join(plain + block)}}}\n"


def merged(base: str, ours: str, theirs: str) -> Merged:
    return merge(base.encode(), ours.encode(), theirs.encode())


def clean(base: str, ours: str, theirs: str) -> str:
    found = merged(base, ours, theirs)
    assert found.clean, found.data.decode()
    return found.data.decode()


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    found = draw(st.dictionaries(st.sampled_from(QUESTIONS), st.sampled_from(VALUES)))
    return {"hash": '"sha256:00000000"', "node.z": "skip", **found}


@given(answers(), answers())
def test_one_side_alone(base: Answers, side: Answers) -> None:
    """What one side did, or both alike, is what comes of it."""
    before, after = text(base), text(side)
    assert clean(before, after, before) == after
    assert sorted(clean(before, before, after).splitlines()) == sorted(after.splitlines())
    assert clean(before, after, after) == after


@given(answers(), st.data())
def test_different_questions_never_conflict(base: Answers, data: st.DataObject) -> None:
    """Answers given, changed and taken back by one side, and others by the other, all come out."""
    split = data.draw(st.sets(st.sampled_from(QUESTIONS)))
    ours, theirs, both = dict(base), dict(base), dict(base)
    for question in QUESTIONS:
        wanted = data.draw(st.none() | st.sampled_from(VALUES))
        for side in (ours if question in split else theirs, both):
            side.pop(question, None)
            if wanted is not None:
                side[question] = wanted
    found = clean(text(base), text(ours), text(theirs))
    assert sorted(found.splitlines()) == sorted(text(both).splitlines())


@pytest.mark.parametrize(("one", "other"), list(permutations(("8", "16", None), 2)))
def test_one_question_answered_twice(one: str | None, other: str | None) -> None:
    """A conflict about this answer and nothing else; an answer taken back by one side and changed by the other too."""
    base = {"a": "4", "b": "4", "node.x": "skip"}
    sides = [{**base, "a": value} if value else {"b": "4", "node.x": "skip"} for value in (one, other)]
    found = merged(text(base), *map(text, sides))
    assert not found.clean
    lines = found.data.decode().splitlines()
    between = lines[lines.index("<<<<<<< ours") : lines.index(">>>>>>> theirs") + 1]
    expected = [f"  a = {value}" if value else "" for value in (one, other)]
    assert between == [*filter(None, ["<<<<<<< ours", expected[0], "=======", expected[1], ">>>>>>> theirs"])]
    assert [line for line in lines if line not in between] == text({"b": "4", "node.x": "skip"}).splitlines()


def test_one_question_in_two_runs() -> None:
    """Two spellings of one place: lines that would follow each other are a conflict."""
    base = {"hash": "1", "node.x": "skip"}
    ours, theirs = {**base, "trunk[2..4][8].width": "4"}, {**base, "trunk[4][8].width": "6"}
    assert not merged(text(base), text(ours), text(theirs)).clean
    assert merged(text(base), text(ours), text({**base, "trunk[5][8].width": "6"})).clean


def test_comments_go_with_their_answer() -> None:
    base = text({"a": "4", "b": "4", "node.x": "skip"})
    ours = base.replace("  a = 4", "  # wider\n  a = 8  # by hand")
    theirs = base.replace("b = 4", "b = 16")
    assert clean(base, ours, theirs) == ours.replace("b = 4", "b = 16")


def test_layout_is_no_change() -> None:
    base = text({"a": "4", "b": "4", "node.x": "skip"})
    loose = base.replace(" = ", "=").replace("  ", "")
    theirs = base.replace("b = 4", "b = 16")
    assert clean(base, loose, theirs) == theirs
    assert clean(loose, theirs, base) == theirs


def test_added_on_both_sides() -> None:
    one = text({"a": "4", "node.x": "skip"})
    assert clean("", one, one) == one
    assert not merged("", one, one.replace("a = 4", "a = 8")).clean


def test_spaces_are_merged_by_lines() -> None:
    ops = "".join(f"op {name}(c) = conv(c)\n" for name in "abcdef")
    base = HEAD + ops
    ours, theirs = base.replace("op a(c) = ", "op a(c)=relu->"), base.replace("f(c) = conv", "f(c) = bn -> conv")
    assert clean(base, ours, theirs) == canonical(ours.replace("f(c) = conv", "f(c) = bn -> conv").encode())
    assert not merged(base, ours, base.replace("op a(c) = ", "op a(c) = bn -> ")).clean


def test_what_does_not_parse_is_merged_as_it_is() -> None:
    lines = [f"op {name}( = conv\n" for name in "abcdef"]
    base = "".join(lines)
    ours, theirs = base.replace("op a(", "op  a("), base.replace("op f(", "op f(c")
    assert clean_bytes(base, ours, theirs) == ours.replace("op f(", "op f(c").encode()


def clean_bytes(base: str, ours: str, theirs: str) -> bytes:
    found = merged(base, ours, theirs)
    assert found.clean
    return found.data


def test_lines_that_merge_into_no_text() -> None:
    """Each side fits into a file, both together do not: one conflict, with each side whole in it."""
    base = f"{HEAD}op a(c) = conv(c)\n\nop b(c) = conv(c)\n\nop d(c) = conv(c)\n"
    comment = f"# {'x' * 15_000}\n" * (MAX_BYTES * 2 // 3 // 15_000)
    ours, theirs = base.replace("op a", f"{comment}op a"), base.replace("op d", f"{comment}op d")
    found = merged(base, ours, theirs)
    assert not found.clean
    text = found.data.decode()
    assert text.startswith(HEAD) and text.endswith("op d(c) = conv(c)\n")
    assert text.count("<<<<<<< ours\n") == text.count("=======\n") == text.count(">>>>>>> theirs\n") == 1


def test_markers_are_as_long_as_git_wants() -> None:
    one, other = (text({"a": value, "node.x": "skip"}) for value in ("8", "16"))
    found = merge(text({"a": "4", "node.x": "skip"}).encode(), one.encode(), other.encode(), 12)
    assert f"\n{'<' * 12} ours\n" in found.data.decode()
