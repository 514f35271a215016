"""Gradients of one step of a search, by the weights of ops and by the logits of answers.

Weights of answers are leaves while a step runs: each forward pass adds its gradient to them, and its maps are let go
before the next one begins. What the objective makes of the loss, and its costs, come on top; then the gradient passes
once through what made the decisions: relaxation and guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from random import Random

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl.nets.supernet import Supernet
from archdsl.nets.supernet.decisions import Decisions
from archdsl.search.run.player import Player
from archdsl.search.undisturbed import frozen, undisturbed
from archdsl.settings.schedules import Moment
from archdsl.space import QuestionPath
from archdsl.train.distributed import all_reduce_sum, world_size
from archdsl.train.losses import Batch, at_labels, loss_of
from archdsl.train.state import Stream
from archdsl.train.typed_torch import autocast, backward, split


@dataclass(frozen=True, slots=True)
class Values:
    """What a step came to, the mean over all processes."""

    loss: float
    objective: float | None = None
    """None where a step is about the loss alone."""
    costs: Mapping[str, float] = field(default_factory=dict[str, float])
    """Expected costs in their units, as texts have them: `latency(over = {trunk})`."""
    penalty: float | None = None
    """What a relaxation adds (DrNAS)."""

    def numbers(self) -> Mapping[str, float]:
        """All of them by name."""
        more = {"objective": self.objective, "penalty": self.penalty}
        return {"loss": self.loss, **{name: each for name, each in more.items() if each is not None}, **self.costs}


@dataclass(frozen=True, slots=True)
class At:
    """When a step is taken."""

    step: int
    """Of the stage."""
    moment: Moment


class Gradients:
    """Adds gradients to the parameters of a supernet and of the phases that are searched on it."""

    def __init__(self, supernet: Supernet, fabric: Fabric, class_weights: Mapping[str, Tensor | None]) -> None:
        """`class_weights` by the names of phases."""
        self.supernet = supernet
        self.fabric = fabric
        self.class_weights = class_weights

    # Weights ------------------------------------------------------------------------------------

    def of_weights(self, player: Player, parts: Sequence[Batch], at: At) -> Values:
        """By the weights of ops alone: what is sampled runs and weighs nothing."""
        with torch.no_grad():
            decisions = player.decide(at.moment, at.step).constant()
        decisions = self._perturbed(player, decisions, parts, at)
        return Values(float(self._passes(player, decisions, parts, at)))

    def _perturbed(self, player: Player, decisions: Decisions, parts: Sequence[Batch], at: At) -> Decisions:
        """As the phase perturbs them (SDARTS), by the first micro-batch."""
        if player.questions.perturbation is None:
            return decisions
        images, labels = parts[0]
        with undisturbed(self.supernet):
            return player.relaxation.perturbed(
                decisions,
                at.moment,
                lambda each: self.loss(player, each, images, labels),
                player.perturbing(at.step),
            )

    # Answers ------------------------------------------------------------------------------------

    def of_answers(self, player: Player, parts: Sequence[Batch], at: At) -> Values:
        """By the logits alone, of the whole objective."""
        with frozen(self.supernet):
            return self.of_both(player, parts, at)

    def of_both(self, player: Player, parts: Sequence[Batch], at: At) -> Values:
        """By weights and logits in one backward pass, of the whole objective."""
        decisions = player.decide(at.moment, at.step)
        leaves, seen = _as_leaves(decisions)
        loss = self._passes(player, seen, parts, at)
        factor, values = self._objective(player, seen, loss, leaves.values())
        if factor != 1:
            for parameter in self.supernet.parameters():
                if parameter.grad is not None:
                    parameter.grad *= factor
        penalty = player.relaxation.penalty(logits=player.guided())
        if penalty.requires_grad:
            backward(penalty)
            values = replace(values, penalty=float(penalty.detach()))
        _through(decisions, leaves)
        return values

    def of_loss(self, player: Player, parts: Sequence[Batch], at: At) -> None:
        """By the logits alone, of the loss alone."""
        with frozen(self.supernet):
            decisions = player.decide(at.moment, at.step)
            leaves, seen = _as_leaves(decisions)
            self._passes(player, seen, parts, at)
        _through(decisions, leaves)

    def _objective(
        self, player: Player, decisions: Decisions, loss: Tensor, leaves: Iterable[Tensor]
    ) -> tuple[float, Values]:
        """Scales the gradients of the loss, and adds those of costs: the derivative by the loss, and what is logged."""
        leaf = loss.detach().double().requires_grad_()
        found = player.objective(leaf, decisions, player.adaptive)
        every = list(leaves)
        by_loss, *by_costs = gradients_of(found.value, [leaf, *every])
        factor = 0.0 if by_loss is None else float(by_loss)
        for each, by_cost in zip(every, by_costs, strict=True):
            each.grad = _added(None if each.grad is None else factor * each.grad, by_cost)
        costs = {name: float(value) for name, value in found.terms.items() if name != "loss"}
        return factor, Values(float(leaf.detach()), float(found.value.detach()), costs)

    # Passes -------------------------------------------------------------------------------------

    def _passes(self, player: Player, decisions: Decisions, parts: Sequence[Batch], at: At) -> Tensor:
        """Adds the gradients of the loss, of each forward pass in turn; the mean of the loss over all processes."""
        random = Random(player.streams.of(Stream.WIDTHS, at.step))
        every = player.relaxation.passes(decisions, random)
        total = torch.zeros((), device=self.fabric.device)
        for images, labels in parts:
            for _, each in every:
                loss = self.loss(player, each, images, labels) / len(parts)
                if loss.requires_grad:
                    backward(loss)
                total += loss.detach()
        return all_reduce_sum(total) / world_size()

    def loss(
        self, player: Player, decisions: Decisions, images_BCHW: Tensor, labels_BHW: Tensor, *, exact: bool = False
    ) -> Tensor:
        """The sum of the losses of all heads that the phase names (FasterSeg, section 3.3).

        With `exact` it is in single precision, whatever was asked for.
        """
        with nullcontext() if exact else autocast(self.fabric):
            heads = self.supernet.main_outputs(images_BCHW, decisions)
        of, weights = player.phase.loss.loss, self.class_weights[player.phase.name]
        logits = [each if labels_BHW.ndim == 1 else at_labels(each, labels_BHW) for each in heads.values()]
        return torch.stack([loss_of(of, each, labels_BHW, weights) for each in logits]).sum()


def gradients_of(value: Tensor, by: Sequence[Tensor]) -> Sequence[Tensor | None]:
    """Of a scalar; None for what it does not depend on."""
    return torch.autograd.grad(value, by, allow_unused=True)


def _added(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """The sum of two gradients."""
    return other if one is None else one if other is None else one + other


def _as_leaves(decisions: Decisions) -> tuple[Mapping[QuestionPath, Tensor], Decisions]:
    """Their weights as leaves, and decisions with them."""
    leaves = {
        path: each.detach().clone().requires_grad_() for path, each in decisions.weights.items() if each.requires_grad
    }
    return leaves, replace(decisions, weights={**decisions.weights, **leaves})


def _through(decisions: Decisions, leaves: Mapping[QuestionPath, Tensor]) -> None:
    """From the weights of answers to what made them."""
    made = [(decisions.weights[path], leaf.grad) for path, leaf in leaves.items() if leaf.grad is not None]
    if made:
        torch.autograd.backward([each for each, _ in made], [gradient for _, gradient in made])


def joined(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces gradients by their means over all processes."""
    if world_size() == 1:
        return
    given = [each for each in parameters if each.grad is not None]
    if not given:
        return
    flat = torch.cat([each.grad.flatten() for each in given if each.grad is not None])
    flat = all_reduce_sum(flat) / world_size()
    for each, part in zip(given, split(flat, [each.numel() for each in given]), strict=True):
        each.grad = part.view_as(each)
