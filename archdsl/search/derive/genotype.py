"""From a request to the text of a genotype."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from archdsl.cost import Figures, figures
from archdsl.ir import ClosedGraph, closed
from archdsl.pipeline.genotype_writer import use_of, write_genotype
from archdsl.pipeline.logits import read_logits_file
from archdsl.pipeline.recipes import file_of_space
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.pick import compared, known_ends, read_ends
from archdsl.search.derive.plan import Plan
from archdsl.search.derive.runs import Source
from archdsl.search.derive.strongest import Derived, EndLabels, derive, every_end, matching, open_scopes
from archdsl.settings.costs import Counted, Measured, Uniform
from archdsl.settings.objectives import Accuracy, CostTerm, LossTerm, Objective
from archdsl.settings.printer import setting_text
from archdsl.settings.schema import settings_of
from archdsl.settings.searches import Phase
from archdsl.space import Program
from archdsl.space.trace import trace
from archdsl.syntax import ast

if TYPE_CHECKING:
    from numpy import float64

    from archdsl.cost.tables import Table
    from archdsl.search.derive.where import Where


WIDTH: Final = 110
"""Of the lines of a comment."""


@dataclass(frozen=True, slots=True)
class Request:
    """A derivation as data."""

    source: Source
    ends: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where some branches end."""
    accuracy: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of derived networks, by where their branches end, besides those that the file of logits has."""
    wheres: Sequence[Where] = ()
    table: Table | None = None
    table_name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A derived genotype."""

    request: Request
    plan: Plan
    derived: Derived
    log_probability: float
    """Of all that it answers by logits together."""
    figures: Figures | None
    """None where questions are left open."""
    seconds: float | None
    """By the table of the request; None without one."""

    def text(self, name: str, folder: Path) -> str:
        """The genotype for a file in `folder`. Raises NotDerived where the space is in no file."""
        loaded = self.request.source.loaded
        path = file_of_space(loaded)
        if path is None:
            raise NotDerived("a space from standard input has no file that a genotype could name")
        step = self.request.source.step
        program = self.plan.program
        return write_genotype(
            program,
            self.derived.answers,
            name,
            use_of(path, folder),
            parameters=_given(self.request.source),
            opened=open_scopes(self.derived.left_open),
            found="" if step is None else str(step),
            comments=tuple(line for each in self._comments() for line in wrap(each, WIDTH)),
        )

    def _comments(self) -> Sequence[str]:
        source = self.request.source
        logits = f"`{source.logits.name}`" if source.step is None else f"step {source.step.step} of `{source.step.run}`"
        lines = [f"Derived from {logits} {self._rule()}."]
        if self.figures is not None:
            costs = f"params {self.figures.params:,}, MACs {self.figures.macs:,}"
            costs += f", activations {self.figures.activations:,}"
            if self.seconds is not None:
                costs += f", latency {1e3 * self.seconds:,.3f} ms (`{self.request.table_name}`)"
            lines.append(f"Predicted: {costs}; log-probability {self.log_probability:.6g}.")
        return lines

    def _rule(self) -> str:
        by = f"by {self.plan.source}" if self.plan.source else "by the most probable answers"
        if self.request.wheres:
            bounds = ", ".join(map(str, self.request.wheres))
            return f"as the most probable genotype with {bounds}" + (f", {by}" if self.plan.source else "")
        (setting,) = (each for each in settings_of(Phase) if each.field == "derive")
        return f"{by}: {setting_text(setting, self.plan.rules)}" if self.plan.rules else by


def chances_of(source: Source) -> tuple[Chances, Mapping[str, float]]:
    """The chances that logits give, and the accuracies that stand beside them.

    Raises NotDerived, UnreadableLogits, ToolMissing, OSError.
    """
    program, given = source.loaded.program, source.loaded.meaning.answers
    if not program.questions or (source.loaded.is_genotype and source.loaded.closed):
        raise NotDerived(f"`{source.loaded.name}` leaves no question open: name a space")
    plan = (
        Plan.plain(program, given)
        if source.search is None
        else Plan.of(program, source.search, given, phase=source.phase)
    )
    sizes = {path: len(each.candidates) for path, each in plan.learned.items()}
    file = read_logits_file(source.logits, program, sizes)
    if plan.guided:
        missing = [path for path in plan.learned if plan.is_guided(path) and path not in file.guided]
        if missing:
            raise NotDerived(
                f"`{source.logits}` has no guided logits of `{program.spell(missing[0])}`: `argmax(guided)` reads "
                "logits as the guide leaves them, which stand under `guided`"
            )
    return Chances(plan, {**file.logits, **file.guided} if plan.guided else file.logits), file.accuracy


