"""A program with open questions as a graph whose answers are mixed: what a supernet computes, without torch."""

from archdsl.relax.lower import Relaxer, check
from archdsl.relax.not_relaxable import NotRelaxable

__all__ = ["NotRelaxable", "Relaxer", "check"]
