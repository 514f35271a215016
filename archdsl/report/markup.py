"""HTML and SVG from values. Text is escaped where it enters an element; only `Html` is markup already."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any, Final

_VOID: Final = frozenset({"meta", "input", "br", "hr", "img"})


class Html(str):
    """Text that is markup."""

    __slots__ = ()


NOTHING: Final = Html()


def element(name: str, /, *inside: str, **attributes: str | float | None) -> Html:
    """An element. Names of attributes are written `class_`, `data_step`; those that are None are left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(inside)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """Parts one behind the other; those that are no markup are escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part, quote=False) for part in parts))


def script_data(value: Any) -> Html:
    """JSON as a script holds it, in which no text can end the script."""
    return Html(json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