def found_by(request: Request) -> Found:
    """The genotype of a request. Raises NotDerived, UnreadableLogits, MissingRows, ToolMissing, OSError."""
    chances, accuracy = chances_of(request.source)
    every = tuple(matching(every_end(chances.plan), request.ends))
    unknown = set(request.ends) - {str(branch) for branch in chances.plan.program.branches}
    if unknown or not every:
        ends = ", ".join(f"{branch} = {label}" for branch, label in request.ends.items())
        raise NotDerived(f"no network has branches that end at `{ends}`: {known_ends(every_end(chances.plan))}")
    if request.wheres:
        return _within(request, chances)
    if len(every) == 1:
        return _found(request, chances, derive(chances, every[0]))
    return _picked(request, chances, every, {**accuracy, **request.accuracy})


def _within(request: Request, chances: Chances) -> Found:
    from archdsl.search.derive.where import most_probable_where

    plan = chances.plan
    if plan.left_open:
        raise NotDerived(
            f"`{plan.program.spell(next(iter(plan.left_open)))}` has no logits and stays open, so costs are not known"
        )
    ends = {branch.end: (request.ends[str(branch)],) for branch in plan.program.branches if str(branch) in request.ends}
    narrowed = replace(chances, plan=replace(plan, answers={**plan.answers, **ends}))
    answers = most_probable_where(narrowed, request.wheres, request.table)
    return _found(request, chances, Derived(answers))


def _picked(request: Request, chances: Chances, every: Sequence[EndLabels], accuracy: Mapping[str, float]) -> Found:
    """Of networks whose accuracy is known the best."""
    known = compared(every, {text: each for text, each in accuracy.items() if _fits(text, request.ends)})
    if not known:
        raise NotDerived(
            f"branches can end in {len(every)} ways, and the accuracy of none is known: say where (`--ends`), or give "
            f"the accuracy of some (`--accuracy`); {known_ends(every)}"
        )
    best: tuple[float, Found] | None = None
    for position, number in known.items():
        found = _found(request, chances, derive(chances, every[position]))
        value = number if chances.plan.pick is None else _value(chances.plan.pick, number, found)
        if best is None or value > best[0]:
            best = value, found
    assert best is not None
    return best[1]


def _fits(text: str, ends: Mapping[str, str]) -> bool:
    return all(read_ends(text).get(branch) == label for branch, label in ends.items())


def _value(pick: Objective, accuracy: float, found: Found) -> float:
    """What `pick = …` comes to for a network."""
    from archdsl.cost.objective import NUMBERS, evaluate

    def leaf(term: LossTerm | Accuracy | CostTerm) -> float64:
        return NUMBERS.constant(_price(term, found) if isinstance(term, CostTerm) else accuracy)

    return float(evaluate(pick, NUMBERS, leaf, {}))


def _price(term: CostTerm, found: Found) -> float:
    measure = term.cost.measure
    if term.over or found.figures is None:
        raise NotDerived(f"`pick` compares `{term.cost.name}` of parts or of open networks: say where branches end")
    match measure:
        case Counted(what):
            return float(found.figures.params if what == "params" else found.figures.macs)
        case Measured(file, unit):
            if found.seconds is None:
                raise NotDerived(f"`pick` compares `{term.cost.name}` (`{file.written}`): give its table by `--cost`")
            return found.seconds / unit.seconds
        case Uniform():
            raise NotDerived(f"`pick` compares `{term.cost.name}`, no cost of a network: say where branches end")


def _found(request: Request, chances: Chances, derived: Derived) -> Found:
    from archdsl.search.derive.budget import log_probability

    program = chances.plan.program
    graph = None if derived.left_open else network(program, derived)
    seconds = None
    if graph is not None and request.table is not None:
        from archdsl.cost.estimate import estimate

        seconds = estimate(graph, request.table).seconds
    chance = log_probability(chances, derived.answers)
    return Found(request, chances.plan, derived, chance, None if graph is None else figures(graph), seconds)


def network(program: Program, derived: Derived) -> ClosedGraph:
    return closed(program, trace(program, derived.answers), program.name)


def _given(source: Source) -> Mapping[str, object]:
    """The parameters that a text or a command gave the space."""
    loaded = source.loaded
    names = set(loaded.given)
    item = loaded.meaning.item
    if isinstance(item, ast.Genotype) and isinstance(item.of, ast.Call):
        names |= {argument.name.text for argument in item.of.arguments if argument.name is not None}
    return {name: value for name, value in loaded.program.parameters if name in names}
