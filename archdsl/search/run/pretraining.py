"""A phase that pretrains: the training of `archdsl train` on other data, as a stage of a search.

What it trains is a network of its own, with random weights. The supernet waits beside it, and has at the end the
weights that scored best, in the places that the network has in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lightning_fabric import Fabric
from torch import Tensor

from archdsl.ir import closed
from archdsl.pipeline import Loaded
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.plan import Plan
from archdsl.search.derive.strongest import derive, every_end
from archdsl.search.run.networks import within
from archdsl.search.run.player import Player
from archdsl.search.run.setup import SCORE, TRAIN, Pretraining, SearchSetup
from archdsl.search.run.supernets import supernet_of
from archdsl.settings import Search
from archdsl.settings.searches import Phase
from archdsl.space import Program
from archdsl.space.divisibility import multiple, of_program
from archdsl.space.trace import Answers, trace
from archdsl.train.batch_norms import check_batch_norms
from archdsl.train.checkpoints import BrokenCheckpoint, Checkpoint
from archdsl.train.classifier import features_of, part_of
from archdsl.train.errors import Refused
from archdsl.train.evaluate import Scores
from archdsl.train.loop import Event
from archdsl.train.outputs import main_output
from archdsl.train.run import BEST, Setup
from archdsl.train.training import NetworkTraining
from archdsl.train.typed_torch import load_file
from archdsl.weights.specification import node_weights

PRETRAINED: Final = "pretrained"
"""The folder of their weights in that of a run, by the names of phases."""


def example_of(loaded: Loaded, search: Search, before: Phase | None, program: Program, name: str) -> Answers:
    """Answers to a program as a phase can leave them, for what is checked before anything is found.

    Raises Refused where the phases up to it leave a question of the program open.
    """
    found = loaded.meaning.answers
    if before is not None:
        plan = Plan.of(loaded.program, search, loaded.meaning.answers, phase=before.name)
        even = {path: (0.0,) * len(each.candidates) for path, each in plan.learned.items()}
        found = {**found, **derive(Chances(plan, even), every_end(plan)[0]).answers}
    found = {path: answer for path, answer in found.items() if path.question in program.questions}
    if missing := trace(program, found).missing:
        raise Refused(
            f"the phase `{name}` trains `{program.name}`, of which `{program.spell(missing[0])}` is not answered then: "
            "put the phase behind those that search it, or name a network without it (`network = …`)"
        )
    return found


def training_of(setup: SearchSetup, stage: Pretraining, answers: Answers) -> Setup:
    """The training of the network that answers give. Raises Refused."""
    graph = closed(stage.trained, trace(stage.trained, answers), stage.trained.name)
    check_batch_norms(graph, stage.recipe.weights.batch, setup.accumulate)
    whole = stage.data.task == "classification"
    return Setup(
        graph=graph,
        recipe=stage.recipe,
        data=stage.data,
        out=setup.out / PRETRAINED / stage.main.name,
        size=stage.size,
        padding_multiple=multiple(of_program(stage.trained)),
        seed=setup.seed,
        features=features_of(graph, part_in(stage.main)) if whole else None,
        output="" if whole else main_output(graph, None),
        train_on=TRAIN,
        score_on=SCORE,
        accumulate=setup.accumulate,
    )


def part_in(phase: Phase) -> str:
    """The part of the network that a phase pretrains; empty for all of it."""
    return "" if phase.pretrain is None else phase.pretrain.part


class PretrainingWork:
    """A stage that can take steps."""

    players: Sequence[Player] = ()
    stop: None = None

    def __init__(self, setup: SearchSetup, fabric: Fabric, number: int, stage: Pretraining, found: Answers) -> None:
        """`found` are answers of a genotype and of earlier phases."""
        self.number, self.stage, self.length = number, stage, stage.length
        self.supernet = supernet_of(setup, stage, fabric.device)
        self.answers = within(self.supernet, found)
        self.training = NetworkTraining(training_of(setup, stage, self.answers), fabric)
        self._fabric = fabric

    @property
    def step(self) -> int:
        return self.training.step

    @property
    def finished(self) -> bool:
        return self.training.finished

    @property
    def best(self) -> float | None:
        """The best score of the training so far."""
        return self.training.best

    @property
    def scores(self) -> Scores | None:
        return self.training.scores

    def take(self) -> Iterator[Event]:
        """One step; behind the last one the supernet has the weights. Raises Diverged."""
        for event, values in self.training.advance().events:
            yield event, {"phase": self.stage.main.name, **values}
        if self.finished:
            self.training.finish()
            self._fabric.barrier()
            self.supernet.take_over(self.answers, dict(self._fitting(self.training.setup.out / BEST)))

    def _fitting(self, file: Path) -> Iterator[tuple[str, Tensor]]:
        """The tensors of the part that is pretrained; not those of other shapes, as classes may be others."""
        graph, own = self.training.setup.graph, self.supernet.weights_for(self.answers)
        wanted = {name for path in part_of(graph, part_in(self.stage.main)) for name in node_weights(graph, path)}
        for name, tensor in load_file(file).items():
            if name in wanted and name in own and own[name].shape == tensor.shape:
                yield name, tensor

    # State --------------------------------------------------------------------------------------

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All that a step changes, by name, for a checkpoint, and the supernet that waits."""
        for part, tensors in (
            ("supernet", self.supernet.state_dict()),
            ("training", self.training.checkpoint().tensors),
        ):
            yield from ((f"{part}.{name}", each) for name, each in tensors.items())

    def restore(self, found: Checkpoint, step: int) -> None:
        """Raises BrokenCheckpoint where the checkpoint is of another search."""
        try:
            self.supernet.load_state_dict(found.part("supernet"))
        except RuntimeError as error:
            raise BrokenCheckpoint(f"the checkpoint of step {found.step} is of another search: {error}") from None
        self.training.restore(Checkpoint(step, found.part("training"), {"best": found.state.get("pretrained")}))

    def check_weights(self) -> None:
        """Raises Diverged for NaN or infinite values, which are never saved."""
        self.training.state.check_weights()
