"""Pictures as files."""

from __future__ import annotations

from archdsl.render.engine import graphviz, json_data
from archdsl.render.engine.dot import write
from archdsl.render.model.picture import Format, Picture


def render(picture: Picture, format: Format) -> bytes:
    """The picture as a file; equal pictures give equal bytes.

    Raises ToolMissing where pygraphviz is missing, except for `dot` and `json`, which need nothing installed.
    """
    if format == "json":
        return json_data.write(picture).encode()
    text = write(picture)
    return text.encode() if format == "dot" else graphviz.render(text, format, placed=picture.flow is None)
