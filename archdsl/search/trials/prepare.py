"""From a request for a baseline to what runs: the genotypes, the strategy, the record of the run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archdsl.cost.tables import read_table
from archdsl.data import Data
from archdsl.pipeline import Loaded, load
from archdsl.pipeline.classes import with_classes
from archdsl.pipeline.recipes import file_of_space
from archdsl.search.baselines.bounds import Bounds
from archdsl.search.baselines.found import FoundBy
from archdsl.search.baselines.members import Members
from archdsl.search.baselines.strategies import Choice
from archdsl.search.derive.where import Where
from archdsl.search.trials.baseline import Baseline
from archdsl.train.distributed import world_size
from archdsl.train.errors import Refused
from archdsl.train.prepare import TrainRequest, prepare
from archdsl.train.run import Record, length_of

_OF_ONE_NETWORK = frozenset({"network", "answers", "padding_multiple", "processes", "accumulate", "teacher", "init"})


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


@dataclass(frozen=True, slots=True)
class Prepared:
    baseline: Baseline
    notices: tuple[str, ...]
    """Notices for the user, a sentence each."""
    steps: int
    """Of each candidate's training."""


def open_space(request: BaselineRequest, data: Data) -> Loaded:
    """The space, with as many classes as the data. Raises NotLoaded, Refused."""
    written, given = request.training.genotype, request.training.overrides
    first = load(written, overrides=given, size=request.size)
    if first.is_genotype:
        raise Refused(f"`{first.name}` is a genotype: name the space whose genotypes are compared")
    if file_of_space(first) is None:
        raise Refused("a space from standard input has no file that a genotype could name")
    return load(written, overrides=with_classes(first, given, data.classes.count), size=request.size)


def prepare_baseline(request: BaselineRequest, loaded: Loaded, data: Data) -> Prepared:
    """Checks a request on the space that it opened.

    Raises Refused, NotLoaded, NoCandidate, MissingRows, TableUnreadable, BadData, OSError.
    """
    training = request.training
    if data.task != "segmentation":
        raise Refused(f"{data.written} has whole images in classes, and networks are compared by mIoU here")
    if training.score_on not in data.splits:
        raise Refused(f"{data.written} has no split `{training.score_on}`; it has {', '.join(data.splits)}")
    table = None if request.cost is None else read_table(request.cost)
    members = Members(loaded.program, Bounds(request.wheres, table))
    strategy = request.choice.strategy(request.evaluations)
    one = prepare(replace(training, answers=next(strategy(members, training.seed))), data)
    steps = length_of(one.setup.recipe, len(data.splits[training.train_on])).steps
    of_training = Record.of(one.setup, world_size()).values
    record = {
        **{name: value for name, value in of_training.items() if name not in _OF_ONE_NETWORK},
        **_about(request, loaded),
        "evaluation": {"steps": steps},
    }
    found = FoundBy(training.out, loaded, record)
    baseline = Baseline(members, strategy, request.evaluations, training.seed, found)
    return Prepared(baseline, one.notices, steps)


def _about(request: BaselineRequest, loaded: Loaded) -> Mapping[str, Any]:
    return {
        "item": loaded.name,
        "overrides": dict(request.training.overrides),
        "by": request.choice.by,
        "strategy": str(request.choice),
        "where": [str(where) for where in request.wheres],
        "cost": None if request.cost is None else os.path.relpath(request.cost, request.training.out),
        "input": None if request.size is None else list(request.size),
    }
