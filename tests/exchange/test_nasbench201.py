"""Strings of NAS-Bench-201: published ones with what the benchmark counts of them, round trips, and hostile ones."""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random

import pytest

from archdsl.exchange import NotExported, NotImported, exported
from archdsl.exchange.nasbench201 import OPS
from archdsl.pipeline import load
from tests.exchange.files import counted, loaded, read, written

EXAMPLE = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
PUBLISHED = (
    (EXAMPLE, 802_426),  # of the benchmark's own page
    ("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|", 1_531_546),
    ("|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|", 73_306),
)
"""Architectures, and the weights that the benchmark counts of them; the last is what DARTS finds there."""


@pytest.mark.parametrize(("text", "params"), PUBLISHED)
def test_published_strings_have_the_weights_of_the_benchmark(text: str, params: int, tmp_path: Path) -> None:
    assert counted(read(written(tmp_path / "found.txt", text)), tmp_path).params == params


def test_strings_come_back(tmp_path: Path) -> None:
    random = Random(3)
    for _ in range(5):
        ops = iter(random.choices(list(OPS), k=6))
        text = "+".join("|" + "|".join(f"{next(ops)}~{edge}" for edge in range(node)) + "|" for node in (1, 2, 3))
        assert exported("nasbench201", loaded(read(written(tmp_path / "s.txt", f'"{text}"\n')), tmp_path)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has 0 lines"),
        (f"{EXAMPLE}\n{EXAMPLE}", "it has 2 lines"),
        ("|" * 5_000, "5,000 characters"),
        ("|none~0|", "it has 1 nodes joined by `.`, and a cell has 3"),
        ("|none~0|+|none~0|none~0|+|none~0|none~1|none~2|", "`node 2`: `none~0` reads 0 a second time"),
        ("|none~0|+|none~1|none~2|+|none~0|none~1|none~2|", "`node 2`: `none~2` reads 2 and its sources are 0 to 1"),
        ("|none~0|+|none~1|+|none~0|none~1|none~2|", "`node 2`: no op reads 0"),
        ("|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", "`conv` is no op: they are none, skip_connect"),
        ("none~0+|none~0|none~1|+|none~0|none~1|none~2|", "its edges stand between"),
        (b"\xff\xfe|", "byte 1 is no UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotImported, match=said):
        read(written(tmp_path / "s.txt", text), "nasbench201")


def test_changed_characters_are_read_or_refused(tmp_path: Path) -> None:
    for at, other in itertools.product(range(0, len(EXAMPLE), 3), ("", "~", "9")):
        text = EXAMPLE[:at] + other + EXAMPLE[at + 1 :]
        try:
            found = read(written(tmp_path / "s.txt", text), "nasbench201")
        except NotImported:
            continue
        assert exported("nasbench201", loaded(found, tmp_path)) == text


def test_what_the_benchmark_cannot_say_is_not_exported() -> None:
    with pytest.raises(NotExported, match=r"it asks `normal.x1.prev2`, and a string says the op of each of six edges"):
        exported("nasbench201", load("tests/texts/genotypes/darts_v2.arch"))
