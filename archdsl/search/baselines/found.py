"""The genotype that a baseline found: the most accurate of its candidates, as a text."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from archdsl.pipeline import Loaded
from archdsl.pipeline.genotype_writer import write_genotype
from archdsl.pipeline.recipes import file_of_space
from archdsl.pipeline.spelled_answers import read_answers
from archdsl.search.baselines.candidates import Candidate, best_of
from archdsl.search.baselines.errors import NoCandidate
from archdsl.search.derive.genotype import WIDTH
from archdsl.search.derive.runs import Step

GENOTYPE: Final = "genotype.arch"


@dataclass(frozen=True, slots=True)
class FoundBy:
    """The run of a baseline, as far as the text of a genotype tells of it."""

    run: Path
    loaded: Loaded
    """The space, with the parameters of the run."""
    record: Mapping[str, Any]
    """What `run.json` has."""

    def text(self, candidates: Sequence[Candidate], name: str, folder: Path) -> str:
        """The best of some candidates, for a file in `folder`. Raises NoCandidate where the space is in no file."""
        path = file_of_space(self.loaded)
        if path is None:
            raise NoCandidate("a space from standard input has no file that a genotype could name")
        best, record, program = best_of(candidates), self.record, self.loaded.program
        return write_genotype(
            program,
            read_answers(program, best.answers),
            name,
            Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix(),
            parameters={key: value for key, value in program.parameters if key in record["overrides"]},
            found=str(Step(self.run, record["seed"], record["by"], best.number)),
            comments=tuple(line for each in self._comments(best, len(candidates)) for line in wrap(each, WIDTH)),
        )

    def _comments(self, best: Candidate, count: int) -> Sequence[str]:
        record = self.record
        within = f" with {', '.join(record['where'])}" if record["where"] else ""
        costs = f"params {best.params:,}, MACs {best.macs:,}"
        if best.latency_ms is not None:
            costs += f", latency {best.latency_ms:,.3f} ms (`{record['cost']}`)"
        by = f"{record['strategy']}, seed {record['seed']}{within}"
        accuracy = f"mIoU {100 * best.accuracy:.2f} % on `{record['data']['score_on']}`"
        evaluated = f"{accuracy}, {_evaluation(record['evaluation'])}"
        return f"Candidate {best.number}, the best of {count} by {by}: {evaluated}.", f"Predicted: {costs}."


def _evaluation(evaluation: Mapping[str, Any]) -> str:
    if "supernet" in evaluation:
        return f"with the weights of the supernet of `{evaluation['supernet']}`"
    return f"trained for {evaluation['steps']} steps"
