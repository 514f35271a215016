"""What is derived from: a text with a file of logits, or the folder of a run.

Of a run three things are read. `RUN/run.json` says what was searched:

    {"format_version": 2, "text": "../spaces/gas.arch", "item": "gas_s", "hash": "sha256:…",
     "overrides": {"classes": "11"}, "seed": 0, …}

`text` is the file of the search as seen from RUN, `item` its name, `hash` that of its space, `overrides` its parameters
as a command line gives them. `RUN/logits/PHASE/STEP.json` are the logits of a phase after so many steps of the run,
with those of earlier phases (`archdsl.pipeline.logits`); a search without phases has one of its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from archdsl.pipeline import Loaded, load, load_recipe
from archdsl.pipeline.recipes import own_parameters, searches, space_parameters, subject_of
from archdsl.runs.journal import read_events
from archdsl.runs.record import RECORD, LogitsRecord, read_record
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.plan import phase_of
from archdsl.settings import Search
from archdsl.settings.searches import Phase
from archdsl.text import visible_line

LOGITS: Final = "logits"


@dataclass(frozen=True, slots=True)
class Step:
    """Where logits come from in a run."""

    run: Path
    seed: int
    phase: str
    step: int

    def __str__(self) -> str:
        """As `found = …` of a genotype has it."""
        run, phase = ('"{}"'.format(visible_line(each).replace('"', "'")) for each in (self.run.as_posix(), self.phase))
        return f"run({run}, {phase}, seed = {self.seed}, step = {self.step})"


@dataclass(frozen=True, slots=True)
class Source:
    """What a genotype is derived from."""

    loaded: Loaded
    """The space, or a genotype of it that leaves questions open."""
    logits: Path
    search: Search | None = None
    """None where nothing says by which rules: then the most probable answers are taken."""
    phase: str | None = None
    step: Step | None = None
    """None where logits are not those of a run."""


def from_text(
    written: str,
    logits: Path,
    *,
    phase: str | None = None,
    overrides: Mapping[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> Source:
    """A space, or a genotype that leaves questions open, with the only search of that space; or a search.

    Raises NotLoaded, NotDerived.
    """
    loaded, search = searched(written, overrides=overrides, size=size)
    if search is None and phase is not None:
        raise NotDerived(f"`{loaded.program.name}` has no search, and so no phase `{phase}`")
    return Source(loaded, logits, search, phase)


def searched(
    written: str, *, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> tuple[Loaded, Search | None]:
    """What a search is of, and the search that a text names, or the only one of the space that it names; else None.

    Raises NotLoaded, NotDerived.
    """
    given = overrides or {}
    named = load_recipe(written, overrides=given, size=size)
    if named is not None and not isinstance(named, Search):
        raise NotDerived(f"`{written}` is no search: name one, or a space")
    if named is not None:
        subject = subject_of(written, named)
        return load(subject, overrides=space_parameters(named, given), size=size), named
    own = own_parameters(written)
    loaded = load(written, overrides={name: each for name, each in given.items() if name not in own}, size=size)
    known = searches(written, loaded.program.name, overrides=given, size=size)
    if len(known) > 1:
        listed = ", ".join(f"`{each.name}`" for each in known)
        file = loaded.target.file
        raise NotDerived(
            f"`{file}` has the searches {listed} of `{loaded.program.name}`: name one, `{file}:{known[0].name}`"
        )
    return loaded, known[0] if known else None


def from_run(
    folder: Path,
    *,
    step: int | None = None,
    phase: str | None = None,
    overrides: Mapping[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> Source:
    """The step of a run whose genotype it left, the last one unless it collapsed; or another step.

    Images are of the size on which the run searched, where no other is given.

    Raises NoRun, NotDerived, NotLoaded, OSError.
    """
    record, _ = read_record(folder, LogitsRecord)
    written = f"{(folder / record.text).resolve()}:{record.item}"
    given = {**record.overrides, **(overrides or {})}
    source = from_text(written, folder, phase=phase, overrides=given, size=size or record.size)
    if source.search is None:
        raise NotDerived(f"`{folder / RECORD}` names `{record.item}`, which is no search")
    if record.hash not in (None, source.loaded.program.hash):
        raise NotDerived(f"`{record.text}` has changed since the run in `{folder}`: its space has another hash")
    named = phase_of(source.search, phase)
    number, file = _step(folder, named, step)
    at = Step(folder, record.seed, named.name, number)
    return Source(source.loaded, file, source.search, named.name, at)


def _step(folder: Path, phase: Phase, step: int | None) -> tuple[int, Path]:
    """The number and the file of a step. Raises NotDerived where there is none."""
    place = folder / LOGITS / phase.name
    found = {int(file.stem): file for file in place.glob("*.json") if file.stem.isdecimal()}
    if not found:
        raise NotDerived(f"`{folder}` has no logits of the phase `{phase.name}`: there are none in `{place}`")
    number = step if step is not None else _left(folder, phase) or max(found)
    if number not in found:
        raise NotDerived(f"`{place}` has no step {step}: it has {len(found)} from {min(found)} to {max(found)}")
    return number, found[number]


def _left(folder: Path, phase: Phase) -> int | None:
    """The step whose genotype a phase left, as the journal has it; None where the phase is not over."""
    for event in reversed(read_events(folder)):
        if event["event"] == "derived" and event.get("phase") == phase.name:
            return event["of_step"]
    return None
