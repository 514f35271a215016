"""The training loop: steps, evaluation, checkpoints, resumption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl import weights as files
from archdsl.nets import Network, load_weights, weights_of
from archdsl.settings.losses import ClassWeights
from archdsl.settings.schedules import Moment
from archdsl.space import Result
from archdsl.train import checkpoints, journal
from archdsl.train.batches import TrainBatches
from archdsl.train.classifier import CLASSES, Classifier, Learner
from archdsl.train.distributed import rank, synchronise_batch_norms, world_size
from archdsl.train.errors import Refused, check_losses
from archdsl.train.evaluate import SCORED_TOGETHER, Scores, batched, own_indices, score, score_images
from archdsl.train.interrupts import StopRequest, stop_on_signals
from archdsl.train.losses import Batch, Objective, backward, median_frequency_weights
from archdsl.train.optimizers import Ema, optimizer_of, set_learning_rate
from archdsl.train.run import BEST, LAST, RECORD, Length, Record, Setup, length_of
from archdsl.train.state import State, Stream, seed_of, trained
from archdsl.train.typed_torch import channels_last, manual_seed, sum_over
from archdsl.weights import random_weights
from archdsl.weights.specification import node_weights


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after a step, for a progress display."""

    step: int
    steps: int
    epoch: int
    loss: float
    scores: Scores | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """A step that was taken."""

    epoch: int
    """From 0."""
    rate: float
    """The learning rate."""
    losses: dict[str, float]
    """The loss and its terms, over all processes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    step: int
    finished: bool
    best: float | None
    """The best mIoU (accuracy of a classifier) on `score_on`, 0 to 1; None where nothing was evaluated."""
    scores: Scores | None
    """The scores of the last evaluation."""
    signal: int = 0
    """The signal that stopped the run; 0 where none did."""


def train(
    setup: Setup,
    fabric: Fabric,
    *,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Trains a network and leaves `best.safetensors`, `last.safetensors` and a journal in the run's folder.

    A resumed training ends in the same weights, bit for bit on a CPU, as one that was never interrupted.
    Raises Refused, Diverged, BrokenCheckpoint, OSError.
    """
    record = Record.of(setup, world_size())
    _check_folder(setup, record, resume=resume)
    training = _Training(setup, fabric)
    if resume:
        training.go_on()
    elif rank() == 0:
        setup.out.mkdir(parents=True, exist_ok=True)
        record.write(setup.out)
    fabric.barrier()
    with stop_on_signals() as request:
        return training.run(request, watch)


def _check_folder(setup: Setup, record: Record, *, resume: bool) -> None:
    """A new run needs a folder without a run; a resumed one needs the record of the same run."""
    if resume:
        record.check_same(Record.read(setup.out), setup.out)
    elif (setup.out / RECORD).exists():
        raise Refused(f"`{setup.out}` holds a run already: resume it with `--resume`, or give another `--out`")


