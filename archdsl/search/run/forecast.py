"""What a search takes, before its first step: memory of a step, time of all of them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import torch
from torch.nn import functional

from archdsl.cost import figures
from archdsl.pipeline import NotLoaded
from archdsl.relax.estimate import Estimate, estimate
from archdsl.relax.lower import NotRelaxable, Relaxer
from archdsl.relax.phases import PhaseQuestions, questions_in
from archdsl.relax.plan import keeping, planned
from archdsl.search.run.pretraining import training_of
from archdsl.search.run.setup import Pretraining, SearchSetup, Stage
from archdsl.settings.optimizers import Adam
from archdsl.settings.searches import Order, Phase, TwoLevels
from archdsl.train.errors import Refused

_CHANNELS, _SIDE = 64, 56
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of all stages, every open question mixed and each width at its largest: sampled ones take less."""

    step_bytes: int
    """What the largest step holds as its backward pass begins, without what layers need to work in."""
    available_bytes: int | None
    """None where nothing says it."""
    seconds: float
    """Of all steps, by multiply-adds at the speed that one convolution has here; evaluation comes on top."""
    steps: int

    @property
    def text(self) -> str:
        hours, minutes = divmod(round(self.seconds / 60), 60)
        length = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else "less than a minute"
        return f"{self.steps:,} steps, at least {length}; a step holds about {self.step_bytes / 1e9:,.2f} GB"


def forecast(setup: SearchSetup, device: torch.device) -> Forecast:
    """Raises Refused where a step does not fit into memory, NotLoaded."""
    rate = _macs_per_second(device)
    seconds, largest = 0.0, 0
    for stage in setup.stages:
        if isinstance(stage, Pretraining):
            seconds += stage.length.steps * _macs_of_training(setup, stage) / rate
        for phase in stage.phases:
            found, macs = _step(setup, stage, phase)
            seconds += stage.length.steps * macs / rate
            largest = max(largest, found.step_bytes)
    made = Forecast(largest, _available(device), seconds, sum(each.length.steps for each in setup.stages))
    if setup.memory_bytes is None and made.available_bytes is not None and largest > made.available_bytes:
        raise Refused(
            f"a step holds about {largest / 1e9:,.2f} GB, and {made.available_bytes / 1e9:,.2f} GB are free: take "
            "smaller crops (`--crop`), a smaller `--batch`, or let cells compute their maps again (`--memory 4GB`)"
        )
    return made


def _macs_of_training(setup: SearchSetup, stage: Pretraining) -> int:
    """Of a step: forward, and as many for the gradient of each map read and for that of the weights."""
    return 3 * stage.recipe.weights.batch * figures(training_of(setup, stage, stage.example).graph).macs


def _step(setup: SearchSetup, stage: Stage | Pretraining, phase: Phase) -> tuple[Estimate, int]:
    """What a phase's step holds, and its multiply-adds."""
    questions = questions_in(phase, stage.program, setup.loaded.meaning.answers)
    moments = 2 if isinstance(phase.weights.optimizer, Adam) else 1
    try:
        relaxer = Relaxer.of(stage.program, None)
        plan = keeping if setup.keep_maps else planned
        found = estimate(relaxer, questions.answers, batch=phase.weights.batch, moments=moments, plan=plan)
    except NotRelaxable as error:
        raise NotLoaded([error.diagnostic(stage.program)]) from None
    return found, _macs(found, phase, questions)


def _macs(found: Estimate, phase: Phase, questions: PhaseQuestions) -> int:
    passes = len(questions.passes(Random(0)))
    match phase.levels:
        case TwoLevels(order) if questions.learned:
            again = 3 if order is Order.SECOND else 0
            return passes * (found.weights.macs * (1 + (again > 0)) + found.answers.macs * (1 + again))
        case _:
            return passes * found.weights.macs


def _macs_per_second(device: torch.device) -> float:
    """Of a 3x3 convolution with 64 channels, the median of a few runs."""
    x_BCHW = torch.randn(1, _CHANNELS, _SIDE, _SIDE, device=device)
    kernel = torch.randn(_CHANNELS, _CHANNELS, 3, 3, device=device)
    macs = 9 * _CHANNELS**2 * _SIDE**2
    taken: list[float] = []
    with torch.no_grad():
        for _ in range(_TRIES):
            start = time.perf_counter()
            functional.conv2d(x_BCHW, kernel, padding=1)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            taken.append(time.perf_counter() - start)
    return macs / max(median(taken), 1e-9)


def _available(device: torch.device) -> int | None:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return None
