"""The changes between two versions of a text."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from archdsl.diff import as_text
from archdsl.pipeline import Loaded, NotLoaded, Target, load
from archdsl.pipeline.compare import compare
from archdsl.syntax import ast
from archdsl.text import visible_line
from archdsl.vcs.canonical import canonical, parsed


def changes(before: Path, after: Path, place: Path) -> str:
    """The spaces and genotypes of a text compared by what they mean and cost.

    `place` is where the text belongs: what it uses is looked for there. A copy that means nothing (it has mistakes,
    or is a library of ops) is compared by its lines.
    """
    try:
        one, other = _items(before, place), _items(after, place)
    except NotLoaded as mistakes:
        return f"{place}, by its lines: {str(mistakes).splitlines()[0]}\n{_lines(before, after, place)}"
    if not one and not other:
        return _lines(before, after, place)
    return "\n".join((f"{place}\n", *_compared(one, other)))


def _compared(one: dict[str, Loaded], other: dict[str, Loaded]) -> Iterator[str]:
    for name in dict.fromkeys([*one, *other]):
        if name not in other:
            yield f"{name} was removed\n"
        elif name not in one:
            yield f"{name} was added\n"
        else:
            found = compare(one[name], other[name])
            yield as_text(found).rstrip("\n") + "\n" if found else f"{name}: nothing differs\n"


def _items(copy: Path, place: Path) -> dict[str, Loaded]:
    """The spaces and genotypes of a copy by name. Raises NotLoaded."""
    text = canonical(copy.read_bytes())
    tree = None if text is None else parsed(text)
    if tree is None:
        if copy.read_bytes().strip():
            load(Target(str(copy), None, place))  # says what is wrong
        return {}
    names = [each.name.text for each in tree.file.items if isinstance(each, ast.Space | ast.Genotype)]
    return {name: load(Target(str(copy), name, place)) for name in names}


def _lines(before: Path, after: Path, place: Path) -> str:
    texts = [canonical(each.read_bytes()) or each.read_text(errors="backslashreplace") for each in (before, after)]
    one, other = (text.splitlines(keepends=True) for text in texts)
    lines = unified_diff(one, other, f"a/{visible_line(str(place))}", f"b/{visible_line(str(place))}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
