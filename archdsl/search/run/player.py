"""What one phase of a search learns: the logits of its questions, its guide, and their optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from archdsl.nets.supernet.decisions import Decisions
from archdsl.nets.supernet.guide import Guide
from archdsl.nets.supernet.logits import Logits
from archdsl.nets.supernet.objective import SearchObjective
from archdsl.nets.supernet.relaxation import PhaseRelaxation, Vectors
from archdsl.pipeline.logits import Logits as Numbers
from archdsl.relax.phases import PhaseQuestions
from archdsl.search.robustness.collapse import Watch
from archdsl.settings.schedules import Moment
from archdsl.settings.searches import Phase
from archdsl.space import QuestionPath
from archdsl.train.optimizers import optimizer_of
from archdsl.train.state import Stream, seed_of


@dataclass(frozen=True, slots=True)
class Streams:
    """The seeds of a phase's random numbers: those of its name, so that phases beside it change nothing."""

    seed: int
    phase: int
    """Its place among the phases of the search."""

    def of(self, stream: Stream, step: int = 0) -> int:
        return seed_of(self.seed, stream, step, self.phase)


class Player(nn.Module):
    """The state of one phase beside the weights of the supernet. Without logits only weights are stepped."""

    def __init__(
        self,
        phase: Phase,
        questions: PhaseQuestions,
        objective: SearchObjective,
        streams: Streams,
        device: torch.device,
    ) -> None:
        super().__init__()
        self.phase = phase
        self.questions = questions
        self.objective = objective
        self.streams = streams
        self.logits = Logits(questions, seed=streams.of(Stream.LOGITS))
        self.guide: Guide | None = None
        if phase.guide is not None and questions.learned:
            counts = {path: len(questions.candidates(path)) for path in questions.learned}
            self.guide = Guide(phase.guide, questions.program, counts, seed=streams.of(Stream.GUIDE))
        self.to(device)
        self.relaxation = PhaseRelaxation(questions, self.logits)
        self.adaptive: Mapping[str, float] = objective.priced.weights
        """The weights of adaptive costs, which change after an epoch."""
        self.watch = Watch(phase.stop)
        named = dict(self.named_parameters())
        self.optimizer = None if not named or phase.arch is None else optimizer_of(phase.arch, named.values())

    @property
    def searches(self) -> bool:
        """Whether it has logits that are stepped."""
        return self.optimizer is not None

    def guided(self) -> Vectors:
        """The logits that decisions are made of: as the guide leaves them, where there is one."""
        return self.logits.vectors if self.guide is None else self.guide(self.logits.vectors)

    def decide(self, moment: Moment, step: int) -> Decisions:
        """The decisions of a step, the same for a step whenever they are asked for."""
        generator = self._generator(step)
        return self.relaxation.decide(moment, generator, logits=self.guided())

    def perturbing(self, step: int) -> Generator:
        """Another generator than that of the decisions."""
        return self._generator(step, again=1)

    def _generator(self, step: int, again: int = 0) -> Generator:
        device = next(iter(self.logits.vectors.values()), torch.empty(0)).device
        return torch.Generator(device).manual_seed(self.streams.of(Stream.DECISIONS, 2 * step + again))

    def frozen(self, epoch: int) -> Iterator[nn.Parameter]:
        """The logits that this epoch, counted from 0, does not step: their gradients are taken away."""
        frozen = {each.kind for each in self.phase.freeze if epoch + 1 < each.until}
        return self.logits.of(frozen)

    def numbers(self, *, guided: bool = False) -> Numbers:
        """The logits as numbers, by question; with `guided` as a guide leaves them."""
        return {path: _numbers(each) for path, each in (self.guided() if guided else self.logits.vectors).items()}

    @property
    def guided_questions(self) -> frozenset[QuestionPath]:
        """Those that a guide changes, or might."""
        return frozenset() if self.guide is None else frozenset(path for cell in self.guide.cells for path in cell)


def _numbers(vector: Tensor) -> tuple[float, ...]:
    return tuple(float(each) for each in vector.detach().cpu())
