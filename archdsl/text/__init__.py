"""Source texts, positions and spans."""

from archdsl.text.source import Position, SourceFile, Span, TextEdit
from archdsl.text.visible import hidden, visible, visible_json, visible_line

__all__ = ["Position", "SourceFile", "Span", "TextEdit", "hidden", "visible", "visible_json", "visible_line"]
