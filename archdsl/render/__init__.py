"""Pictures of cells, grids, networks and differences, as DOT, SVG, PNG and PDF. Knows nothing of torch."""

from archdsl.render.draw import Drawable, NotApart, NothingToDraw, Sheet, draw, svg
from archdsl.render.engine.output import render
from archdsl.render.model.picture import FORMATS, Box, Format, Line, Picture, Text
from archdsl.render.views.difference import difference_picture
from archdsl.render.views.front import Plotted, front_picture
from archdsl.render.views.prediction import Predicted, prediction_picture

__all__ = [
    "FORMATS",
    "Box",
    "Drawable",
    "Format",
    "Line",
    "NotApart",
    "NothingToDraw",
    "Picture",
    "Plotted",
    "Predicted",
    "Sheet",
    "Text",
    "difference_picture",
    "draw",
    "front_picture",
    "prediction_picture",
    "render",
    "svg",
]
