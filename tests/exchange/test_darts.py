"""Genotypes of DARTS: published ones with the weights that their papers give, round trips, and hostile sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.exchange import NotExported, NotImported, exported
from archdsl.pipeline import load
from tests.exchange.files import counted, loaded, read, written

FOUR: tuple[object, ...] = (2, 3, 4, 5)


def pairs(text: str) -> str:
    """`sep3 0, skip 1` as Python writes it."""
    short = {
        "sep3": "sep_conv_3x3",
        "sep5": "sep_conv_5x5",
        "sep7": "sep_conv_7x7",
        "7x1": "conv_7x1_1x7",
        "dil3": "dil_conv_3x3",
        "dil5": "dil_conv_5x5",
        "max": "max_pool_3x3",
        "avg": "avg_pool_3x3",
        "skip": "skip_connect",
    }
    edges = [each.split() for each in text.split(",")]
    return "[" + ", ".join(f"('{short[op]}', {source})" for op, source in edges) + "]"


def genotype(normal: str, reduce: str, *, handed: str = "range(2, 6)", reduced: str = "[2, 3, 4, 5]") -> str:
    return f"Genotype(normal={pairs(normal)}, normal_concat={handed}, reduce={pairs(reduce)}, reduce_concat={reduced})"


PUBLISHED = {
    "DARTS_V1": genotype(
        "sep3 1, sep3 0, skip 0, sep3 1, skip 0, sep3 1, sep3 0, skip 2",
        "max 0, max 1, skip 2, max 0, max 0, skip 2, skip 2, avg 0",
    ),
    "DARTS_V2": genotype(
        "sep3 0, sep3 1, sep3 0, sep3 1, sep3 1, skip 0, skip 0, dil3 2",
        "max 0, max 1, skip 2, max 1, max 0, skip 2, skip 2, max 1",
    ),
    "PC_DARTS_cifar": genotype(
        "sep3 1, skip 0, sep3 0, dil3 1, sep5 0, sep3 1, avg 0, dil3 1",
        "sep5 1, max 0, sep5 1, sep5 2, sep3 0, sep3 3, sep3 1, sep3 2",
    ),
    "PDARTS": genotype(
        "skip 0, dil3 1, skip 0, sep3 1, sep3 1, sep3 3, sep3 0, dil5 4",
        "avg 0, sep5 1, sep3 0, dil5 2, max 0, dil3 1, dil3 1, dil5 3",
    ),
    "NASNet": genotype(
        "sep5 1, sep3 0, sep5 0, sep3 0, avg 1, skip 0, avg 0, avg 0, sep3 1, skip 1",
        "sep5 1, sep7 0, max 1, sep7 0, avg 1, sep5 0, skip 3, avg 2, sep3 2, max 1",
        handed="[2, 3, 4, 5, 6]",
        reduced="[4, 5, 6]",
    ),
    "AmoebaNet": genotype(
        "avg 0, max 1, sep3 0, sep5 2, sep3 0, avg 3, sep3 1, skip 1, skip 0, avg 1",
        "avg 0, sep3 1, max 0, sep7 2, sep7 0, avg 1, max 0, max 1, 7x1 0, sep3 5",
        handed="[4, 5, 6]",
        reduced="[3, 4, 6]",
    ),
}
SOURCE = (
    "from collections import namedtuple\n\nGenotype = namedtuple('Genotype', 'normal normal_concat reduce')\n"
    + "".join(f"{name} = {text}\n" for name, text in PUBLISHED.items())
)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("DARTS_V1", 3.2),
        ("DARTS_V2", 3.3),
        ("PC_DARTS_cifar", 3.6),
        ("PDARTS", 3.4),
        ("NASNet", 3.8),
        ("AmoebaNet", 3.1),
    ],
)
def test_published_genotypes_have_the_weights_of_their_papers(name: str, millions: float, tmp_path: Path) -> None:
    found = read(written(tmp_path / "genotypes.py", SOURCE), item=name)
    assert found.name == name
    assert round(counted(found, tmp_path).params / 1e6, 1) == millions


@pytest.mark.parametrize("name", [name for name in PUBLISHED if not name.endswith("Net")])
def test_a_genotype_comes_back(name: str, tmp_path: Path) -> None:
    first = read(written(tmp_path / "one.py", PUBLISHED[name]), name="found")
    answers = {question: set(answer) for question, answer in loaded(first, tmp_path).meaning.answers.items()}
    text = exported("darts", loaded(first, tmp_path))
    second = read(written(tmp_path / "two.py", f"found = {text}"))
    assert exported("darts", loaded(second, tmp_path)) == text  # in the order of the sources, whatever it was before
    assert {question: set(answer) for question, answer in loaded(second, tmp_path).meaning.answers.items()} == answers


def test_the_text_is_the_one_that_was_written_by_hand(tmp_path: Path) -> None:
    ours = load("tests/texts/genotypes/darts_v2.arch")
    assert loaded(read(written(tmp_path / "v2.py", PUBLISHED["DARTS_V2"])), tmp_path).meaning.answers == (
        ours.meaning.answers
    )


def test_nodes_may_have_brackets_of_their_own(tmp_path: Path) -> None:
    nested = "Genotype([[('sep_conv_3x3', 0), ('skip_connect', 1)]] * 1, range(2, 3), [], [])"
    with pytest.raises(NotImported, match="only lists, tuples, texts, whole numbers"):
        read(written(tmp_path / "g.py", nested))
    cell = "[[('sep_conv_3x3', 0), ('skip_connect', 1)], [('max_pool_3x3', 1), ('avg_pool_3x3', 2), ('none', 0)]]"
    found = read(written(tmp_path / "g.py", f"found = Genotype({cell}, (2, 3), {cell}, [3])"))
    assert "x2 = prev -> max_pool_3x3 + x1 -> avg_pool_3x3 + prev2 -> zero" in found.text
    assert counted(found, tmp_path).params


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Genotype(normal=", r"line 1: it is no Python: '\(' was never closed"),
        ("import os", "it has no genotype"),
        ("Genotype()", "line 1: `Genotype` without `normal`"),
        (
            PUBLISHED["PDARTS"].replace("'dil_conv_5x5', 4", "'dil_conv_5x5', 5"),
            "`normal, node 5`: it reads 5, and 0 to 4",
        ),
        (PUBLISHED["PDARTS"].replace("sep_conv", "mb_conv"), "`mb_conv_3x3` is no op of DARTS: they are max_pool_3x3"),
        (PUBLISHED["PDARTS"].replace("range(2, 6)", "range(2, 7)"), "`normal_concat`: `6` is none of its nodes"),
        (PUBLISHED["PDARTS"].replace("range(2, 6)", "range(10**9)"), "only lists, tuples"),
        (PUBLISHED["PDARTS"].replace("range(2, 6)", "range(0, 1000000000)"), "a range of 1,000,000,000 numbers"),
        (PUBLISHED["PDARTS"].replace("range(2, 6)", "__import__('os').getpid()"), "only lists, tuples"),
        ("Genotype(**{})", r"`\*\*` names nothing"),
        ("-" * 100_000 + "1", "nests too deep"),
        ("Genotype(" + "[" * 150 + "]" * 150 + ")", "without `normal_concat`"),
        ("x = 'a\0b'", "no Python"),
        ("a = Genotype()\nb = Genotype()", "it has 2 genotypes: name one"),
        ("#" * 300_000, "more than 256 KiB"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotImported, match=said):
        read(written(tmp_path / "g.py", text), "darts")


def test_what_darts_cannot_say_is_not_exported() -> None:
    with pytest.raises(NotExported, match=r"`nasbench201` asks `normal.x1.x0`"):
        exported("darts", load("tests/texts/genotypes/nasbench201_conv3x3.arch"))
    with pytest.raises(NotExported, match="`darts` is no genotype"):
        exported("darts", load("spaces/darts.arch"))
