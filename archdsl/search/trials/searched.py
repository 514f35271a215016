"""The supernet of a search that was run, and the part of its space that it was trained for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from archdsl.nets.supernet.initial import load_weights
from archdsl.nets.supernet.supernet import Supernet
from archdsl.pipeline import Loaded
from archdsl.pipeline.recipes import space_parameters
from archdsl.relax.phases import questions_in
from archdsl.runs.record import SearchRecord, read_record
from archdsl.search.derive.genotype import Request, found_by
from archdsl.search.derive.plan import Plan, phase_of
from archdsl.search.derive.runs import from_run, searched
from archdsl.search.run.supernets import SUPERNET
from archdsl.settings import Search
from archdsl.settings.searches import Phase
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.space.trace import Answers
from archdsl.train.errors import Refused


@dataclass(frozen=True, slots=True)
class SearchedSpace:
    """What a run of `archdsl search` left."""

    folder: Path
    space: str
    """The space as a command names it: `spaces/gas.arch:gas`."""
    loaded: Loaded
    overrides: Mapping[str, str]
    """The parameters that the search gave to it."""
    size: tuple[int, int]
    """Height and width of the crops in the search, in pixels."""
    supernet: Supernet
    given: Answers
    """Those of earlier phases, for which alone the weights of the last one were trained."""


def searched_space(folder: Path, device: torch.device) -> SearchedSpace:
    """Raises NoRun, Refused, NotLoaded, NotDerived, WeightsMismatch, UnreadableWeights, OSError."""
    record, _ = read_record(folder, SearchRecord)
    if not (folder / SUPERNET).exists():
        raise Refused(f"the search in `{folder}` has not ended: there is no `{SUPERNET}` in it; go on with `--resume`")
    written = os.path.relpath(folder / record.text) + f":{record.item}"
    loaded, search = searched(written, overrides=record.overrides, size=record.size)
    if search is None or loaded.program.hash != record.hash:
        raise Refused(f"`{record.text}` has changed since the search in `{folder}`: restore the text")
    if loaded.is_genotype:
        raise Refused(f"the search in `{folder}` is of the genotype `{loaded.name}`: name one of a space")
    last = phase_of(search, None)
    _check_trained(search, last, folder)
    supernet = Supernet(loaded.program)
    load_weights(supernet, folder / SUPERNET)
    given = _given(search, last, loaded.program, folder)
    space = f"{loaded.target.file}:{loaded.name}"
    given_to_space = space_parameters(search, record.overrides)
    return SearchedSpace(folder, space, loaded, given_to_space, record.size, supernet.to(device), given)


def _check_trained(search: Search, last: Phase, folder: Path) -> None:
    """Raises Refused where the last supernet has weights of networks that were never trained."""
    if last.network is not None:
        raise Refused(f"the last supernet of `{folder}` is of `{last.network}`, which is a part of the space")
    stage = [last, *(each for each in search.phases if each.name in last.beside)]
    if all(each.fixed or each.without for each in stage):
        raise Refused(
            f"the last supernet of `{folder}` was not trained for all genotypes: the phase `{last.name}` leaves some "
            "answers out"
        )


def _given(search: Search, last: Phase, program: Program, folder: Path) -> Answers:
    """The answers that earlier phases found; of sums too, whose inputs they learned."""
    every = Plan.of(program, search, {}, phase=last.name).learned.keys()
    before = every - set(questions_in(last, program, {}).learned)
    if not before:
        return {}

    def is_given(path: QuestionPath) -> bool:
        question = program.questions[path.question]
        edges = (QuestionPath(path.scope, edge, path.node) for edge in question.edges)
        return path.question in before or (question.kind is QuestionKind.KEEP and not before.isdisjoint(edges))

    found = found_by(Request(from_run(folder))).derived.answers
    return {path: answer for path, answer in found.items() if is_given(path)}
