"""Diagnostics in each output format of the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, assert_never

from archdsl.diagnostics.model import Diagnostic

Style = Literal["full", "concise", "json", "github", "sarif"]


def show(diagnostics: Sequence[Diagnostic], style: Style, *, colour: bool = False, version: str = "") -> str:
    """All diagnostics as one text; `colour` counts for `full` only, the tool's `version` for `sarif` only."""
    from archdsl.diagnostics import formats, pages, render  # slow to import, and not needed where all is well

    match style:
        case "full":
            return render.render(diagnostics, colour=colour)
        case "concise":
            return formats.concise(diagnostics)
        case "json":
            return formats.as_json(diagnostics)
        case "github":
            return formats.github(diagnostics)
        case "sarif":
            return formats.sarif(diagnostics, pages.titles(), version)
        case _:
            assert_never(style)
