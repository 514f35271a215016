"""A program with open questions as a graph whose answers are mixed: what a supernet computes, without torch."""

from archdsl.supernet.lower import Relaxer, check
from archdsl.supernet.not_relaxable import NotRelaxable

__all__ = ["NotRelaxable", "Relaxer", "check"]
