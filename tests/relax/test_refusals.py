"""What cannot be relaxed is refused with a span, and is possible where what keeps it from being mixed is sampled."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from archdsl.diagnostics import page
from archdsl.relax import NotRelaxable, Relaxer, check
from archdsl.relax.relaxed import Structure
from archdsl.space import Program, QuestionKind, QuestionPath
from tests.pipeline.spaces import SMALL, Case, loaded
from tests.properties.test_small_spaces import program_of
from tests.relax.branches import two_branches
from tests.space.samples import sampled

HEAD = """archdsl 1

op wide(c) = conv(c) -> bn

"""
MANY = "".join(f"  choose w{n} in {{1, 2, 3, 4, 5}}\n  m{n} = image -> wide(w{n})\n" for n in range(6))
BY_CASE = """  z = concat(m0, m1, m2, m3, m4, m5)
  out y = case channels(z) {
    when 1..20: z -> conv(4)
    else: z -> conv(4, k = 1)
  }
"""
REASONS = {
    "groups": (
        "  choose w in {2, 4}\n  out y = image -> conv(2 * w) -> conv(4 * w, groups = w) -> conv(4)\n",
        "`y.conv_2` has `groups` by a width that is mixed",
    ),
    "shuffle": (
        "  choose w in {2, 4}\n  out y = image -> conv(2 * w) -> shuffle(groups = w) -> conv(4)\n",
        "`y.shuffle` has `groups` by a width that is mixed",
    ),
    "numbers of channels": (
        "  x = image -> conv(4)\n  out y = x -> {argmax, conv(c = 1)}\n",
        "mixes numbers of channels",
    ),
    "many questions": (
        f"{MANY}  z = concat(m0, m1, m2, m3, m4, m5)\n  out y = z -> conv(channels(z)) -> conv(4)\n",
        "`w0` decides a channel count together with 5 other questions",
    ),
    "many questions of a case": (
        f"{MANY}{BY_CASE}",
        "`w0` decides a channel count together with 5 other questions",
    ),
}


def program(folder: Path, reason: str) -> Program:
    return program_of(folder, f"{HEAD}space net() {{\n  in image: 3x8x8\n{REASONS[reason][0]}}}\n")


@pytest.mark.parametrize("reason", REASONS)
def test_what_cannot_be_mixed_is_shown_where_it_stands(reason: str, tmp_path: Path) -> None:
    found = check(program(tmp_path, reason))
    assert found is not None
    assert found.code == "E0621"
    assert found.message.startswith("`net` cannot be relaxed: `")
    assert REASONS[reason][1] in found.message
    assert found.help is not None
    assert found.primary is not None
    text = (tmp_path / "net.arch").read_text(encoding="utf-8")
    assert found.primary.span.start > text.index("space net")


@pytest.mark.parametrize("reason", REASONS)
def test_what_cannot_be_mixed_can_be_answered(reason: str, tmp_path: Path) -> None:
    """Straight through as well: every question has an answer, and the answers weigh their maps."""
    space = program(tmp_path, reason)
    relaxer, random = Relaxer.of(space), Random(5)
    for _ in range(3):
        answers, _ = sampled(space, random)
        relaxer.lower(Structure.of(answers))
        weighted = frozenset(path for path in answers if asks_a_width(space, path))
        relaxer.lower(Structure.of(answers, weighted=weighted))


def asks_a_width(space: Program, path: QuestionPath) -> bool:
    return space.questions[path.question].kind is QuestionKind.WIDTH


BRANCHES = two_branches("out y = concat({a.at(2), b.at(2)}) -> conv(8, groups = 8)", channels=4)
"""Where both branches pass 2 there are 8 channels, else 4."""


def test_maps_that_fit_some_answers_alone_are_shown_where_they_are_read(tmp_path: Path) -> None:
    space = program_of(tmp_path, BRANCHES)
    random = Random(3)
    refused = 0
    for _ in range(10):
        answers, found = sampled(space, random)
        said = check(space, Structure.of(answers))
        assert (said is not None) == bool(found.misfits)
        if said is not None:
            refused += 1
            assert said.message.endswith("which do not divide its 4 input channels under these answers")
    assert 0 < refused < 10


def test_lowering_raises_what_check_says(tmp_path: Path) -> None:
    space = program(tmp_path, "groups")
    with pytest.raises(NotRelaxable, match=r"has `groups`"):
        Relaxer.of(space).lower(Structure())


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_spaces_of_the_repository_can_be_relaxed(case: Case) -> None:
    assert check(loaded(case).program) is None


def test_the_page_is_right(tmp_path: Path) -> None:
    text = page("E0621") or ""
    examples = re.findall(r"^```arch (bad|good)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert [kind for kind, _ in examples] == ["bad", "good"]
    bad, good = (check(program_of(tmp_path, example)) for _, example in examples)
    assert good is None
    assert bad is not None
    assert f"error[E0621]: {bad.message}" in text
