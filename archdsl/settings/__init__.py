"""Searches, costs and trainings as texts define them: one schema, typed, without a network."""

from archdsl.settings.costs import Cost
from archdsl.settings.searches import Search
from archdsl.settings.trainings import Training

__all__ = ["Cost", "Search", "Training"]
