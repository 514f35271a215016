"""What decides in a supernet: for each question an answer, weights for its answers, or both (straight through)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from archdsl.relax.relaxed import Partial, Structure, View
from archdsl.space import QuestionPath
from archdsl.space.trace import Answers


@dataclass(frozen=True)
class Decisions:
    """Answers and weights by question. A question with both runs its answer and weighs it, so that gradients pass.

    Weights are vectors in the order of `Supernet.answers(path)`, with one more at the end where the question also has
    the answer `none`.
    """

    answers: Answers = field(default_factory=dict[QuestionPath, tuple[str, ...]])
    weights: Mapping[QuestionPath, Tensor] = field(default_factory=dict[QuestionPath, Tensor])
    searching: bool = True
    """Whether `case searching` is `yes`; in the network of a genotype it is `no`."""
    views: tuple[View, ...] = (View(),)
    """The ways in which branches are joined."""
    allowed: Mapping[QuestionPath, tuple[str, ...]] = field(default_factory=dict[QuestionPath, tuple[str, ...]])
    """The answers that a question may have, where those are fewer than in the supernet."""
    partial: Partial | None = None
    """Mixed ops on a share of their channels."""

    @property
    def structure(self) -> Structure:
        """What of them decides which layers are run."""
        weighted = frozenset(path for path in self.answers if path in self.weights)
        allowed = tuple(self.allowed.items())
        return Structure(tuple(self.answers.items()), weighted, self.searching, self.views, allowed, self.partial)

    def seen(self, *views: View) -> Decisions:
        """The same with other ways to join branches."""
        return replace(self, views=views)

    def constant(self) -> Decisions:
        """The same for a pass that steps the ops' weights alone: what is sampled runs, and weighs nothing.

        Samples weigh 1 (straight through), so only the gradient of their logits is lost.
        """
        return replace(self, weights={path: each for path, each in self.weights.items() if path not in self.answers})
