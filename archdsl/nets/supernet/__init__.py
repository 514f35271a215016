"""Supernets as torch modules: weights here, and who decides is an argument."""

from archdsl.nets.supernet.decisions import Decisions
from archdsl.nets.supernet.logits import Logits
from archdsl.nets.supernet.relaxation import PhaseRelaxation
from archdsl.nets.supernet.supernet import Supernet

__all__ = ["Decisions", "Logits", "PhaseRelaxation", "Supernet"]
