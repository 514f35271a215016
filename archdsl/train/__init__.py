"""Trains networks found in spaces: losses, the loop, checkpoints, scores."""

from archdsl.train.record import NoRun, Record
from archdsl.train.refused import Refused
from archdsl.train.run import Outcome, Progress, train
from archdsl.train.scores import Confusion, Scores
from archdsl.train.setup import Setup

__all__ = ["Confusion", "NoRun", "Outcome", "Progress", "Record", "Refused", "Scores", "Setup", "train"]
