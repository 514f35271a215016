"""Genotypes drawn from a space, each as likely as any other, under constraints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from pathlib import Path
from random import Random
from typing import Final

from archdsl.cost import Figures, figures
from archdsl.cost.extremes import Extreme
from archdsl.ir import closed
from archdsl.pipeline.genotype_writer import use_of, write_genotype
from archdsl.pipeline.load import Loaded
from archdsl.pipeline.ranges import Figure, NoRange, Ranges
from archdsl.sema.modules.load import root_of
from archdsl.space.count import Census
from archdsl.space.trace import trace

TRIES: Final = 1_000
"""So many genotypes in a row that break a constraint, and the constraint is taken to be out of reach."""

_UNITS: Final = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_WHERE = re.compile(r"\s*(params|params_training|macs|activations)\s*(<=|>=|<|>)\s*([\d_]+(?:\.\d+)?)\s*([kMGT]?)\s*")


class BadConstraint(ValueError):
    """A constraint that cannot be read, or that no genotype was found to meet."""


@dataclass(frozen=True, slots=True)
class Where:
    """`macs < 20G`."""

    figure: str
    operator: str
    bound: float
    text: str

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> Where:
        """Raises BadConstraint."""
        match = _WHERE.fullmatch(text)
        if match is None:
            raise BadConstraint(
                f"`{text}` is no constraint: write a figure (params, params_training, macs, activations), "
                "one of < <= > >=, and a number such as 20G"
            )
        return cls(match[1], match[2], float(match[3].replace("_", "")) * _UNITS[match[4]], text.strip())

    def holds(self, found: Figures) -> bool:
        return self.meets(getattr(found, self.figure))

    def meets(self, number: float) -> bool:
        return _COMPARE[self.operator](number, self.bound)


@dataclass(frozen=True, slots=True)
class Sampled:
    """One genotype: its name, its text and its figures."""

    name: str
    text: str
    figures: Figures


def sample(loaded: Loaded, count: int, seed: int, wheres: Sequence[Where], folder: Path) -> Iterator[Sampled]:
    """`count` genotypes of a space, uniform over those that meet the constraints; their texts for `folder`.

    The same seed gives the same genotypes. Raises NotCounted, and BadConstraint where a constraint is out of reach.
    """
    if wheres:
        _refuse_unreachable(loaded, wheres)
    census = Census(loaded.program)
    random = Random(seed)
    digits = len(str(count))
    use = use_path(loaded, folder)
    for number in range(1, count + 1):
        name = f"{loaded.program.name}_{number:0{digits}d}"
        seen: list[Figures] = []
        for _ in range(TRIES):
            answers = census.sample(random)
            found = figures(closed(loaded.program, trace(loaded.program, answers), name))
            if all(where.holds(found) for where in wheres):
                break
            seen.append(found)
        else:
            raise BadConstraint(_out_of_reach(seen, wheres))
        text = write_genotype(loaded.program, answers, name, use, parameters=loaded.given)
        yield Sampled(name, text, found)


def extreme(loaded: Loaded, figure: Figure, end: Extreme, folder: Path) -> Sampled:
    """A genotype that has the least or the greatest of a figure; its text for `folder`. Raises NoRange."""
    found = Ranges(loaded.program).extremum(figure, end)
    name = f"{loaded.program.name}_{end}_{figure}"
    use = use_path(loaded, folder)
    text = write_genotype(loaded.program, found.answers, name, use, parameters=loaded.given)
    return Sampled(name, text, figures(closed(loaded.program, trace(loaded.program, found.answers), name)))


def _refuse_unreachable(loaded: Loaded, wheres: Sequence[Where]) -> None:
    """Raises BadConstraint where no genotype meets one of the constraints."""
    ranges = Ranges(loaded.program)
    for where in wheres:
        try:
            found = ranges.of(Figure(where.figure))
        except NoRange:
            continue  # then samples say what there is
        if not any(where.meets(found.end(end)) for end in Extreme):
            least, greatest = int(found.least), int(found.greatest)
            span = f"from {least:,} to {greatest:,}" if found.exact else f"of at least {least:,}, at most {greatest:,}"
            raise BadConstraint(f"no genotype meets `{where}`: they have {where.figure} {span}")


def _out_of_reach(seen: Sequence[Figures], wheres: Sequence[Where]) -> str:
    """What the genotypes that were drawn have instead."""
    ranges = [
        f"{figure} from {min(numbers):,} to {max(numbers):,}"
        for figure in dict.fromkeys(where.figure for where in wheres)
        for numbers in [[getattr(found, figure) for found in seen]]
    ]
    return f"none of {len(seen):,} genotypes in a row meets the constraints: they have {', '.join(ranges)}"


def unreachable(loaded: Loaded, folder: Path) -> str | None:
    """Why texts in `folder` cannot use the space, where its file lies outside of their project (`rule-files`)."""
    path, root = loaded.target.path, root_of(folder / "genotype.arch")
    if path is None or path.resolve().is_relative_to(root):
        return None
    return (
        f"`{folder}` is not in one project with `{path}`, and `archdsl check` will refuse what was written there: a "
        "project is a folder with `.git` or `pyproject.toml`, and all below it"
    )


def use_path(loaded: Loaded, folder: Path) -> str:
    """The space's file as a text in `folder` names it. Raises BadConstraint for standard input, NotNamed."""
    path = loaded.target.path
    if path is None:
        raise BadConstraint("a space from standard input has no file that a genotype could name")
    return use_of(path, folder)
