"""Source texts, positions and spans."""

from archdsl.text.source import Position, SourceFile, Span, TextEdit

__all__ = ["Position", "SourceFile", "Span", "TextEdit"]
