"""What a search leaves in its folder beside journal and checkpoints: logits after each epoch, genotypes, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from archdsl.pipeline.load import NotLoaded, load
from archdsl.pipeline.logits import Logits, write_logits
from archdsl.search.derive.genotype import Found, Request, found_by
from archdsl.search.derive.runs import LOGITS, Source, Step
from archdsl.search.run.setup import SearchSetup
from archdsl.settings.searches import Phase
from archdsl.staging import write_atomic
from archdsl.train.run import weights_metadata
from archdsl.weights.files import save

GENOTYPES = "genotypes"
GENOTYPE = "genotype.arch"


@dataclass(frozen=True, slots=True)
class LogitsOfStep:
    """The logits of a phase after a step of the run, with those of earlier phases."""

    logits: Logits
    guided: Logits
    accuracy: Mapping[str, float]
    """Of derived networks, by where their branches end."""


def logits_file(folder: Path, phase: str, step: int) -> Path:
    return folder / LOGITS / phase / f"{step}.json"


def save_logits(setup: SearchSetup, phase: Phase, step: int, found: LogitsOfStep) -> None:
    file = logits_file(setup.out, phase.name, step)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = write_logits(found.logits, setup.loaded.program, guided=found.guided, accuracy=found.accuracy)
    write_atomic(file, text.encode())


def genotype_of(setup: SearchSetup, phase: Phase, step: int) -> Found:
    """What is derived from the logits that were saved after a step. Raises NotDerived, MissingRows."""
    source = Source(
        setup.loaded,
        logits_file(setup.out, phase.name, step),
        setup.search,
        phase.name,
        Step(setup.out, setup.seed, phase.name, step),
    )
    return found_by(Request(source, table=setup.table, table_name=setup.table_name))


def save_weights(setup: SearchSetup, tensors: Mapping[str, Tensor], step: int, place: str) -> None:
    """The weights of a derived network, slices of the supernet's; `place` is a file in the folder of the run."""
    found = {name: np.asarray(each.cpu()) for name, each in tensors.items()}
    save(setup.out / place, found, weights_metadata(setup.data, step))


def save_genotype(setup: SearchSetup, found: Found, name: str, place: str) -> None:
    """`place` is a file in the folder of the run."""
    file = setup.out / place
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, found.text(name, file.parent).encode())


def is_genotype(file: Path) -> bool:
    """Whether a text is there and has no errors."""
    try:
        load(str(file))
    except NotLoaded:
        return False
    return True
