"""Pages that a user can read and a test can run: prose, texts, and what the checker says of them.

A block that begins with `arch` is the text `space.arch`; with `arch cells.arch`, or `json device.json`, it is a file
beside it. The next `text` block is what a user sees. Behind `text` stand the item and the parameters of a command, as
in `text space.arch:net --set depth=3`. A text with no such block behind it has nothing wrong in it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.render import render
from archdsl.pipeline import NotLoaded, check, load

MAIN = "space.arch"
_PACKAGED = re.compile(r"[^\s`]*/std\.arch")
"""The library lies elsewhere on every machine."""
_BLOCK = re.compile(r"^```(?P<kind>arch|json|text)(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One text with the files beside it, and what is expected of it."""

    line: int
    """Where its text stands on the page."""
    files: dict[str, str]
    arguments: tuple[str, ...] = ()
    expected: str = ""
    place: tuple[int, int] | None = None
    """Where the expected block lies on the page; None where nothing is expected."""

    def diagnostics(self, folder: Path) -> tuple[Diagnostic, ...]:
        """What a command says, run in `folder`."""
        project = folder / "project"
        for name, text in self.files.items():
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        arguments = list(self.arguments)
        target = arguments.pop(0) if arguments and not arguments[0].startswith("--") else MAIN
        overrides = dict(each.split("=", 1) for each in arguments if each != "--set")
        before = Path.cwd()
        os.chdir(project)
        try:
            if target == MAIN or ":" in target:
                return check(target, overrides=overrides).diagnostics
            return load(target, overrides=overrides).diagnostics
        except NotLoaded as error:
            return error.diagnostics
        finally:
            os.chdir(before)


@dataclass(slots=True)
class _Open:
    """An example of which no expected block has been read yet."""

    line: int
    files: dict[str, str] = field(default_factory=dict[str, str])


def examples(page: str) -> Iterator[Example]:
    """The examples of a page in their order."""
    waiting: _Open | None = None
    for match in _BLOCK.finditer(page):
        line = page.count("\n", 0, match.start()) + 1
        rest, text = match["rest"].split(), match["text"]
        if match["kind"] == "text":
            assert waiting is not None, f"line {line}: no text stands before what is expected of it"
            yield Example(waiting.line, waiting.files, tuple(rest), text, match.span("text"))
            waiting = None
            continue
        name = rest[0] if rest else MAIN
        if waiting is not None and name in waiting.files:
            yield Example(waiting.line, waiting.files)
            waiting = None
        waiting = waiting or _Open(line)
        waiting.files[name] = text
    if waiting is not None:
        yield Example(waiting.line, waiting.files)


def shown(example: Example, folder: Path) -> str:
    """What a user sees of an example."""
    text = render(example.diagnostics(folder)).strip("\n")
    return _PACKAGED.sub("std.arch", f"{text}\n") if text else ""


def rewritten(page: str) -> str:
    """The page with every expected block as the checker writes it today."""
    for example in reversed(list(examples(page))):
        if example.place is not None:
            start, stop = example.place
            with TemporaryDirectory() as folder:
                page = page[:start] + shown(example, Path(folder)) + page[stop:]
    return page


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(rewritten(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
