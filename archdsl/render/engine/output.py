"""Pictures as files. JSON has what stands in a picture and what is joined, without positions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from archdsl.render.engine import dot, graphviz
from archdsl.render.model.picture import Box, Dash, Format, Group, Line, Picture, Text


def render(picture: Picture, format: Format) -> bytes:
    """The picture as a file; equal pictures give equal bytes.

    Raises ToolMissing where pygraphviz is missing, except for `dot` and `json`, which need nothing installed.
    """
    if format == "json":
        return _json(picture).encode()
    text = dot.write(picture)
    return text.encode() if format == "dot" else graphviz.render(text, format, placed=picture.flow is None)


def _json(picture: Picture) -> str:
    """Boxes by name, the lines between them, and frames around them; hidden lines and legends are none of it."""
    object = {
        "format_version": 1,
        "picture": picture.name,
        "heading": _texts(picture.heading),
        "boxes": [_box(box) for box in picture.boxes if not box.name.startswith("legend ")],
        "lines": [_line(line) for line in picture.lines if _joins(line)],
        "groups": [_group(group) for group in picture.groups],
    }
    return json.dumps(object, indent=2, ensure_ascii=False) + "\n"


def _joins(line: Line) -> bool:
    return line.stroke.dash is not Dash.HIDDEN and not line.tail.startswith("legend ")


def _texts(lines: Iterable[Text]) -> list[str]:
    return [line.text for line in lines if line.text.strip()]


def _box(box: Box) -> dict[str, Any]:
    return {"name": box.name, "label": _texts(box.label), "outline": box.outline.value, "line": box.stroke.dash.value}


def _line(line: Line) -> dict[str, Any]:
    return {"from": line.tail, "to": line.head, "label": _texts(line.label), "line": line.stroke.dash.value}


def _group(group: Group) -> dict[str, Any]:
    return {"name": group.name, "heading": _texts(group.heading), "boxes": list(group.boxes)}
