"""What a network costs: exact counts from the rules of its primitives."""

from archdsl.cost.figures import Figures, NodeFigures, Sum, figures

__all__ = ["Figures", "NodeFigures", "Sum", "figures"]
