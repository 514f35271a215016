"""The page of each code, as packaged Markdown."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "pages"
_CODE: Final = re.compile(r"[EW][0-9]{4}")


def page(code: str) -> str | None:
    """The page of `code`, with a bad and a good example; None for an unknown code."""
    if _CODE.fullmatch(code) is None:
        return None
    file = _FOLDER / f"{code}.md"
    return file.read_text(encoding="utf-8") if file.is_file() else None


@lru_cache(maxsize=1)
def titles() -> dict[str, str]:
    """The title of every code that has a page, in the order of the codes."""
    found: dict[str, str] = {}
    for file in sorted(_FOLDER.glob("[EW]*.md")):
        heading = file.read_text(encoding="utf-8").partition("\n")[0]
        found[file.stem] = heading.removeprefix(f"# {file.stem}: ")
    return found
