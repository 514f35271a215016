"""Every text of the repository: files, and blocks of pages with the files that stand beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import ROOT

_PAGES = ("README.md", "docs/*.md", "tests/spec/*/*.md", "tests/cli/pages/*.md", "archdsl/diagnostics/pages/*.md")
_FILES = ("spaces/*.arch", "spaces/genotypes/*.arch", "tests/texts/*.arch", "tests/syntax/corpus/*.arch")
_BLOCK = re.compile(r"^```arch(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_USED = re.compile(r'^use "([^"\n]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Original:
    """A text that can be mutated, with the files that it needs."""

    name: str
    """As in `spaces/cas.arch` or `tests/spec/meaning/files.md:12`."""
    file: str
    """Where the text lies in its folder."""
    text: str
    beside: dict[str, str] = field(default_factory=dict[str, str])
    """The other files of the folder."""
    readers: tuple[str, ...] = ()
    """Those of them that use this one."""

    def place(self, folder: Path) -> None:
        """Write the files, the text among them, into a project of their own."""
        for name, text in {"pyproject.toml": "", **self.beside, self.file: self.text}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def originals() -> list[Original]:
    """All of them, in an order that depends on nothing but the repository."""
    return [*_files(), *(each for pattern in _PAGES for page in sorted(ROOT.glob(pattern)) for each in _blocks(page))]


def _files() -> Iterator[Original]:
    every = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for pattern in _FILES
        for path in sorted(ROOT.glob(pattern))
    }
    for name, text in every.items():
        yield _original(name, name, text, {other: each for other, each in every.items() if other != name})


def _blocks(page: Path) -> Iterator[Original]:
    """Files of the same name replace each other from the top of a page to its end."""
    found = [
        (match.start(), next((word for word in match["rest"].split() if word.endswith(".arch")), "text.arch"), match)
        for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]
    for start, file, match in found:
        line = match.string.count("\n", 0, start) + 1
        before = {name: each["text"] for place, name, each in found if place < start}
        after = {name: each["text"] for place, name, each in reversed(found) if place > start}
        beside = {name: text for name, text in {**after, **before}.items() if name != file}
        yield _original(f"{page.relative_to(ROOT)}:{line}", file, match["text"], beside)


def _original(name: str, file: str, text: str, beside: dict[str, str]) -> Original:
    readers = [
        other
        for other, each in beside.items()
        if any(Path(other).parent / used == Path(file) for used in _USED.findall(each))
        or any((Path(other).parent / used).as_posix().endswith(f"../{file}") for used in _USED.findall(each))
    ]
    return Original(name, file, text, beside, tuple(readers))
