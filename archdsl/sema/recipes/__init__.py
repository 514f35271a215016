"""From the lines of a search, a cost or a training to typed models."""

from archdsl.sema.recipes.costs import read_cost
from archdsl.sema.recipes.searches import read_search
from archdsl.sema.recipes.subject import Subject
from archdsl.sema.recipes.trainings import read_training

__all__ = ["Subject", "read_cost", "read_search", "read_training"]
