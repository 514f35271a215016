"""How large a space is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from archdsl.cli.output import count, plural, table
from archdsl.cli.questions import kind_of
from archdsl.pipeline import Loaded
from archdsl.space.count import Census, NotCounted
from archdsl.space.grid_paths import count_path_sets
from archdsl.space.nominal_size import NominalSize, by_operators, every_question

_WRITTEN_OUT = 10**15
_RAW = {
    "every_question": "raw: an answer to each question, asked or not",
    "by_operators": "raw: each op with the widths that it writes",
}


@dataclass(frozen=True, slots=True)
class Size:
    name: str
    space: str
    hash: str
    kinds: dict[str, int]
    """How many questions there are of each kind."""
    paths: int | None
    """In how many ways the branches can go through the grid; None where there is no grid."""
    genotypes: int | None
    """How many genotypes there are in normal form; None where they were not counted."""
    not_counted: str
    """Why they were not."""
    raw: dict[str, NominalSize]
    """Products over the whole supernet, as papers give them."""

    def as_object(self) -> dict[str, Any]:
        """`genotypes` is a text: most readers of JSON lose the digits of such numbers."""
        return {
            "name": self.name,
            "space": self.space,
            "hash": self.hash,
            "questions": self.kinds,
            "paths": self.paths,
            "genotypes": None if self.genotypes is None else str(self.genotypes),
            "not_counted": self.not_counted or None,
            "raw": {name: {"formula": str(raw), "count": str(raw.count)} for name, raw in self.raw.items()},
        }

    def as_text(self) -> str:
        of = (
            "a space" if self.name == self.space else f"a genotype that leaves something open; {self.space}, its space,"
        )
        asked = plural(sum(self.kinds.values()), "question")
        rows = [(kind, count(number)) for kind, number in self.kinds.items()]
        ways = [] if self.paths is None else [("ways of the branches through the grid", count(self.paths))]
        ways.append(("genotypes", self._counted()))
        raw = {name: each for name, each in self.raw.items() if each.count != self.genotypes}
        ways += [(_RAW[name], f"{each} = {_rounded(each.count)}") for name, each in raw.items()]
        return f"{self.name}: {of} with {asked}\n\n{table(rows, right=(1,))}\n{table(ways)}"

    def _counted(self) -> str:
        if self.genotypes is None:
            return f"not counted: {self.not_counted}"
        if self.genotypes < _WRITTEN_OUT:
            return count(self.genotypes)
        return f"{_rounded(self.genotypes)}, exactly {count(self.genotypes)}"


def size_of(loaded: Loaded) -> Size:
    """The size of the space of an item. Exact; needs no list of genotypes."""
    program = loaded.program
    kinds = Counter(kind_of(question).partition(",")[0] for question in program.questions.values())
    genotypes, reason = None, ""
    try:
        genotypes = Census(program).count
    except NotCounted as error:
        reason = str(error)
    raw = {"every_question": every_question(program), "by_operators": by_operators(program)}
    return Size(
        loaded.name,
        program.name,
        program.hash,
        dict(kinds),
        count_path_sets(program),
        genotypes,
        reason,
        {name: each for name, each in raw.items() if each is not None},
    )


def _rounded(number: int) -> str:
    """3.2e43. Not through a float, which ends at 1.8e308."""
    digits = str(number)
    return f"{digits[0]}.{digits[1]}e{len(digits) - 1}" if len(digits) > 6 else count(number)
