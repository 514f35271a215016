"""What a network is trained to make small: `loss = ohem(threshold = 0.7)`, `distill = kl(temperature = 1)`."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from archdsl.settings.schema import Extended, Number, OneOf, SetOf, Word, form, setting

_SHARE = Number(above=0, high=1)


class ClassWeights(StrEnum):
    """How classes are weighed."""

    NONE = "none"
    MEDIAN_FREQUENCY = "median_frequency"
    """median(f) / f over the train images that hold the class (Eigen, Fergus, ICCV 2015)."""


_WEIGHTS = Word(ClassWeights, "way to weigh classes")
_WEIGHTS_MEANING = "`median_frequency`: median(f) / f over the train images that hold the class"
_WEIGHTS_SOURCE = "Eigen, Fergus, ICCV 2015"


@form("cross_entropy")
class CrossEntropy:
    """The mean over all pixels with a label."""

    class_weights: ClassWeights = setting(_WEIGHTS, _WEIGHTS_MEANING, default=ClassWeights.NONE, source=_WEIGHTS_SOURCE)
    label_smoothing: float = setting(Number(0, below=1), "the share of the label given to all classes", default=0.0)


@form("ohem", source="online hard example mining")
class Ohem:
    """Cross-entropy of the pixels whose right class has at most a probability, and at least a share of all pixels."""

    threshold: float = setting(Number(above=0, below=1), "that probability", default=0.7)
    keep: float = setting(_SHARE, "that share: the hardest pixels of a batch", default=1 / 16)
    class_weights: ClassWeights = setting(_WEIGHTS, _WEIGHTS_MEANING, default=ClassWeights.NONE, source=_WEIGHTS_SOURCE)


@form("bootstrapped_cross_entropy", source="Wu, Shen, van den Hengel, 2016")
class Bootstrapped:
    """Cross-entropy of the hardest share of each image's pixels."""

    keep: float = setting(_SHARE, "that share", default=1 / 4)
    class_weights: ClassWeights = setting(_WEIGHTS, _WEIGHTS_MEANING, default=ClassWeights.NONE, source=_WEIGHTS_SOURCE)


Loss: TypeAlias = "CrossEntropy | Ohem | Bootstrapped"
LOSS = OneOf("loss", lambda: (CrossEntropy, Ohem, Bootstrapped))


class Heads(StrEnum):
    """Of what a searched space of branches the loss is summed (FasterSeg)."""

    OUTPUT = "output"
    """The output of the network alone."""
    EACH_BRANCH = "each_branch"
    """Every end at which a branch can end, with a head for itself."""
    EACH_PAIR = "each_pair"
    """Every two ends, joined."""


@form()
class SearchLoss:
    """The loss of a search, and the heads that it is summed over."""

    loss: Loss = CrossEntropy()
    over: tuple[Heads, ...] = setting(
        SetOf(Word(Heads, "kind of heads")),
        "the heads that it is summed over: the network's output, every end at which a branch can end, every two ends",
        default=(Heads.OUTPUT,),
        source="FasterSeg",
    )


SEARCH_LOSS = Extended(LOSS, SearchLoss, "loss")


class Direction(StrEnum):
    """Which way a divergence is measured."""

    STUDENT_TEACHER = "student_teacher"
    """KL(student || teacher), as FasterSeg's equation 4 has it."""
    TEACHER_STUDENT = "teacher_student"
    """KL(teacher || student), as in its published code and in Hinton et al. (2015)."""


class Mean(StrEnum):
    """Over what a divergence is averaged."""

    PIXELS = "pixels"
    ELEMENTS = "elements"
    """Over pixels and classes, as in FasterSeg's published code: smaller by the number of classes."""


@form("kl", source="FasterSeg, equation 4; Hinton et al., 2015")
class Distillation:
    """The divergence between a teacher's and a student's classes, added to the loss."""

    weight: float = setting(Number(above=0), "factor in the loss", default=1.0)
    temperature: float = setting(Number(above=0), "logits of both are divided by it", default=1.0)
    direction: Direction = setting(
        Word(Direction, "direction of a divergence"),
        "KL(student ‖ teacher) as in equation 4, or KL(teacher ‖ student) as in the published code",
        default=Direction.STUDENT_TEACHER,
    )
    mean: Mean = setting(
        Word(Mean, "mean of a divergence"),
        "over pixels, or over pixels and classes as in the published code",
        default=Mean.PIXELS,
    )


DISTILLATION = OneOf("distillation", lambda: (Distillation,))
