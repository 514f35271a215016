"""The spaces that samples are drawn from, each at an image size that torch measures in moments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archdsl.pipeline import Loaded, load

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Case:
    """A space: where its text is, the size of its image, and parameters that make it small."""

    file: str
    size: tuple[int, int]
    item: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        path = str(REPOSITORY / self.file)
        return f"{path}:{self.item}" if self.item else path

    def __str__(self) -> str:
        return self.item or Path(self.file).stem


SPACES = (
    Case("spaces/fasterseg.arch", (64, 128), parameters=(("w", "2"), ("layers", "8"))),
    Case("spaces/cas.arch", (64, 128), item="cas", parameters=(("f", "4"),)),
    Case("spaces/cas.arch", (64, 128), item="cas_backbone", parameters=(("f", "4"),)),
    Case("spaces/gas.arch", (65, 129), parameters=(("f", "4"),)),
    Case("spaces/autortnet.arch", (64, 128), parameters=(("f", "2"), ("cells", "3"))),
    Case("spaces/bisenet.arch", (64, 128)),
    Case("tests/texts/darts.arch", (32, 32), parameters=(("c", "4"), ("layers", "8"))),
    Case("tests/texts/nasbench201.arch", (32, 32), parameters=(("c", "4"), ("cells", "2"))),
    Case("tests/texts/auto_deeplab.arch", (64, 64), parameters=(("f", "2"), ("layers", "5"))),
    Case("tests/texts/ofa_mobilenetv3.arch", (64, 64)),
    Case("tests/texts/fbnet.arch", (64, 64)),
)


@cache
def loaded(case: Case) -> Loaded:
    return load(case.target, overrides=dict(case.parameters), size=case.size)
