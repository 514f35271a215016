"""A baseline as a run: proposals evaluated one by one, with a journal from which a run that was killed goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import torch
from lightning_fabric import Fabric

from archdsl.pipeline.spelled_answers import spelled_answers
from archdsl.runs.journal import CANDIDATE
from archdsl.search.baselines.candidates import Candidate, read_candidates
from archdsl.search.baselines.found import GENOTYPE, KIND, FoundBy
from archdsl.search.baselines.members import Members
from archdsl.search.baselines.proposals import Strategy
from archdsl.search.trials.interrupted import Interrupted
from archdsl.space.trace import Answers
from archdsl.staging import write_atomic
from archdsl.train import journal
from archdsl.train.distributed import all_reduce_sum, rank, world_size
from archdsl.train.errors import FULL, DiskFull, Refused
from archdsl.train.folder_lock import locked_folder
from archdsl.train.interrupts import StopRequest, stop_on_signals
from archdsl.train.run import FORMAT_VERSION, RECORD, Record
from archdsl.train.same_run import check_same

_BUDGET = "evaluations"
"""A run may be resumed with a larger one: what is proposed does not hang on it."""

Evaluate: TypeAlias = "Callable[[int, Answers], float]"
"""The accuracy of a candidate, by its number from 1 and its answers."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline as data, before anything runs."""

    members: Members
    strategy: Strategy
    evaluations: int
    """The budget: so many candidates."""
    seed: int
    found: FoundBy
    """With the folder of the run, and what determines it for `run.json`."""

    @property
    def out(self) -> Path:
        return self.found.run

    @property
    def record(self) -> Record:
        own: Mapping[str, Any] = {_BUDGET: self.evaluations}
        return Record({"format_version": FORMAT_VERSION, "kind": KIND, **self.found.record, **own})


@dataclass(slots=True)
class Outcome:
    candidates: list[Candidate] = field(default_factory=list[Candidate])
    signal: int = 0
    """The signal that stopped the run; 0 where none did."""


def run_baseline(
    baseline: Baseline,
    evaluate: Evaluate,
    fabric: Fabric,
    *,
    resume: bool = False,
    watch: Callable[[Candidate], None] = lambda candidate: None,
) -> Outcome:
    """Evaluates candidates until the budget is spent, and leaves the best in the run's folder as a genotype.

    A resumed run ends in the same candidates as one that was never interrupted. `watch` is told each new one.
    Raises Refused, NoCandidate, MissingRows, DiskFull, OSError, and what `evaluate` raises but for Interrupted.
    """
    _before(baseline, resume=resume)
    with locked_folder(baseline.out, fabric.device):
        before = _before(baseline, resume=resume)  # another run may have been begun there meanwhile
        try:
            return _run(baseline, evaluate, fabric, before, watch)
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise DiskFull(error, "the candidates so far stand in the journal") from error


def _run(
    baseline: Baseline, evaluate: Evaluate, fabric: Fabric, before: list[Candidate], watch: Callable[[Candidate], None]
) -> Outcome:
    fabric.barrier()  # every process has looked into the folder before the first one writes there
    if rank() == 0:
        baseline.record.write(baseline.out)
        journal.cut(baseline.out, len(before))
    outcome = Outcome()
    log = journal.Journal(baseline.out) if rank() == 0 else None
    try:
        with stop_on_signals() as request:
            for candidate in _candidates(baseline, evaluate, before, lambda: _signalled(request, fabric)):
                outcome.candidates.append(candidate)
                if candidate.number <= len(before):
                    continue
                if log is not None:
                    log.write(CANDIDATE, candidate.number, **candidate.values)
                watch(candidate)
    except Interrupted as found:
        outcome.signal = found.signal
    finally:
        if log is not None:
            log.close()
    if rank() == 0 and outcome.candidates:
        text = baseline.found.text(outcome.candidates, f"{baseline.members.program.name}_found", baseline.out)
        write_atomic(baseline.out / GENOTYPE, text.encode())
    return outcome


def _before(baseline: Baseline, *, resume: bool) -> list[Candidate]:
    """The candidates that a run has already. Raises Refused, NoRun."""
    if not resume:
        if (baseline.out / RECORD).exists():
            raise Refused(f"`{baseline.out}` holds a run already: resume it with `--resume`, or give another `--out`")
        return []
    there = Record.read(baseline.out)
    check_same(Record({**baseline.record.values, _BUDGET: there.values.get(_BUDGET)}), there, baseline.out)
    found = read_candidates(baseline.out)
    if len(found) > baseline.evaluations:
        raise Refused(f"the run in `{baseline.out}` has {len(found)} candidates already: give `--evaluations` as many")
    return found


def _signalled(request: StopRequest, fabric: Fabric) -> int:
    """The signal that any process was given, so that all stop before the same candidate; 0 where there is none."""
    every = torch.zeros(world_size(), dtype=torch.long, device=fabric.device)
    every[rank()] = request.signal
    return int(all_reduce_sum(every).max())


def _candidates(
    baseline: Baseline, evaluate: Evaluate, before: list[Candidate], signalled: Callable[[], int]
) -> Iterator[Candidate]:
    """Each candidate with its accuracy, those of the journal first. Raises Interrupted.

    A genotype that is proposed again counts again and is not evaluated again: all are trained from one seed, so the
    result would be the same.
    """
    members = baseline.members
    proposals = baseline.strategy(members, baseline.seed)
    known: dict[frozenset[object], float] = {}
    accuracy = 0.0
    for number in range(1, baseline.evaluations + 1):
        if number > len(before) and (signal := signalled()):
            raise Interrupted(signal)
        answers = next(proposals) if number == 1 else proposals.send(accuracy)
        key = frozenset[object](answers.items())
        if number <= len(before):
            candidate = before[number - 1]
            if candidate.number != number or candidate.answers != spelled_answers(members.program, answers):
                raise Refused(
                    f"candidate {number} of `{baseline.out}` is not the one that its seed gives here: it was begun by "
                    "another version of archdsl, so begin anew with another `--out`"
                )
        else:
            costs = members.costs(answers)
            measured = known[key] if key in known else evaluate(number, answers)
            candidate = Candidate.of(members.program, number, answers, measured, costs)
        known[key] = accuracy = candidate.accuracy
        yield candidate
