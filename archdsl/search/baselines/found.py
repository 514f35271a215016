"""The genotype that a baseline found: the most accurate of its candidates, as a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from archdsl.pipeline import Loaded, load
from archdsl.pipeline.genotype_writer import use_of, write_genotype
from archdsl.pipeline.recipes import file_of_space
from archdsl.pipeline.spelled_answers import read_answers
from archdsl.runs.record import BaselineRecord, read_record, read_values
from archdsl.search.baselines.bounds import meets
from archdsl.search.baselines.candidates import Candidate, best_of, read_candidates
from archdsl.search.baselines.errors import NoCandidate
from archdsl.search.derive.genotype import WIDTH
from archdsl.search.derive.runs import Step
from archdsl.search.derive.where import LATENCY, Where

KIND: Final = "baseline"
MERIT: Final = "accuracy"
"""In the record of a run, what candidates are compared by; left out, mIoU."""
GENOTYPE: Final = "genotype.arch"


@dataclass(frozen=True, slots=True)
class FoundBy:
    """The run of a baseline, as far as the text of a genotype tells of it."""

    run: Path
    loaded: Loaded
    """The space, with the parameters of the run."""
    record: Mapping[str, Any]
    """What `run.json` has."""

    def text(self, candidates: Sequence[Candidate], name: str, folder: Path, wheres: Sequence[Where] = ()) -> str:
        """The best of some candidates, which meet further bounds, for a file in `folder`."""
        path = file_of_space(self.loaded)
        assert path is not None, "a space that is in no file is refused when the run begins"
        best, record, program = best_of(candidates), self.record, self.loaded.program
        return write_genotype(
            program,
            read_answers(program, best.answers),
            name,
            use_of(path, folder),
            parameters={key: value for key, value in program.parameters if key in record["overrides"]},
            found=str(Step(self.run, record["seed"], record["by"], best.number)),
            comments=tuple(
                line for each in self._comments(best, len(candidates), wheres) for line in wrap(each, WIDTH)
            ),
        )

    def _comments(self, best: Candidate, count: int, wheres: Sequence[Where]) -> Sequence[str]:
        record = self.record
        bounds = (*record["where"], *map(str, wheres))
        within = f" with {', '.join(bounds)}" if bounds else ""
        costs = f"params {best.params:,}, MACs {best.macs:,}"
        if best.latency_ms is not None:
            costs += f", latency {best.latency_ms:,.3f} ms (`{record['cost']}`)"
        by = f"{record['strategy']}, seed {record['seed']}{within}"
        accuracy = f"{record.get(MERIT, 'mIoU')} {100 * best.accuracy:.2f} % on `{record['data']['score_on']}`"
        evaluated = f"{accuracy}, {_evaluation(record['evaluation'])}"
        return f"Candidate {best.number}, the best of {count} by {by}: {evaluated}.", f"Predicted: {costs}."


def is_baseline(folder: Path) -> bool:
    """Whether a folder is the run of a baseline. Raises NoRun, OSError."""
    return read_values(folder).get("kind") == KIND


def found_in(folder: Path) -> FoundBy:
    """The run of a baseline. Raises NoRun, NotLoaded, NoCandidate where its text has changed, OSError."""
    record, values = read_record(folder, BaselineRecord)
    written = f"{(folder / record.text).resolve()}:{record.item}"
    loaded = load(written, overrides=record.overrides, size=record.input)
    if loaded.program.hash != record.hash:
        raise NoCandidate(f"`{record.text}` has changed since the run in `{folder}`: its space has another hash")
    return FoundBy(folder, loaded, values)


def candidates_within(folder: Path, wheres: Sequence[Where], step: int | None) -> list[Candidate]:
    """Those of a run that meet some bounds, of the first `step` alone where that is given. Raises NoCandidate."""
    every = read_candidates(folder)
    if not every:
        raise NoCandidate(f"the run in `{folder}` has no candidates yet")
    some = every if step is None else [each for each in every if each.number <= step]
    found = [each for each in some if all(meets(where, _cost(each, where)) for where in wheres)]
    if not found:
        listed = ", ".join(f"`{where}`" for where in wheres) or f"one of the first {step}"
        raise NoCandidate(f"none of the {len(some)} candidates of `{folder}` meets {listed}")
    return found


def _cost(candidate: Candidate, where: Where) -> float:
    if where.cost == LATENCY and candidate.latency_ms is not None:
        return candidate.latency_ms / 1e3
    if where.cost in ("params", "macs"):
        return float(getattr(candidate, where.cost))
    raise NoCandidate(f"`{where}` is on a cost that the journal of the run does not have")


def _evaluation(evaluation: Mapping[str, Any]) -> str:
    if evaluation.get("supernet") is not None:
        return f"with the weights of the supernet of `{evaluation['supernet']}`"
    return f"trained for {evaluation['steps']} steps"
