"""From the lines of a search, a cost or a training to typed settings."""

from archdsl.sema.settings.costs import read_cost
from archdsl.sema.settings.parameters import with_values
from archdsl.sema.settings.searches import read_search
from archdsl.sema.settings.subject import Subject
from archdsl.sema.settings.trainings import read_training

__all__ = ["Subject", "read_cost", "read_search", "read_training", "with_values"]
