"""The size of a space as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from archdsl.cli.cost_options import about, amount
from archdsl.cli.output import count, plural, table
from archdsl.cost.extremes import Extreme
from archdsl.pipeline.ranges import Range
from archdsl.pipeline.stats import SpaceStats
from archdsl.settings.costs import Unit
from archdsl.space import Program

LATENCY: Final = "latency"
_FIGURES: Final = {"params_training": "params in training", "macs": "MACs"}

_WRITTEN_OUT = 10**15
_RAW = {
    "every_question": "raw: an answer to each question, asked or not",
    "by_operators": "raw: each op with the widths that it writes",
}


def size_object(size: SpaceStats) -> dict[str, Any]:
    """`genotypes` is a text: most readers of JSON lose the digits of such numbers."""
    return {
        "name": size.name,
        "space": size.space,
        "hash": size.hash,
        "questions": size.questions,
        "paths": size.paths,
        "genotypes": None if size.genotypes is None else str(size.genotypes),
        "not_counted": size.not_counted or None,
        "networks": size.networks,
        "not_compared": size.not_compared or None,
        "raw": {name: {"formula": str(raw), "count": str(raw.count)} for name, raw in size.nominal.items()},
    }


def size_text(size: SpaceStats) -> str:
    of = "a space" if size.name == size.space else f"a genotype that leaves something open; {size.space}, its space,"
    asked = plural(sum(size.questions.values()), "question")
    rows = [(kind, count(number)) for kind, number in size.questions.items()]
    ways = [] if size.paths is None else [("ways of the branches through the grid", count(size.paths))]
    ways.append(("genotypes", _counted(size)))
    networks = f"not compared: {size.not_compared}" if size.networks is None else count(size.networks)
    ways.append(("different networks", networks))
    raw = {name: each for name, each in size.nominal.items() if each.count != size.genotypes}
    ways += [(_RAW[name], f"{each} = {_rounded(each.count)}") for name, each in raw.items()]
    return f"{size.name}: {of} with {asked}\n\n{table(rows, right=(1,))}\n{table(ways)}"


def ranges_object(program: Program, found: Mapping[str, Range]) -> dict[str, Any]:
    """`answers` is null where an end is a bound that no genotype may have."""
    return {name: {end.value: _end(program, each, end) for end in Extreme} for name, each in found.items()}


def _end(program: Program, found: Range, extreme: Extreme) -> dict[str, Any]:
    value, answers = found.end(extreme), found.exact.get(extreme)
    return {
        "value": int(value) if value.is_integer() else value,
        "answers": answers and {program.spell(path): list(answer) for path, answer in answers.items()},
    } | ({"interpolated": True} if extreme in found.interpolated else {})


def ranges_text(found: Mapping[str, Range], unit: Unit | None) -> str:
    """`unit` is that of times, which the others have none of; `~` is before times with rows between measured ones."""
    exact = all(each.exact for each in found.values())
    head = ("of all genotypes", "least", "greatest") if exact else ("bounds of all genotypes", "not below", "not above")
    rows: list[tuple[str, ...]] = [head]
    for name, each in found.items():
        if name == LATENCY and unit is not None:
            times = (about(amount(each.end(end), unit), int(end in each.interpolated)) for end in Extreme)
            rows.append((f"latency, {unit}", *times))
        else:
            rows.append((_FIGURES.get(name, name), *(count(int(each.end(end))) for end in Extreme)))
    return table(rows, right=(1, 2))


def _counted(size: SpaceStats) -> str:
    if size.genotypes is None:
        return f"not counted: {size.not_counted}"
    if size.genotypes < _WRITTEN_OUT:
        return count(size.genotypes)
    return f"{_rounded(size.genotypes)}, exactly {count(size.genotypes)}"


def _rounded(number: int) -> str:
    """3.2e43. Not through a float, which ends at 1.8e308."""
    digits = str(number)
    return f"{digits[0]}.{digits[1]}e{len(digits) - 1}" if len(digits) > 6 else count(number)
