"""The supernet's estimates of sampled networks, held against the same networks trained alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from archdsl.pipeline.spelled_answers import read_answers
from archdsl.search.baselines.candidates import Candidate
from archdsl.search.trials.correlation import Correlation, correlation, kendall, spearman
from archdsl.space import Program
from archdsl.space.trace import Answers
from archdsl.staging import write_atomic
from archdsl.text import visible_json

RANKED: Final = "rank.json"


@dataclass(frozen=True, slots=True)
class Ranked:
    """Networks scored in both ways."""

    candidates: Sequence[Candidate]
    """With the accuracy of each trained alone."""
    estimates: Sequence[float]
    """The accuracy of each with the supernet's weights, 0 to 1."""
    kendall: Correlation
    spearman: Correlation

    @property
    def data(self) -> dict[str, Any]:
        networks = [
            {"number": candidate.number, "estimate": estimate, **candidate.values}
            for candidate, estimate in zip(self.candidates, self.estimates, strict=True)
        ]
        return {"networks": networks, "kendall": asdict(self.kendall), "spearman": asdict(self.spearman)}

    def write(self, folder: Path) -> None:
        text = visible_json(json.dumps({"format_version": 1, **self.data}, indent=2, ensure_ascii=False)) + "\n"
        write_atomic(folder / RANKED, text.encode())


def ranked(program: Program, candidates: Sequence[Candidate], estimate: Callable[[Answers], float]) -> Ranked:
    """Estimates what was trained, and compares the orders."""
    estimates = [estimate(read_answers(program, each.answers)) for each in candidates]
    alone = [each.accuracy for each in candidates]
    return Ranked(
        candidates, estimates, correlation(kendall, estimates, alone), correlation(spearman, estimates, alone)
    )
