"""Trains networks found in spaces: losses, the loop, checkpoints, scores."""

from archdsl.train.errors import Refused
from archdsl.train.loop import Outcome, Progress, train
from archdsl.train.metrics import Confusion, Scores
from archdsl.train.record import NoRun, Record
from archdsl.train.setup import Setup

__all__ = ["Confusion", "NoRun", "Outcome", "Progress", "Record", "Refused", "Scores", "Setup", "train"]
