"""What came out of a member: its network, the score and the costs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from archdsl.cost import figures
from archdsl.pipeline import Loaded, NotLoaded, load
from archdsl.records import record
from archdsl.runs.journal import CANDIDATE, read_events
from archdsl.runs.record import RECORD, AnyRecord, read_record
from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.steps import FOUND, Step


@record
class Result:
    """Of a finished member."""

    genotype: str
    """The text of its network and the name in it, as seen from the folder of the sweep."""
    accuracy: float
    """mIoU or top-1, 0 to 1: the best of a training, the best candidate of a baseline, the last of a search."""
    params: int
    macs: int
    """For one image of the size of the search's crops, by which it was found; else of the size in the text."""
    latency_ms: float | None
    """By the sweep's cost table; None without one."""


def steps_taken(run: Path) -> int:
    """How far a run has come. Raises NoRun, OSError."""
    return max((event["step"] for event in read_events(run)), default=0)


def result_of(steps: Sequence[Step], root: Path, cost: Path | None) -> Result:
    """What a member's steps left. Raises NotSwept, NoRun, OSError."""
    run = steps[-1].run
    target, overrides = _network(run)
    try:
        loaded = load(target, overrides=overrides, size=_size(steps[0].run))
    except NotLoaded as error:
        raise NotSwept(str(error)) from None
    if not loaded.closed:
        raise NotSwept(f"`{target}` leaves {loaded.open_count} questions open: a sweep compares networks")
    found = figures(loaded.network())
    file, colon, item = target.rpartition(":") if loaded.target.item else (target, "", "")
    genotype = Path(os.path.relpath(file, root)).as_posix() + colon + item
    return Result(genotype, _score(run), found.params, found.macs, _latency_ms(loaded, cost))


def _network(run: Path) -> tuple[str, dict[str, str]]:
    """The text of a run's network, and the parameters that it was given."""
    if (run / FOUND).exists():
        return str(run / FOUND), {}
    record, _ = read_record(run, AnyRecord)
    if record.text is None:
        raise NotSwept(f"`{run / RECORD}` names no text")
    return os.path.relpath(run / record.text) + (f":{record.item}" if record.item else ""), record.overrides


def _size(run: Path) -> tuple[int, int] | None:
    """Height and width of the images whose costs a run has looked at; None where those of the text are."""
    record, _ = read_record(run, AnyRecord)
    return record.size if record.kind == "search" else record.input


def _score(run: Path) -> float:
    """Raises NotSwept."""
    journal = read_events(run)
    candidates = [event["accuracy"] for event in journal if event["event"] == CANDIDATE]
    scored = [event.get("miou", event.get("top1")) for event in journal if event["event"] == "score"]
    scores = [each for each in scored if each is not None]
    if not candidates and not scores:
        raise NotSwept(f"`{run}` has no score: its data have no split to score on")
    if candidates:
        return max(candidates)
    return scores[-1] if (run / FOUND).exists() else max(scores)


def _latency_ms(loaded: Loaded, cost: Path | None) -> float | None:
    if cost is None:
        return None
    from archdsl.cost.estimate import MissingRows, estimate
    from archdsl.cost.tables import read_table

    try:
        return 1e3 * estimate(loaded.network(), read_table(cost)).seconds
    except MissingRows as error:
        raise NotSwept(f"`{cost}` has {error}: fill them in by `archdsl cost fill`, and run with `--retry`") from None
