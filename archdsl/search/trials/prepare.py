"""From a request for a baseline to what runs: the genotypes, the strategy, the record of the run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archdsl.cost.tables import read_table
from archdsl.data import Data
from archdsl.ops.bind import show
from archdsl.pipeline import Loaded, load
from archdsl.pipeline.classes import with_classes
from archdsl.pipeline.genotype_writer import use_of
from archdsl.pipeline.recipes import file_of_space
from archdsl.search.baselines.bounds import Bounds
from archdsl.search.baselines.found import MERIT, FoundBy
from archdsl.search.baselines.members import Members
from archdsl.search.baselines.strategies import Choice
from archdsl.search.derive.where import Where
from archdsl.search.run.outputs import check_outputs
from archdsl.search.trials.baseline import Baseline
from archdsl.search.trials.searched import SearchedSpace
from archdsl.settings.printer import as_data
from archdsl.train.errors import Refused
from archdsl.train.prepare import TrainRequest, prepare
from archdsl.train.run import data_values, length_of


@dataclass(frozen=True, slots=True)
class BaselineRequest:
    """A baseline as a command line names it."""

    training: TrainRequest
    """How each candidate is trained; its text is the space, its folder that of the run."""
    choice: Choice
    evaluations: int
    wheres: Sequence[Where] = ()
    cost: Path | None = None
    size: tuple[int, int] | None = None
    """Height and width of the image for which costs are predicted; None for that of the text."""
    supernet: SearchedSpace | None = None
    """The search whose supernet is sampled."""
    in_supernet: bool = False
    """Whether candidates are scored with its weights, instead of being trained."""


@dataclass(frozen=True, slots=True)
class Prepared:
    baseline: Baseline
    notices: tuple[str, ...]
    """Notices for the user, a sentence each."""
    steps: int
    """Of each candidate's training; 0 where none is trained."""


def open_space(request: BaselineRequest, data: Data) -> Loaded:
    """The space, with as many classes as the data, whose networks fit these. Raises NotLoaded, Refused."""
    written, given = request.training.genotype, request.training.overrides
    first = load(written, overrides=given, size=request.size)
    if first.is_genotype:
        raise Refused(f"`{first.name}` is a genotype: name the space whose genotypes are compared")
    if (space := file_of_space(first)) is None:
        raise Refused("a space from standard input has no file that a genotype could name")
    use_of(space, request.training.out)
    loaded = load(written, overrides=with_classes(first, given, data.classes.count), size=request.size)
    check_outputs(loaded, data)
    return loaded


def prepare_baseline(request: BaselineRequest, loaded: Loaded, data: Data) -> Prepared:
    """Checks a request on the space that it opened.

    Raises Refused, NotLoaded, NoCandidate, MissingRows, TableUnreadable, BadData, OSError.
    """
    training = request.training
    if training.score_on not in data.splits:
        raise Refused(f"{data.written} has no split `{training.score_on}`; it has {', '.join(data.splits)}")
    table = None if request.cost is None else read_table(request.cost)
    if request.supernet is not None:
        _check_same(loaded, request.supernet)
    bounds = Bounds(request.wheres, table)
    members = (
        Members(loaded.program, bounds)
        if request.supernet is None
        else Members(loaded.program, bounds, request.supernet.given)
    )
    strategy = request.choice.strategy(request.evaluations)
    record = {**_about(request, loaded, data), "seed": training.seed}
    notices: tuple[str, ...] = ()
    if request.in_supernet:
        steps = 0
    else:
        one = prepare(replace(training, answers=next(strategy(members, training.seed))), data)
        steps = length_of(one.setup.recipe, len(data.splits[training.train_on])).steps
        notices = one.notices
        record |= {"recipe": as_data(one.setup.recipe), "size": list(one.setup.size), "evaluation": {"steps": steps}}
    found = FoundBy(training.out, loaded, record)
    baseline = Baseline(members, strategy, request.evaluations, training.seed, found)
    return Prepared(baseline, notices, steps)


def _check_same(loaded: Loaded, supernet: SearchedSpace) -> None:
    """Raises Refused where a supernet is that of another space."""
    mine, other = loaded.program, supernet.loaded.program
    if mine.hash != other.hash:
        raise Refused(f"`{supernet.folder}` searched `{other.name}`, which is not this `{mine.name}`")
    differing = [name for name, value in mine.parameters if dict(other.parameters).get(name) != value]
    if differing:
        listed = ", ".join(f"{name} = {show(dict(other.parameters)[name])}" for name in differing)
        raise Refused(f"the supernet of `{supernet.folder}` has {listed}: give the same with `--set`")


def _about(request: BaselineRequest, loaded: Loaded, data: Data) -> Mapping[str, Any]:
    training, path = request.training, loaded.target.path
    assert path is not None
    supernet = None if request.supernet is None else os.path.relpath(request.supernet.folder, training.out)
    return {
        "text": os.path.relpath(path, training.out),
        "item": loaded.name,
        "space": loaded.program.name,
        "hash": loaded.program.hash,
        "overrides": dict(training.overrides),
        "data": data_values(data, training.train_on, training.score_on),
        "by": request.choice.by,
        "strategy": str(request.choice),
        "where": [str(where) for where in request.wheres],
        "cost": None if request.cost is None else os.path.relpath(request.cost, training.out),
        "input": None if request.size is None else list(request.size),
        "supernet": supernet,
        "evaluation": {"supernet": supernet},
        **({MERIT: data.merit} if data.task == "classification" else {}),
    }
