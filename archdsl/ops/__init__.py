"""What each primitive is, without torch."""

from archdsl.ops.dims import Count, Dim
from archdsl.ops.model import (
    COUNTS,
    Attributes,
    Channels,
    Join,
    Kept,
    Kind,
    Parameter,
    Primitive,
    Reads,
    Role,
    Shape,
    ShapeError,
    Traits,
    Value,
    Weight,
)

__all__ = [
    "COUNTS",
    "Attributes",
    "Channels",
    "Count",
    "Dim",
    "Join",
    "Kept",
    "Kind",
    "Parameter",
    "Primitive",
    "Reads",
    "Role",
    "Shape",
    "ShapeError",
    "Traits",
    "Value",
    "Weight",
]
