"""The one path from a text to its graph, without torch: what commands, editors and Python users call."""

from archdsl.pipeline.load import Loaded, NotLoaded, check, load
from archdsl.pipeline.recipes import load_recipe, trainings
from archdsl.pipeline.target import Target

__all__ = ["Loaded", "NotLoaded", "Target", "check", "load", "load_recipe", "trainings"]
