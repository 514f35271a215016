"""The second-order gradient of answers is the derivative of the loss at weights that one step more has changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from archdsl.nets.supernet import Supernet
from archdsl.nets.supernet.initial import initialise
from archdsl.nets.supernet.objective import SearchObjective
from archdsl.pipeline import load
from archdsl.pipeline.recipes import searches
from archdsl.relax.phases import questions_in
from archdsl.search.run import unrolled
from archdsl.search.run.gradients import At, Gradients, gradients_of
from archdsl.search.run.player import Player, Streams
from archdsl.settings.schedules import Moment
from archdsl.train.distributed import fabric_of
from archdsl.train.losses import Batch
from tests.search.run.texts import SECOND, SMOOTH, searched, write

RATE = 0.3
"""Large, so that the second-order term is no small part of the gradient."""
STEP = 3e-3
"""Of the central differences: losses are in single precision."""
NOW = At(0, Moment(0.0, 0, 0))


class Setting:
    """A supernet in double precision, its one phase, and a batch of either part of the data."""

    def __init__(self, text: Path) -> None:
        program = load(str(text), size=(16, 32)).program
        (search,) = searches(str(text), "net")
        (phase,) = search.phases
        self.supernet = Supernet(program)
        initialise(self.supernet, 0)
        self.supernet.double().train()
        objective = SearchObjective.of(self.supernet, phase, {})
        device = torch.device("cpu")
        self.player = Player(phase, questions_in(phase, program, {}), objective, Streams(0, 0), device).double()
        self.gradients = Gradients(self.supernet, fabric_of("cpu", "fp32"), {phase.name: None})
        generator = torch.Generator().manual_seed(1)
        self.weights, self.answers = _batch(generator), _batch(generator)

    def unrolled_loss(self) -> float:
        """L_val(w - xi dL_train(w, a)/dw, a), with nothing changed behind it."""
        parameters = [each for each in self.supernet.parameters() if each.requires_grad]
        with torch.no_grad():
            decisions = self.player.decide(NOW.moment, 0)
        loss = self.gradients.loss(self.player, decisions, *self.weights)
        steps = gradients_of(loss, parameters)
        before = [each.detach().clone() for each in parameters]
        with torch.no_grad():
            for each, step in zip(parameters, steps, strict=True):
                if step is not None:
                    each.sub_(step, alpha=RATE)
            found = float(self.gradients.loss(self.player, decisions, *self.answers))
            for each, value in zip(parameters, before, strict=True):
                each.copy_(value)
        return found

    def numeric(self) -> Tensor:
        """By central differences, logit by logit."""
        found: list[float] = []
        for vector in self.player.logits.vectors.values():
            for place in range(len(vector)):
                values: list[float] = []
                for sign in (1, -1):
                    with torch.no_grad():
                        vector[place] += sign * STEP
                    values.append(self.unrolled_loss())
                    with torch.no_grad():
                        vector[place] -= sign * STEP
                found.append((values[0] - values[1]) / (2 * STEP))
        return torch.tensor(found, dtype=torch.float64)

    def taken(self) -> Tensor:
        found = [each.grad for each in self.player.logits.parameters()]
        self.player.zero_grad(set_to_none=True)
        return torch.cat([each for each in found if each is not None])


def _length(vector: Tensor) -> float:
    return float(vector.square().sum()) ** 0.5


def _batch(generator: torch.Generator) -> Batch:
    images = torch.randn(4, 3, 16, 32, generator=generator, dtype=torch.float64)
    return images, torch.randint(3, (4, 16, 32), generator=generator)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting(
        write(tmp_path_factory.mktemp("unrolled"), searched(SECOND, SMOOTH).replace(", keep(by = max_probability)", ""))
    )


def test_it_is_the_derivative_at_the_weights_after_a_step(setting: Setting) -> None:
    expected = setting.numeric()
    unrolled.of_answers(setting.gradients, setting.player, [setting.weights], [setting.answers], NOW, RATE)
    found = setting.taken()
    setting.gradients.of_answers(setting.player, [setting.answers], NOW)
    first_order = setting.taken()
    assert _length(found - expected) < 0.05 * _length(expected)
    assert _length(first_order - expected) > 0.2 * _length(expected)


def test_weights_and_statistics_are_left_as_they_were(setting: Setting) -> None:
    before = {name: each.clone() for name, each in setting.supernet.state_dict().items()}
    unrolled.of_answers(setting.gradients, setting.player, [setting.weights], [setting.answers], NOW, RATE)
    setting.player.zero_grad(set_to_none=True)
    assert all(torch.equal(each, before[name]) for name, each in setting.supernet.state_dict().items())
    assert all(each.grad is None for each in setting.supernet.parameters())
