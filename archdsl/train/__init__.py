"""Training: losses, optimizers, the training loop, checkpoints, evaluation, inference."""

from archdsl.runs.errors import NoRun
from archdsl.train.errors import Refused
from archdsl.train.evaluate import Confusion, Scores
from archdsl.train.loop import Outcome, Progress
from archdsl.train.run import Record, Setup
from archdsl.train.training import train

__all__ = ["Confusion", "NoRun", "Outcome", "Progress", "Record", "Refused", "Scores", "Setup", "train"]
