"""Source text and places in it; knows nothing else."""

from archdsl.text.source import Position, SourceFile, Span, TextEdit

__all__ = ["Position", "SourceFile", "Span", "TextEdit"]
