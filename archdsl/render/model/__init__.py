"""A picture as data: boxes, lines, texts and strokes."""
