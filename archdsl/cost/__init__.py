"""What a network costs: exact counts from the rules of its primitives, and rows of cost tables.

Tables (`cost.tables`, `cost.estimate`) are imported where one is read: most commands read none.
"""

from archdsl.cost.figures import Figures, NodeFigures, Sum, figures

__all__ = ["Figures", "NodeFigures", "Sum", "figures"]
