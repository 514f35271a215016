"""The spaces that samples are drawn from: small for every day, as published where a run may take minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

import pytest

from archdsl.ir import ClosedGraph, closed
from archdsl.pipeline import Loaded, load
from archdsl.space.count import Census, Sample
from archdsl.space.trace import trace

REPOSITORY = Path(__file__).parents[2]

Answers = Sample


@dataclass(frozen=True, slots=True)
class Case:
    """A space: where its text is, the size of its image, and parameters that make it small."""

    file: str
    size: tuple[int, int] | None
    item: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        path = str(REPOSITORY / self.file)
        return f"{path}:{self.item}" if self.item else path

    @property
    def published(self) -> Case:
        """With the parameters and the image of the text."""
        return replace(self, size=None, parameters=())

    @property
    def wide(self) -> Case:
        """With the parameters of the text, and a small image."""
        return replace(self, parameters=())

    def __str__(self) -> str:
        return self.item or Path(self.file).stem


SMALL = (
    Case("spaces/fasterseg.arch", (64, 128), parameters=(("w", "2"), ("layers", "8"))),
    Case("spaces/cas.arch", (64, 128), item="cas", parameters=(("f", "4"),)),
    Case("spaces/cas.arch", (64, 128), item="cas_backbone", parameters=(("f", "4"),)),
    Case("spaces/gas.arch", (65, 129), parameters=(("f", "4"),)),
    Case("spaces/autortnet.arch", (64, 128), parameters=(("f", "2"), ("cells", "3"))),
    Case("spaces/bisenet.arch", (64, 128)),
    Case("spaces/darts.arch", (32, 32), parameters=(("c", "4"), ("layers", "5"))),
    Case("spaces/nasbench201.arch", (32, 32), parameters=(("c", "4"), ("cells", "2"))),
    Case("spaces/auto_deeplab.arch", (64, 64), parameters=(("f", "2"), ("layers", "5"))),
    Case("spaces/ofa_mobilenetv3.arch", (64, 64)),
    Case("spaces/fbnet.arch", (64, 64)),
    Case("tests/texts/hrnet.arch", (64, 64), parameters=(("c", "4"),)),
    Case("tests/texts/stdc.arch", (64, 128)),
)


def laws(few: int, many: int, cases: Sequence[Case] = tuple(case.published for case in SMALL)) -> list[object]:
    """Pairs of a case and a count: a few samples of each small space, and, slow, many of each of `cases`."""
    return [
        *(pytest.param(case, few, id=str(case)) for case in SMALL),
        *(pytest.param(case, many, id=f"{case}, many", marks=pytest.mark.slow) for case in cases),
    ]


@cache
def loaded(case: Case) -> Loaded:
    return load(case.target, overrides=dict(case.parameters), size=case.size)


@cache
def census(case: Case) -> Census:
    return Census(loaded(case).program)


def samples(case: Case, count: int) -> list[Answers]:
    """Answers drawn uniformly, the same in each run; no answers, once, of a space that asks nothing."""
    random = Random(17)
    return [census(case).sample(random) for _ in range(count if census(case).count > 1 else 1)]


def graph_of(case: Case, answers: Answers) -> ClosedGraph:
    program = loaded(case).program
    return closed(program, trace(program, answers), f"{program.name}_sampled")
