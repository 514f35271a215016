"""The work of a search: its stages one after the other, what each leaves, and what the next one takes over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Final

from lightning_fabric import Fabric
from pydantic import ConfigDict, Field

from archdsl.documents import Schema, Unfit, parse
from archdsl.pipeline.logits import Logits as Numbers
from archdsl.pipeline.logits import read_logits_file
from archdsl.relax.phases import questions_in
from archdsl.runs.journal import read_events
from archdsl.search.derive.genotype import Found
from archdsl.search.derive.plan import Plan, phase_of
from archdsl.search.derive.strongest import Derived
from archdsl.search.run.files import (
    GENOTYPE,
    GENOTYPES,
    LogitsOfStep,
    genotype_of,
    is_genotype,
    logits_file,
    save_genotype,
    save_logits,
    save_weights,
)
from archdsl.search.run.networks import Network, chances_of, derived, scored, within
from archdsl.search.run.player import Player
from archdsl.search.run.pretraining import PretrainingWork
from archdsl.search.run.setup import Pretraining, SearchSetup, Stage
from archdsl.search.run.stage import StageWork
from archdsl.search.run.supernets import inherit, write_supernet
from archdsl.settings.searches import Phase
from archdsl.space.trace import Answers
from archdsl.train import checkpoints
from archdsl.train.batch_norms import check_statistics
from archdsl.train.batches import held
from archdsl.train.checkpoints import BrokenCheckpoint, Checkpoint
from archdsl.train.distributed import rank, world_size
from archdsl.train.evaluate import Scores
from archdsl.train.loop import CHECKPOINTS, Event, Outcome, Progress, Saving, Taken, Work, run
from archdsl.train.run import BEST, Length, Record


def search(
    setup: SearchSetup,
    fabric: Fabric,
    *,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Outcome:
    """Searches, and leaves genotypes, logits, a supernet's weights and a journal in the run's folder.

    A resumed search ends in the same logits and weights, bit for bit on a CPU, as one that was never interrupted.
    Raises Refused, Diverged, BrokenCheckpoint, DiskFull, NotLoaded, NotDerived, MissingRows, NotEnoughMemory,
    OSError.
    """
    if resume:
        setup = _with_past_lengths(setup)
    return run(
        lambda: SearchWork(setup, fabric),
        setup.record(world_size()),
        setup.out,
        fabric,
        saving=Saving(setup.save_every_s, setup.save_every_steps),
        resume=resume,
        watch=watch,
        tell=tell,
    )


def _with_past_lengths(setup: SearchSetup) -> SearchSetup:
    """Phases that are over are as long as they were, however long they were to be now."""
    place = checkpoints.newest(setup.out / CHECKPOINTS)
    stages = Record.read(setup.out).values.get("stages", [])
    if place is None or len(stages) != len(setup.stages):
        return setup
    over = len(checkpoints.load(place).state.get("ended", ()))
    past = [
        replace(stage, length=Length(then["steps"], then["steps_per_epoch"]))
        for stage, then in zip(setup.stages[:over], stages[:over], strict=True)
    ]
    return replace(setup, stages=(*past, *setup.stages[over:]))


NONE_SCORED: Final[Mapping[str, Scores]] = {}


class SearchWork(Work):
    """A search that can take steps."""

    def __init__(self, setup: SearchSetup, fabric: Fabric) -> None:
        self.setup = setup
        self.fabric = fabric
        self._check_statistics()
        self._step = 0
        self._best: float | None = None
        self.scores: Scores | None = None
        self._source = held(setup.data.splits[setup.train_on])
        self.found: Answers = dict(setup.loaded.meaning.answers)
        """Of the genotype that was given, and of phases that are over."""
        self.learned: Numbers = {}
        """The logits of phases that are over, and what their guides made of them."""
        self.guided: Numbers = {}
        self.ended: list[int] = []
        """Of earlier stages, the steps whose logits they left."""
        self.stage = self._work(0)

    def _work(self, number: int) -> StageWork | PretrainingWork:
        """A stage that follows on what was found."""
        stage = self.setup.stages[number]
        if isinstance(stage, Pretraining):
            return PretrainingWork(self.setup, self.fabric, number, stage, self.found)
        return StageWork(self.setup, self.fabric, number, stage, self.found, self._source)

    def _check_statistics(self) -> None:
        """Networks are scored with the statistics of the scored images."""
        split = self.setup.data.splits.get(self.setup.score_on)
        if split is None:
            return
        fewest = len(split) // world_size() or 1
        for stage in self.setup.stages:
            if isinstance(stage, Stage):
                check_statistics(stage.program.nodes, fewest, self.setup.score_on, "--score-on")

    # Steps --------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        return self._step

    @property
    def best(self) -> float | None:
        return self._best

    @property
    def finished(self) -> bool:
        return self.stage.number == len(self.setup.stages) - 1 and self.stage.finished

    def advance(self) -> Taken:
        """One step of every phase of the stage; logits are saved and networks are scored at the end of an epoch."""
        stage = self.stage
        moment = stage.length.moment(stage.step)
        events = list(stage.take())
        self._step += 1
        ended, scores = stage.step % stage.length.steps_per_epoch == 0 or stage.finished, None
        if ended:
            stage.check_weights()
            if isinstance(stage, PretrainingWork):
                scores = stage.scores
            else:
                for player in stage.players:
                    events += self._end_epoch(stage, player, moment.epoch)
                scores = self.scores
        if stage.finished:
            events += self._end_stage(stage)
        steps = sum(each.length.steps for each in self.setup.stages)
        loss = next(float(values["loss"]) for event, values in events if event == "step")
        phase = stage.stage.main.name if len(self.setup.stages) > 1 else ""
        return Taken(Progress(self.step, steps, moment.epoch, loss, scores, phase), events, ended)

    def _end_epoch(self, stage: StageWork, player: Player, epoch: int) -> Iterator[Event]:
        """Saves logits, says how they stand, and scores the networks that would be derived now; `epoch` is from 0."""
        if not player.searches:
            return
        setup, phase = self.setup, player.phase
        logits, guided = self._logits(player)
        networks = derived(chances_of(setup, phase, logits, guided), stage.supernet)
        due = stage.finished or (epoch + 1) % setup.score_every == 0
        scores = self._scores(stage, networks) if due and setup.score_on in setup.data.splits else NONE_SCORED
        accuracy = {ends: each.merit for ends, each in scores.items()}
        if rank() == 0:
            known = {ends: number for ends, number in accuracy.items() if ends}
            save_logits(setup, phase, self.step, LogitsOfStep(logits, guided, known))
        self.fabric.barrier()
        if networks:
            best = max(networks, key=lambda each: accuracy.get(each.ends, 0.0))
            player.adaptive = player.objective.priced.adapted(player.adaptive, within(stage.supernet, best.answers))
        figures = stage.figures(player, epoch)
        yield "answers", {"phase": phase.name, "epoch": epoch + 1, **figures}
        player.watch.after(epoch + 1, figures)
        if scores:
            self._best, self.scores = max(accuracy.values()), max(scores.values(), key=lambda each: each.merit)
            found = self.scores.named
            ends = {"ends": accuracy} if "" not in accuracy else {}
            yield "score", {"phase": phase.name, "epoch": epoch + 1, **found, **ends}

    def _scores(self, stage: StageWork, networks: Sequence[Network]) -> Mapping[str, Scores]:
        """By where branches end."""
        return {each.ends: self._scored(stage, each) for each in networks}

    def _scored(self, stage: StageWork, network: Network) -> Scores:
        decisions = stage.supernet.one_hot(within(stage.supernet, network.answers))
        return scored(self.setup, stage.supernet, decisions, self.fabric.device)

    def _logits(self, player: Player) -> tuple[Numbers, Numbers]:
        guided = {path: each for path, each in player.numbers(guided=True).items() if path in player.guided_questions}
        return {**self.learned, **player.numbers()}, {**self.guided, **guided}

    def _end_stage(self, stage: StageWork | PretrainingWork) -> Iterator[Event]:
        """Derives a genotype from each phase; the next stage goes on from that of the main one."""
        setup = self.setup
        last = phase_of(setup.search, None)
        step = self.step
        if stage.stop is not None:
            until = min(stage.step, stage.stop.epoch * stage.length.steps_per_epoch)  # the last epoch may be shorter
            step = self.step - stage.step + until
            yield "stopped", {"phase": stage.stage.main.name, "epoch": stage.stop.epoch, "why": stage.stop.why}
        for player in stage.players:
            if not player.searches:
                continue
            phase = player.phase
            found = genotype_of(setup, phase, step)
            place = f"{GENOTYPES}/{phase.name}.arch"
            if rank() == 0:
                save_genotype(setup, found, phase.name, place)
                if phase.name == last.name:
                    save_genotype(setup, found, f"{setup.loaded.program.name}_found", GENOTYPE)
                    self._save_weights(stage, found.derived)
            yield "derived", {"phase": phase.name, "of_step": step, "genotype": place, **_prices(found)}
        if stage.number + 1 < len(setup.stages):
            self._take_over(stage.stage.main, step)
            self.stage = self._work(stage.number + 1)
            inherit(self.stage.supernet, stage.supernet.state_dict())

    def _save_weights(self, stage: StageWork | PretrainingWork, derived: Derived) -> None:
        """Those of the network that was found, to begin its training with; a phase can leave questions open."""
        if not derived.left_open and stage.stage.main.network is None:
            save_weights(self.setup, stage.supernet.weights_for(derived.answers), self.step, BEST)

    def _take_over(self, phase: Phase, step: int) -> None:
        """What a phase that ended after a step leaves to the next stage."""
        self.ended.append(step)
        file = logits_file(self.setup.out, phase.name, step)
        if not self._searches(phase):
            return
        if not file.exists():
            raise BrokenCheckpoint(f"`{file}` is gone, which the phase `{phase.name}` left: put the file back")
        plan = Plan.of(
            self.setup.loaded.program, self.setup.search, self.setup.loaded.meaning.answers, phase=phase.name
        )
        sizes = {path: len(each.candidates) for path, each in plan.learned.items()}
        left = read_logits_file(file, self.setup.loaded.program, sizes)
        self.learned, self.guided = left.logits, left.guided
        self.found = {**self.found, **genotype_of(self.setup, phase, step).derived.answers}

    def _searches(self, phase: Phase) -> bool:
        """Whether a phase, the main one of its stage, has logits that it steps, and leaves them."""
        program = next(each.program for each in self.setup.stages if each.main.name == phase.name)
        return phase.arch is not None and bool(questions_in(phase, program, self.found).learned)

    # State --------------------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        stage = self.stage
        stage.check_weights()
        state = {
            "seed": self.setup.seed,
            "best": self.best,
            "ended": self.ended,
            "stage_step": stage.step,
            "adaptive": {each.phase.name: dict(each.adaptive) for each in stage.players},
            "watch": {each.phase.name: each.watch.state for each in stage.players},
            "pretrained": stage.best if isinstance(stage, PretrainingWork) else None,
        }
        return Checkpoint(self.step, dict(stage.tensors()), state)

    def restore(self, found: Checkpoint) -> None:
        """What earlier stages found is derived again, from the logits that they left."""
        setup, state = self.setup, _state_of(found)
        if len(state.ended) >= len(setup.stages):
            raise _another(found, f"{len(state.ended)} stages have ended")
        for number, step in enumerate(state.ended):
            self._take_over(setup.stages[number].main, step)
        if self.ended:
            self.stage = self._work(len(self.ended))
        if state.stage_step > self.stage.length.steps:
            raise _another(found, f"its stage has taken {state.stage_step} steps")
        self.stage.restore(found, state.stage_step)
        for player in self.stage.players:
            name = player.phase.name
            if name not in state.adaptive or name not in state.watch:
                raise _another(found, f"it says nothing of the phase `{name}`")
            player.adaptive = dict(state.adaptive[name])
            seen = state.watch[name]
            player.watch.restore({"eigenvalues": list(seen.eigenvalues), "stopped": seen.stopped})
        self._step, self._best = found.step, state.best

    def finish(self) -> None:
        if rank() == 0:
            write_supernet(self.stage.supernet, self.setup.out)
            self._write_genotype_again()

    def _write_genotype_again(self) -> None:
        """Where the last phase derived one that cannot be read any more: it was cut, or removed."""
        setup, last = self.setup, phase_of(self.setup.search, None)
        steps = [
            each["of_step"]
            for each in read_events(setup.out)
            if each["event"] == "derived" and each["phase"] == last.name
        ]
        if steps and not is_genotype(setup.out / GENOTYPE):
            found = genotype_of(setup, last, steps[-1])
            save_genotype(setup, found, f"{setup.loaded.program.name}_found", GENOTYPE)


def _prices(found: Found) -> Mapping[str, float]:
    """For a journal: what the derived network costs."""
    prices: dict[str, float] = {}
    if found.figures is not None:
        prices |= {"params": found.figures.params, "macs": found.figures.macs}
    if found.seconds is not None:
        prices["latency_ms"] = 1e3 * found.seconds
    return prices


class _Watch(Schema):
    """As `archdsl.search.robustness.collapse.WatchState`."""

    eigenvalues: tuple[tuple[int, float], ...]
    stopped: tuple[int, str] | None


class _State(Schema):
    """Of a search, in its checkpoints."""

    model_config = ConfigDict(extra="allow")

    best: float | None
    ended: tuple[Annotated[int, Field(ge=0)], ...]
    stage_step: int = Field(ge=0)
    adaptive: dict[str, dict[str, float]]
    watch: dict[str, _Watch]
    pretrained: float | None = None
    """The best score of a phase that pretrains."""


def _state_of(found: Checkpoint) -> _State:
    """Raises BrokenCheckpoint."""
    try:
        return parse(_State, json.dumps(found.state).encode())
    except Unfit as error:
        raise _another(found, str(error)) from None


def _another(found: Checkpoint, what: str) -> BrokenCheckpoint:
    return BrokenCheckpoint(f"the state of the checkpoint of step {found.step} is none of this search: {what}")
