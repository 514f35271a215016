"""What a network is trained to make small."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class ClassWeights(StrEnum):
    """How classes are weighed."""

    NONE = "none"
    MEDIAN_FREQUENCY = "median_frequency"
    """median(f) / f over the train images that hold the class (Eigen, Fergus, ICCV 2015)."""


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """The mean over all pixels with a label."""

    class_weights: ClassWeights = ClassWeights.NONE
    label_smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class Ohem:
    """Cross-entropy of the pixels whose right class has a probability below `threshold` (online hard example mining).

    At least the share `keep` of all pixels of a batch counts, the hardest ones.
    """

    threshold: float = 0.7
    keep: float = 1 / 16
    class_weights: ClassWeights = ClassWeights.NONE


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """Cross-entropy of the hardest share `keep` of each image's pixels (Wu, Shen, van den Hengel, 2016)."""

    keep: float = 1 / 4
    class_weights: ClassWeights = ClassWeights.NONE


Loss: TypeAlias = "CrossEntropy | Ohem | Bootstrapped"


class Heads(StrEnum):
    """Of what a searched space of branches the loss is summed (FasterSeg)."""

    OUTPUT = "output"
    """The output of the network alone."""
    EACH_BRANCH = "each_branch"
    """Every end at which a branch can end, with a head for itself."""
    EACH_PAIR = "each_pair"
    """Every two ends, joined."""


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


@dataclass(frozen=True, slots=True)
class Distillation:
    """`distill = kl(weight = 1, temperature = 1)`: the divergence between a teacher's and a student's classes."""

    weight: float = 1.0
    temperature: float = 1.0
    direction: Direction = Direction.STUDENT_TEACHER
    mean: Mean = Mean.PIXELS
