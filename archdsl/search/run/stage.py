"""The work of one stage: in each step every phase of it in turn, on the weights of one supernet.

A step of a phase is one backward pass for weights and answers (`levels = one`), or a step of answers on one part of the
images and then a step of weights on the other (`levels = two`). A phase without logits steps weights alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl.data import Held, Split
from archdsl.nets.supernet.objective import SearchObjective
from archdsl.relax.phases import questions_in
from archdsl.search.robustness.collapse import Stop
from archdsl.search.robustness.eigenvalue import NotMeasured, eigenvalue_of
from archdsl.search.robustness.figures import figures_of, probabilities_of
from archdsl.search.run import unrolled
from archdsl.search.run.gradients import At, Gradients, Values, joined
from archdsl.search.run.player import Player, Streams
from archdsl.search.run.setup import SearchSetup, Stage
from archdsl.search.run.supernets import supernet_of
from archdsl.settings.losses import ClassWeights
from archdsl.settings.searches import OneLevel, Order, Phase, TwoLevels
from archdsl.settings.trainings import Augmentation
from archdsl.space.trace import Answers
from archdsl.train import checkpoints
from archdsl.train.batches import Feed, TrainBatches
from archdsl.train.checkpoints import BrokenCheckpoint, Checkpoint
from archdsl.train.distributed import all_reduce_sum, rank, world_size
from archdsl.train.errors import Diverged, check_losses, check_weights
from archdsl.train.loop import Event
from archdsl.train.losses import Batch, median_frequency_weights
from archdsl.train.optimizers import optimizer_of, set_learning_rate
from archdsl.train.state import Stream, seed_of
from archdsl.train.typed_torch import manual_seed


class StageWork:
    """A stage that can take steps: its supernet, the weights' optimizers, its phases, its batches."""

    def __init__(
        self,
        setup: SearchSetup,
        fabric: Fabric,
        number: int,
        stage: Stage,
        found: Answers,
        source: Split | Held,
    ) -> None:
        """`found` are answers of a genotype and of earlier phases, `source` the images that step."""
        self.setup = setup
        self.number = number
        self.step = 0
        """The number of steps taken in it."""
        self.stage = stage
        self.length = self.stage.length
        self.supernet = supernet_of(setup, self.stage, fabric.device)
        self.players = [self._player(phase, found, fabric.device) for phase in self.stage.phases]
        self._feeds = _Feeds(fabric.device, source)
        self.gradients = Gradients(
            self.supernet, fabric, {each.name: self._classes(each) for each in self.stage.phases}
        )
        parameters = list(self.supernet.parameters())
        steps = dict.fromkeys(phase.weights.optimizer for phase in self.stage.phases)
        self.optimizers = {each: optimizer_of(each, parameters) for each in steps}
        """Phases whose weights are stepped alike share one."""
        self._held: Batch | None = None

    def _player(self, phase: Phase, found: Answers, device: torch.device) -> Player:
        program, setup = self.stage.program, self.setup
        questions = questions_in(phase, program, found)
        objective = SearchObjective.of(self.supernet, phase, setup.tables, questions.answers)
        place = [each.name for each in setup.search.phases].index(phase.name)
        return Player(phase, questions, objective, Streams(setup.seed, place), device)

    def _classes(self, phase: Phase) -> Tensor | None:
        if phase.loss.loss.class_weights is ClassWeights.NONE:
            return None
        batches = self._feeds.batches(self.setup.feed(phase, answers=False))
        weights = median_frequency_weights(batches.labels(), self.setup.data.classes.count)
        return weights.to(self._device)

    @property
    def _device(self) -> torch.device:
        return next(self.supernet.parameters()).device

    @property
    def stop(self) -> Stop | None:
        """Why it ended before its last step: the first of its phases that collapsed."""
        return next((each.watch.stopped for each in self.players if each.watch.stopped is not None), None)

    @property
    def finished(self) -> bool:
        return self.step >= self.length.steps or self.stop is not None

    # Steps --------------------------------------------------------------------------------------

    def take(self) -> Iterator[Event]:
        """One step of every phase. Raises Diverged."""
        at = At(self.step, self.length.moment(self.step))
        self.supernet.train()
        for player in self.players:
            manual_seed(seed_of(self.setup.seed, Stream.NETWORK, self.step, rank()))
            yield "step", self._step(player, at)
        self.step += 1

    def _step(self, player: Player, at: At) -> Mapping[str, Any]:
        phase, optimizer = player.phase, player.phase.weights.optimizer
        rate = set_learning_rate(self.optimizers[optimizer], optimizer, at.moment)
        about = {"phase": phase.name, "epoch": at.moment.epoch, "lr": rate}
        if player.optimizer is not None and phase.arch is not None:
            about["answers_lr"] = set_learning_rate(player.optimizer, phase.arch, at.moment)
        weights = self._feeds.next(self.setup.feed(phase, answers=False), at.step)
        if not player.searches:
            return {**about, **_event(self._weights(player, weights, at))}
        match phase.levels:
            case OneLevel():
                return {**about, **_event(self._both(player, weights, at))}
            case TwoLevels(order):
                answers = self._feeds.next(self.setup.feed(phase, answers=True), at.step)
                second = rate if order is Order.SECOND else None
                found = self._answers(player, weights, answers, at, second)
                loss = self._weights(player, weights, at).loss
                return {**about, **_event(found), "loss": loss, "answers_loss": found.loss}

    def _both(self, player: Player, batch: Sequence[Batch], at: At) -> Values:
        self.clear(player)
        values = self.gradients.of_both(player, batch, at)
        self._step_weights(player, values, at)
        self._step_answers(player, values, at)
        return values

    def _answers(
        self, player: Player, weights: Sequence[Batch], batch: Sequence[Batch], at: At, rate: float | None
    ) -> Values:
        self.clear(player)
        if rate is None:
            values = self.gradients.of_answers(player, batch, at)
        else:
            values = unrolled.of_answers(self.gradients, player, weights, batch, at, rate)
        self._step_answers(player, values, at)
        return values

    def _weights(self, player: Player, batch: Sequence[Batch], at: At) -> Values:
        self.clear(player)
        values = self.gradients.of_weights(player, batch, at)
        self._step_weights(player, values, at)
        return values

    def batch(self, player: Player) -> Sequence[Batch]:
        """The micro-batches of weights in the step that comes next."""
        return self._feeds.next(self.setup.feed(player.phase, answers=False), self.step)

    def clear(self, player: Player) -> None:
        """No gradient is left."""
        self.supernet.zero_grad(set_to_none=True)
        player.zero_grad(set_to_none=True)

    def _step_weights(self, player: Player, values: Values, at: At) -> None:
        check_losses(at.step + 1, values.numbers())
        step = player.phase.weights
        joined(self.supernet.parameters())
        if step.clip is not None:
            nn.utils.clip_grad_norm_(self.supernet.parameters(), step.clip)
        self.optimizers[step.optimizer].step()

    def _step_answers(self, player: Player, values: Values, at: At) -> None:
        check_losses(at.step + 1, values.numbers())
        joined(player.parameters())
        for each in player.frozen(at.moment.epoch):
            each.grad = None
        assert player.optimizer is not None
        player.optimizer.step()

    # Robustness ---------------------------------------------------------------------------------

    def figures(self, player: Player, epoch: int) -> dict[str, Any]:
        """What a journal says of a phase's answers after an epoch, counted from 0. Raises Diverged."""
        chances = probabilities_of(player.questions, player.numbers(guided=True))
        found = figures_of(self.stage.program, chances)
        every = self.setup.eigenvalue_every
        if player.watch.wants_eigenvalue(epoch + 1) or (every is not None and (epoch + 1) % every == 0):
            found["eigenvalue"] = self._eigenvalue(player)
        return found

    def _eigenvalue(self, player: Player) -> float:
        """By the first images for answers; of several processes the mean over their shares."""
        if self._held is None:
            feed = self.setup.feed(player.phase, answers=True)
            self._held = next(self._feeds.batches(feed).from_step(0))[0]
        images, labels = self._held
        try:
            found = eigenvalue_of(
                self.supernet,
                player.relaxation,
                lambda decisions: self.gradients.loss(player, decisions, images, labels, exact=True),
                seed=self.setup.seed,
                guide=None if player.guide is None else player.guide,
            )
        except NotMeasured as error:
            raise Diverged(str(error)) from None
        return float(all_reduce_sum(torch.tensor(found, dtype=torch.float64))) / world_size()

    # State --------------------------------------------------------------------------------------

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All that a step changes, by name, for a checkpoint."""
        yield from _under("supernet", self.supernet.state_dict())
        names = [name for name, _ in self.supernet.named_parameters()]
        for place, optimizer in enumerate(self.optimizers.values()):
            yield from _under(f"optimizer{place}", checkpoints.optimizer_tensors(optimizer, names))
        for player in self.players:
            yield from _under(_state(player), player.state_dict())
            if player.optimizer is not None:
                own = [name for name, _ in player.named_parameters()]
                yield from _under(_momenta(player), checkpoints.optimizer_tensors(player.optimizer, own))

    def restore(self, found: Checkpoint, step: int) -> None:
        """Raises BrokenCheckpoint where the checkpoint is of another search."""
        try:
            self.supernet.load_state_dict(found.part("supernet"))
            for player in self.players:
                player.load_state_dict(found.part(_state(player)))
        except RuntimeError as error:
            raise BrokenCheckpoint(f"the checkpoint of step {found.step} is of another search: {error}") from None
        names = [name for name, _ in self.supernet.named_parameters()]
        for place, optimizer in enumerate(self.optimizers.values()):
            checkpoints.restore_optimizer(optimizer, names, found.part(f"optimizer{place}"))
        for player in self.players:
            if player.optimizer is not None:
                own = [name for name, _ in player.named_parameters()]
                checkpoints.restore_optimizer(player.optimizer, own, found.part(_momenta(player)))
        self.step = step

    def check_weights(self) -> None:
        """Raises Diverged for NaN or infinite values, which are never saved."""
        every = {**self.supernet.state_dict(), **{n: p for each in self.players for n, p in each.state_dict().items()}}
        check_weights(self.step, {name: bool(each.isfinite().all()) for name, each in every.items()})


def _under(part: str, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a part of a checkpoint (`Checkpoint.part`)."""
    return ((f"{part}.{name}", each) for name, each in tensors.items())