@dataclass
class _Training:
    """A training that can take steps: its batches, its objective and its state."""

    setup: Setup
    fabric: Fabric
    scores: Scores | None = None
    saved_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        setup, fabric = self.setup, self.fabric
        self.length: Length = length_of(setup.recipe, len(setup.data.splits[setup.train_on]))
        self.batches = TrainBatches(setup, fabric.device)
        self.network = self._built()
        learner = self._learner().to(fabric.device)
        self.objective = Objective(setup.recipe, self._main_output(), self._class_weights())
        average = None if setup.recipe.ema is None else Ema(learner, setup.recipe.ema)
        optimizer = optimizer_of(setup.recipe.weights.optimizer, trained(learner).values())
        self.state = State(learner, optimizer, average)
        self.module, self.optimizer = cast("tuple[nn.Module, Any]", fabric.setup(learner, optimizer))
        self.teacher = None if setup.teacher is None else setup.teacher.to(fabric.device).eval()

    def _learner(self) -> Learner:
        if self.setup.features is None:
            return Learner(self.network)
        kept = self._kept()
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name in kept)
        manual_seed(seed_of(self.setup.seed, Stream.HEAD, 0))
        return Classifier(self.network, self.setup.features, self.setup.data.classes.count)

    def _built(self) -> Network:
        network = Network(self.setup.graph, auxiliary=True)
        load_weights(network, random_weights(self.setup.graph, self.setup.seed))
        own = network.state_dict()
        with torch.no_grad():
            for name, tensor in self.setup.initial.items():
                own[name].copy_(tensor)
        if world_size() > 1:
            synchronise_batch_norms(network, cuda=self.fabric.device.type == "cuda")
        return channels_last(network, self.fabric.device)

    def _main_output(self) -> str:
        if self.setup.features is not None:
            return CLASSES
        payloads = (self.setup.graph.node(path).payload for path in self.setup.graph.results)
        return next(each.name for each in payloads if isinstance(each, Result) and not each.auxiliary)

    def _class_weights(self) -> Tensor | None:
        if self.setup.recipe.loss.class_weights is ClassWeights.NONE:
            return None
        weights = median_frequency_weights(self.batches.labels(), self.setup.data.classes.count)
        return weights.to(self.fabric.device)

    # Checkpoints --------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Restores the newest checkpoint; without one, training starts at step 0."""
        place = checkpoints.newest(self.setup.out / "checkpoints")
        if place is not None:
            self.state.restore(checkpoints.load(place))
        if rank() == 0:
            journal.cut(self.setup.out, self.state.step)

    def save(self) -> None:
        self.state.check_weights()
        if rank() == 0:
            epoch = self.state.step // self.length.steps_per_epoch
            found = self.state.checkpoint(seed=self.setup.seed, epoch=epoch)
            checkpoints.save(self.setup.out / "checkpoints", found)
        self.saved_at = time.monotonic()
        self.fabric.barrier()

    def _is_time_to_save(self) -> bool:
        every = self.setup.save_every_steps
        if every is not None:
            return self.state.step % every == 0
        if world_size() > 1:
            return False  # clocks of several processes do not agree; after every epoch it is saved anyway
        return time.monotonic() - self.saved_at > self.setup.save_every_s

    # Running ------------------------------------------------------------------------------------

    def run(self, request: StopRequest, watch: Callable[[Progress], None]) -> Outcome:
        state = self.state
        log = journal.Journal(self.setup.out) if rank() == 0 else None
        try:
            batches = self.batches.from_step(state.step)
            while state.step < self.length.steps:
                if self._ends(request):
                    self.save()
                    return Outcome(
                        state.step, finished=False, best=state.best, scores=self.scores, signal=request.signal
                    )
                self._after_step(self._step(next(batches)), log, watch)
            self._finish()
            return Outcome(state.step, finished=True, best=state.best, scores=self.scores)
        finally:
            if log is not None:
                log.close()

    def _step(self, parts: Sequence[Batch]) -> _Step:
        """Takes one step of the optimizer on the micro-batches of a batch. Raises Diverged."""
        state, weights = self.state, self.setup.recipe.weights
        moment = Moment(state.step / self.length.steps, state.step // self.length.steps_per_epoch, state.step)
        rate = set_learning_rate(state.optimizer, weights.optimizer, moment)
        manual_seed(seed_of(self.setup.seed, Stream.NETWORK, state.step, rank()))
        self.module.train()
        losses = backward(self.fabric, self.module, self.optimizer, self.objective, parts, self.teacher)
        check_losses(state.step + 1, losses)
        self.optimizer.step()
        if state.average is not None:
            state.average.update()
        state.step += 1
        return _Step(moment.epoch, rate, losses)

    def _after_step(self, taken: _Step, log: journal.Journal | None, watch: Callable[[Progress], None]) -> None:
        """Logs a step; evaluates at the end of an epoch; saves there and when it is time."""
        step, steps = self.state.step, self.length.steps
        if log is not None:
            log.write("step", step, epoch=taken.epoch, lr=taken.rate, **taken.losses)
        ended, scores = step % self.length.steps_per_epoch == 0 or step == steps, None
        if ended:
            scores = self._score(taken.epoch + 1, log)
        watch(Progress(step, steps, taken.epoch, taken.losses["loss"], scores))
        if ended or self._is_time_to_save():
            self.save()

    def _ends(self, request: StopRequest) -> bool:
        """Whether any process was signalled; all of them stop at the same step."""
        if world_size() == 1:
            return bool(request)
        signalled = torch.tensor([request.signal], device=self.fabric.device)
        return bool(sum_over(self.fabric, signalled))

    # Evaluation and weights ---------------------------------------------------------------------

    def _score(self, epoch: int, log: journal.Journal | None) -> Scores | None:
        """Evaluates every `score_every` epochs and at the end, and saves the best weights so far."""
        state = self.state
        last = state.step == self.length.steps
        split = self.setup.data.splits.get(self.setup.score_on)
        if split is None or not (last or epoch % self.setup.score_every == 0):
            return None
        state.check_weights()
        state.learner.eval()
        with state.averaged():
            examples = batched(map(split.read, own_indices(len(split))), SCORED_TOGETHER)
            self.scores = self._scored(examples)
            if state.best is None or self._merit(self.scores) > state.best:
                state.best = self._merit(self.scores)
                self._write(BEST)
        if log is not None:
            log.write("score", state.step, epoch=epoch, miou=self.scores.miou, accuracy=self.scores.accuracy)
        return self.scores

    def _scored(self, examples: Iterable[tuple[Tensor, Tensor]]) -> Scores:
        setup, device = self.setup, self.fabric.device
        if setup.features is not None:
            return score_images(lambda images: self.state.learner(images)[CLASSES], setup.data, examples, device=device)
        return score(self.network, setup.data, examples, setup.padding_multiple, device=device)

    def _merit(self, scores: Scores) -> float:
        """The criterion for the best weights: mIoU; of a classifier, accuracy."""
        return scores.miou if self.setup.features is None else scores.accuracy

    def _finish(self) -> None:
        with self.state.averaged():
            self._write(LAST)
            if self.state.best is None:
                self._write(BEST)
        self.fabric.barrier()

    def _write(self, name: str) -> None:
        """Saves the weights with class names and normalisation as metadata."""
        if rank() != 0:
            return
        data = self.setup.data
        metadata = {
            "class_names": json.dumps(list(data.classes.names), ensure_ascii=False),
            "mean": json.dumps(list(data.mean)),
            "std": json.dumps(list(data.std)),
            "step": str(self.state.step),
        }
        files.save(self.setup.out / name, self._kept(), metadata)

    def _kept(self) -> dict[str, Any]:
        """The trained tensors; of a classifier, those of the feature map and its ancestors."""
        tensors = weights_of(self.network)
        if self.setup.features is None:
            return tensors
        graph = self.setup.graph
        wanted = {name for path in self.setup.features.needed for name in node_weights(graph, path)}
        return {name: each for name, each in tensors.items() if name in wanted}
