"""The training of a network: a step of its weights, evaluation, the weights that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl import weights as files
from archdsl.nets import Network, load_weights, weights_of
from archdsl.settings.losses import ClassWeights
from archdsl.train.batches import TrainBatches
from archdsl.train.checkpoints import BrokenCheckpoint, Checkpoint
from archdsl.train.classifier import CLASSES, Classifier, Learner
from archdsl.train.distributed import rank, synchronise_batch_norms, world_size
from archdsl.train.errors import check_losses
from archdsl.train.evaluate import SCORED_TOGETHER, Scores, batched, own_indices, score
from archdsl.train.loop import Event, Outcome, Progress, Saving, Taken, Work, run
from archdsl.train.losses import Batch, Objective, backward, median_frequency_weights
from archdsl.train.optimizers import Ema, optimizer_of, set_learning_rate
from archdsl.train.outputs import ImageLogits, main_output, outputs_of, trained_parameters
from archdsl.train.run import BEST, LAST, Length, Record, Setup, length_of, weights_metadata
from archdsl.train.state import State, Stream, seed_of, trained
from archdsl.train.typed_torch import channels_last, manual_seed
from archdsl.weights import random_weights
from archdsl.weights.specification import node_weights


def train(
    setup: Setup,
    fabric: Fabric,
    *,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Outcome:
    """Trains a network and leaves `best.safetensors`, `last.safetensors` and a journal in the run's folder.

    A resumed training ends in the same weights, bit for bit on a CPU, as one that was never interrupted.
    Raises Refused, Diverged, BrokenCheckpoint, DiskFull, OSError.
    """
    return run(
        lambda: NetworkTraining(setup, fabric),
        Record.of(setup, world_size()),
        setup.out,
        fabric,
        saving=Saving(setup.save_every_s, setup.save_every_steps),
        resume=resume,
        watch=watch,
        tell=tell,
    )


class NetworkTraining(Work):
    """A training that can take steps: its batches, its objective and its state."""

    def __init__(self, setup: Setup, fabric: Fabric) -> None:
        self.setup = setup
        self.fabric = fabric
        self.scores: Scores | None = None
        self.length: Length = length_of(setup.recipe, len(setup.data.splits[setup.train_on]))
        self.batches = TrainBatches(setup.feed, fabric.device)
        self._stream: Iterator[list[Batch]] | None = None
        self.network = self._built()
        learner = self._learner().to(fabric.device)
        self.objective = Objective(setup.recipe, self._main_output(), self._class_weights(), self._auxiliary())
        average = None if setup.recipe.ema is None else Ema(learner, setup.recipe.ema)
        optimizer = optimizer_of(setup.recipe.weights.optimizer, trained(learner).values())
        self.state = State(learner, optimizer, average)
        self.module, self.optimizer = cast("tuple[nn.Module, Any]", fabric.setup(learner, optimizer))
        self.teacher = None if setup.teacher is None else setup.teacher.to(fabric.device).eval()

    def _learner(self) -> Learner:
        if self.setup.features is None:
            outputs = (self._main_output(), *self._auxiliary())
            self._train_only(trained_parameters(self.setup.graph, outputs))
            return Learner(self.network)
        self._train_only(self.kept())
        manual_seed(seed_of(self.setup.seed, Stream.HEAD, 0))
        return Classifier(self.network, self.setup.features, self.setup.data.classes.count)

    def _train_only(self, names: Container[str]) -> None:
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name in names)

    def _built(self) -> Network:
        network = Network(self.setup.graph, auxiliary=True)
        load_weights(network, random_weights(self.setup.graph, self.setup.seed, initial=True))
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
        return main_output(self.setup.graph, self.setup.output or None)

    def _auxiliary(self) -> tuple[str, ...]:
        return () if self.setup.features is not None else outputs_of(self.setup.graph, auxiliary=True)

    def _class_weights(self) -> Tensor | None:
        if self.setup.recipe.loss.class_weights is ClassWeights.NONE:
            return None
        weights = median_frequency_weights(self.batches.labels(), self.setup.data.classes.count)
        return weights.to(self.fabric.device)

    # State --------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        return self.state.step

    @property
    def best(self) -> float | None:
        return self.state.best

    @property
    def finished(self) -> bool:
        return self.state.step >= self.length.steps

    def checkpoint(self) -> Checkpoint:
        self.state.check_weights()
        epoch = self.state.step // self.length.steps_per_epoch
        return self.state.checkpoint(seed=self.setup.seed, epoch=epoch)

    def restore(self, found: Checkpoint) -> None:
        self.state.restore(found)
        best = self.setup.out / BEST
        if self.state.best is not None and not best.exists():
            raise BrokenCheckpoint(f"`{best}` is gone, the weights with the best score: put the file back")
        self._stream = None

    # A step -------------------------------------------------------------------------------------

    def advance(self) -> Taken:
        """Takes one step, and evaluates at the end of an epoch."""
        epoch, rate, losses = self._step(self._next())
        step, steps = self.state.step, self.length.steps
        events: list[Event] = [("step", {"epoch": epoch, "lr": rate, **losses})]
        ended, scores = step % self.length.steps_per_epoch == 0 or step == steps, None
        if ended:
            scores = self._score(epoch + 1)
        if scores is not None:
            events.append(("score", {"epoch": epoch + 1, **scores.named}))
        return Taken(Progress(step, steps, epoch, losses["loss"], scores), events, ended)

    def _next(self) -> Sequence[Batch]:
        if self._stream is None:
            self._stream = self.batches.from_step(self.state.step)
        return next(self._stream)

    def _step(self, parts: Sequence[Batch]) -> tuple[int, float, dict[str, float]]:
        """Steps the optimizer on the micro-batches of a batch: the epoch, the learning rate, losses over all processes.

        Raises Diverged.
        """
        state, weights = self.state, self.setup.recipe.weights
        moment = self.length.moment(state.step)
        rate = set_learning_rate(state.optimizer, weights.optimizer, moment)
        manual_seed(seed_of(self.setup.seed, Stream.NETWORK, state.step, rank()))
        self.module.train()
        losses = backward(self.fabric, self.module, self.optimizer, self.objective, parts, self.teacher)
        check_losses(state.step + 1, losses)
        self.optimizer.step()
        if state.average is not None:
            state.average.update()
        state.step += 1
        return moment.epoch, rate, losses

    # Evaluation and weights ---------------------------------------------------------------------

    def _score(self, epoch: int) -> Scores | None:
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
            if state.best is None or self.scores.merit > state.best:
                state.best = self.scores.merit
                self._write(BEST)
        return self.scores

    def _scored(self, examples: Iterable[tuple[Tensor, Tensor]]) -> Scores:
        setup, device = self.setup, self.fabric.device
        if setup.features is None:
            logits = ImageLogits(self.network, self._main_output())
            return score(logits, setup.data, examples, setup.padding_multiple, device=device)
        learner = self.state.learner
        return score(
            lambda images: learner(images)[CLASSES], setup.data, examples, setup.padding_multiple, device=device
        )

    def finish(self) -> None:
        with self.state.averaged():
            self._write(LAST)
            if self.state.best is None:
                self._write(BEST)

    def _write(self, name: str) -> None:
        """Saves the weights with class names and normalisation as metadata."""
        if rank() != 0:
            return
        metadata = weights_metadata(self.setup.data, self.state.step)
        files.save(self.setup.out / name, self.kept(), metadata)

    def kept(self) -> dict[str, Any]:
        """The trained tensors; of a classifier, those of the feature map and its ancestors."""
        tensors = weights_of(self.network)
        if self.setup.features is None:
            return tensors
        graph = self.setup.graph
        wanted = {name for path in self.setup.features.needed for name in node_weights(graph, path)}
        return {name: each for name, each in tensors.items() if name in wanted}
