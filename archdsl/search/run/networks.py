"""The networks that a phase would derive while it is searched, and their scores with the weights of the supernet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from archdsl.nets.supernet import Supernet
from archdsl.nets.supernet.decisions import Decisions
from archdsl.pipeline.logits import Logits
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.plan import Plan
from archdsl.search.derive.strongest import Derived, derive, every_end, labels_of
from archdsl.search.run.setup import SearchSetup
from archdsl.search.undisturbed import kept_statistics
from archdsl.settings.searches import Phase
from archdsl.space.trace import Answers
from archdsl.train.evaluate import SCORED_TOGETHER, Scores, batched, own_indices, score
from archdsl.train.outputs import at_size


@dataclass(frozen=True, slots=True)
class Network:
    """A derived network."""

    ends: str
    """Where its branches end, `a = 16, b = 32`; empty in a space without."""
    answers: Answers


def chances_of(setup: SearchSetup, phase: Phase, logits: Logits, guided: Logits) -> Chances:
    """What a phase makes of its logits, and of those of the phases before it."""
    plan = Plan.of(setup.loaded.program, setup.search, setup.loaded.meaning.answers, phase=phase.name)
    return Chances(plan, {**logits, **guided} if plan.guided else logits)


def derived(chances: Chances, supernet: Supernet) -> Sequence[Network]:
    """By the rules of the phase, one for each way in which branches can end; none where questions stay open.

    Raises NotDerived.
    """
    found = [(ends, derive(chances, ends)) for ends in every_end(chances.plan)]
    return [Network(labels_of(ends), each.answers) for ends, each in found if not _is_open(each, supernet)]


def _is_open(found: Derived, supernet: Supernet) -> bool:
    """Whether a question of this supernet has no answer: phases can be about a part of the space alone."""
    return any(path.question in supernet.program.questions for path in found.left_open)


def scored(setup: SearchSetup, supernet: Supernet, decisions: Decisions, device: torch.device) -> Scores:
    """The scores on `score_on` with the statistics of each batch, as running ones are those of mixed maps.

    Nothing is changed: neither weights nor running statistics.
    """
    split = setup.data.splits[setup.score_on]
    examples = batched(map(split.read, own_indices(len(split))), SCORED_TOGETHER, least=2)

    def logits(images_BCHW: Tensor) -> Tensor:
        found = next(iter(supernet.main_outputs(images_BCHW, decisions).values()))
        if setup.data.task == "classification":
            return found
        return at_size(found, (images_BCHW.shape[2], images_BCHW.shape[3]))

    supernet.train()
    with kept_statistics(supernet), torch.no_grad():
        return score(logits, setup.data, examples, setup.loaded.padding_multiple, device=device)


def within(supernet: Supernet, answers: Answers) -> Answers:
    """The answers to questions of the supernet's program."""
    return {path: each for path, each in answers.items() if path.question in supernet.program.questions}