def _state(player: Player) -> str:
    return f"phase {player.phase.name}"


def _momenta(player: Player) -> str:
    return f"optimizer of {player.phase.name}"


class _Feeds:
    """The batches of each feed, step by step; phases with the same images see the same batches."""

    def __init__(self, device: torch.device, source: Split | Held) -> None:
        self._device, self._source = device, source
        self._batches: dict[_Images, TrainBatches] = {}
        self._streams: dict[_Images, Iterator[list[Batch]]] = {}
        self._latest: dict[_Images, tuple[int, list[Batch]]] = {}

    def batches(self, feed: Feed) -> TrainBatches:
        key = _images(feed)
        if key not in self._batches:
            self._batches[key] = TrainBatches(feed, self._device, self._source)
        return self._batches[key]

    def next(self, feed: Feed, step: int) -> list[Batch]:
        """The micro-batches of a step; steps are asked for in order, each as often as phases share it."""
        key = _images(feed)
        if key not in self._latest or self._latest[key][0] != step:
            if key not in self._streams:
                self._streams[key] = self.batches(feed).from_step(step)
            self._latest[key] = step, next(self._streams[key])
        return self._latest[key][1]


_Images: TypeAlias = "tuple[int, tuple[Augmentation, ...], tuple[int, ...] | None]"
"""What may differ between the feeds of one search."""


def _images(feed: Feed) -> _Images:
    return feed.batch, feed.augment, feed.subset


def _event(values: Values) -> Mapping[str, Any]:
    found: dict[str, Any] = {"loss": values.loss}
    if values.objective is not None:
        found["objective"] = values.objective
    if values.penalty is not None:
        found["penalty"] = values.penalty
    if values.costs:
        found["cost"] = dict(values.costs)
    return found
