"""What each primitive is, without torch."""

from archdsl.ops.dims import Count, Dim
from archdsl.ops.model import Attributes, Kind, Parameter, Primitive, Shape, ShapeError, Value, Weight

__all__ = ["Attributes", "Count", "Dim", "Kind", "Parameter", "Primitive", "Shape", "ShapeError", "Value", "Weight"]
