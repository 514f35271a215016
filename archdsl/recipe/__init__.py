"""Searches, costs and trainings as texts define them: typed, checked, without a network."""

from archdsl.recipe.costs import Cost
from archdsl.recipe.searches import Search
from archdsl.recipe.trainings import Training

__all__ = ["Cost", "Search", "Training"]
