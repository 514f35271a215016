"""The training loop: steps, evaluation, checkpoints, resumption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl import weights as files
from archdsl.data import Batches, Held, Split, hold
from archdsl.data.augment import augment, normalise
from archdsl.nets import Network, load_weights, weights_of
from archdsl.settings.losses import ClassWeights
from archdsl.settings.schedules import Moment
from archdsl.space import Result
from archdsl.train import checkpoints, journal
from archdsl.train.checkpoints import Checkpoint
from archdsl.train.classifier import CLASSES, Classifier, Learner
from archdsl.train.distributed import rank, synchronise_batch_norms, world_size
from archdsl.train.errors import Refused, check_losses, check_weights
from archdsl.train.evaluate import SCORED_TOGETHER, Scores, batched, own_indices, score, score_images
from archdsl.train.interrupts import StopRequest, stop_on_signals
from archdsl.train.losses import Batch, Objective, backward, median_frequency_weights
from archdsl.train.optimizers import Ema, optimizer_of, set_learning_rate
from archdsl.train.randomness import Stream, generator_of, seed_of
from archdsl.train.run import BEST, LAST, RECORD, Length, Record, Setup, length_of
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
    setup: Setup
    fabric: Fabric
    step: int = 0
    best: float | None = None
    scores: Scores | None = None
    saved_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        setup, fabric = self.setup, self.fabric
        split = setup.data.splits[setup.train_on]
        self.length: Length = length_of(setup.recipe, len(split))
        self.source: Split | Held = hold(split) if _fits(split) else split
        share, rest = divmod(setup.recipe.weights.batch, world_size() * setup.accumulate)
        if rest or not share:
            raise Refused(
                f"a batch of {setup.recipe.weights.batch} cannot be shared by {world_size()} processes in "
                f"{setup.accumulate} parts: give a batch that divides"
            )
        mine_of_batch = setup.recipe.weights.batch // world_size()
        self.batches = Batches(self.source, batch=mine_of_batch, seed=setup.seed, rank=rank(), world=world_size())
        self.network = self._built()
        self.learner = self._learner().to(fabric.device)
        self.objective = Objective(setup.recipe, self._main_output(), self._class_weights())
        trained = [(name, each) for name, each in self.learner.named_parameters() if each.requires_grad]
        self.names = [name for name, _ in trained]
        self.average = None if setup.recipe.ema is None else Ema(self.learner, setup.recipe.ema)
        optimizer = optimizer_of(setup.recipe.weights.optimizer, [each for _, each in trained])
        wrapped, stepped = cast("tuple[nn.Module, Any]", fabric.setup(self.learner, optimizer))
        self.module, self.optimizer, self.plain_optimizer = wrapped, stepped, optimizer
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
        source = self.source
        labels = source.labels_NHW if isinstance(source, Held) else (_label(source, i) for i in range(len(source)))
        return median_frequency_weights(labels, self.setup.data.classes.count).to(self.fabric.device)

    # Going on -----------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Restores the newest checkpoint; without one, training starts at step 0."""
        place = checkpoints.newest(self.setup.out / "checkpoints")
        if place is not None:
            found = checkpoints.load(place)
            self.learner.load_state_dict(found.part("learner"))
            checkpoints.restore_optimizer(self.plain_optimizer, self.names, found.part("optimizer"))
            if self.average is not None:
                self.average.restore(found.part("average"))
            self.step, self.best = found.step, found.state.get("best")
        if rank() == 0:
            journal.cut(self.setup.out, self.step)

    def save(self) -> None:
        self._check_weights()
        if rank() == 0:
            tensors = {f"learner.{name}": each for name, each in self.learner.state_dict().items()}
            kept = checkpoints.optimizer_tensors(self.plain_optimizer, self.names)
            tensors |= {f"optimizer.{name}": each for name, each in kept.items()}
            if self.average is not None:
                tensors |= {f"average.{name}": each for name, each in self.average.tensors.items()}
            state = {"best": self.best, "seed": self.setup.seed, "epoch": self.step // self.length.steps_per_epoch}
            checkpoints.save(self.setup.out / "checkpoints", Checkpoint(self.step, tensors, state))
        self.saved_at = time.monotonic()
        self.fabric.barrier()

    def _check_weights(self) -> None:
        """Raises Diverged for NaN or infinite values, which are never saved."""
        check_weights(
            self.step, {name: bool(each.isfinite().all()) for name, each in self.learner.state_dict().items()}
        )

    # Running ------------------------------------------------------------------------------------

    def run(self, request: StopRequest, watch: Callable[[Progress], None]) -> Outcome:
        log = journal.Journal(self.setup.out) if rank() == 0 else None
        try:
            stream = self._stream()
            while self.step < self.length.steps:
                if self._ends(request):
                    self.save()
                    return Outcome(self.step, finished=False, best=self.best, scores=self.scores, signal=request.signal)
                self._advance(next(stream), log, watch)
            self._finish()
            return Outcome(self.step, finished=True, best=self.best, scores=self.scores)
        finally:
            if log is not None:
                log.close()

    def _advance(self, batch: Batch, log: journal.Journal | None, watch: Callable[[Progress], None]) -> None:
        moment = Moment(self.step / self.length.steps, self.step // self.length.steps_per_epoch, self.step)
        rate = set_learning_rate(self.plain_optimizer, self.setup.recipe.weights.optimizer, moment)
        manual_seed(seed_of(self.setup.seed, Stream.NETWORK, self.step, rank()))
        self.module.train()
        values = backward(self.fabric, self.module, self.optimizer, self.objective, self._parts(batch), self.teacher)
        check_losses(self.step + 1, values)
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        self.step += 1
        if log is not None:
            log.write("step", self.step, epoch=moment.epoch, lr=rate, **values)
        ended, scores = self.step % self.length.steps_per_epoch == 0 or self.step == self.length.steps, None
        if ended:
            scores = self._score(moment.epoch + 1, log)
        watch(Progress(self.step, self.length.steps, moment.epoch, values["loss"], scores))
        if ended or self._is_time_to_save():
            self.save()

    def _score(self, epoch: int, log: journal.Journal | None) -> Scores | None:
        """Evaluates every `score_every` epochs and at the end, and saves the best weights so far."""
        last = self.step == self.length.steps
        split = self.setup.data.splits.get(self.setup.score_on)
        if split is None or not (last or epoch % self.setup.score_every == 0):
            return None
        self._check_weights()
        self.learner.eval()
        with self._used():
            examples = batched(map(split.read, own_indices(len(split))), SCORED_TOGETHER)
            self.scores = self._scored(examples)
            if self.best is None or self._merit(self.scores) > self.best:
                self.best = self._merit(self.scores)
                self._write(BEST)
        if log is not None:
            log.write("score", self.step, epoch=epoch, miou=self.scores.miou, accuracy=self.scores.accuracy)
        return self.scores

    def _scored(self, examples: Iterable[tuple[Tensor, Tensor]]) -> Scores:
        setup, device = self.setup, self.fabric.device
        if setup.features is not None:
            return score_images(lambda images: self.learner(images)[CLASSES], setup.data, examples, device=device)
        return score(self.network, setup.data, examples, setup.padding_multiple, device=device)

    def _merit(self, scores: Scores) -> float:
        """The criterion for the best weights: mIoU; of a classifier, accuracy."""
        return scores.miou if self.setup.features is None else scores.accuracy

    def _finish(self) -> None:
        with self._used():
            self._write(LAST)
            if self.best is None:
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
            "step": str(self.step),
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

    def _used(self) -> AbstractContextManager[None]:
        """The network has its EMA weights, if there are any, while the body runs."""
        return nullcontext() if self.average is None else self.average.used()

    # Batches ------------------------------------------------------------------------------------

    def _stream(self) -> Iterator[Batch]:
        step = self.step
        while True:
            passes, start = divmod(step, len(self.batches))
            for images, labels, _ in self.batches.epoch(passes, start=start):
                yield self._ready(images, labels, step)
                step += 1

    def _ready(self, images_u8: Tensor, labels_u8: Tensor, step: int) -> Batch:
        """Augments on the device and normalises; the result does not depend on which process has the image."""
        pairs = [
            self._augmented(images_u8[i : i + 1], labels_u8[i : i + 1], step, rank() + i * world_size())
            for i in range(len(images_u8))
        ]
        images = torch.cat([image for image, _ in pairs])
        labels = torch.cat([label for _, label in pairs])
        ready = normalise(images, self.setup.data.mean, self.setup.data.std).contiguous(
            memory_format=torch.channels_last
        )
        return ready, labels if labels.ndim == 3 else labels[:, None, None]

    def _augmented(self, image_u8: Tensor, label_u8: Tensor, step: int, place: int) -> tuple[Tensor, Tensor]:
        """Augments one image; `place` is its index in the batch of all processes."""
        setup, device = self.setup, self.fabric.device
        return augment(
            image_u8.to(device),
            label_u8.to(device),
            setup.recipe.augment,
            size=setup.size,
            generator=generator_of(setup.seed, Stream.AUGMENT, step, place),
            mean=setup.data.mean,
        )

    def _parts(self, batch: Batch) -> list[Batch]:
        images, labels = batch
        count = self.setup.accumulate
        return list(zip(images.chunk(count), labels.chunk(count), strict=True))

    def _ends(self, request: StopRequest) -> bool:
        """Whether any process was signalled; all of them stop at the same step."""
        if world_size() == 1:
            return bool(request)
        signalled = torch.tensor([request.signal], device=self.fabric.device)
        return bool(sum_over(self.fabric, signalled))

    def _is_time_to_save(self) -> bool:
        every = self.setup.save_every_steps
        if every is not None:
            return self.step % every == 0
        if world_size() > 1:
            return False  # clocks of several processes do not agree; after every epoch it is saved anyway
        return time.monotonic() - self.saved_at > self.setup.save_every_s


HELD_BYTES = 4 << 30
"""Bytes: a larger split is prefetched from its files instead of held in memory."""


def _fits(split: Split) -> bool:
    """Whether a split fits in memory, estimated from its first image."""
    return len(split) * split.read(0).image.nbytes <= HELD_BYTES


def _label(split: Split, i: int) -> Tensor:
    return torch.as_tensor(split.read(i).label)
