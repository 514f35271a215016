"""A name that hides another: an item one of a used file, a name of a body an item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archdsl.diagnostics import Diagnostic, Label
from archdsl.lint import codes
from archdsl.lint.rule import File, Rule, warning
from archdsl.ops import Primitive
from archdsl.sema.resolve.index import ITEMS, Kind

_IN_BODIES = (Kind.PARAMETER, Kind.INPUT, Kind.LINE, Kind.QUESTION, Kind.BRANCH, Kind.STRUCTURE, Kind.AXIS, Kind.BOUND)


def _find(file: File) -> Iterator[Diagnostic]:
    yield from _items(file)
    for each in file.defined(*_IN_BODIES):
        found = file.unit.find(each.name)
        if found is None:
            continue
        if isinstance(found.item, Primitive):
            what, also = "primitive", ()
        else:
            what, also = str(ITEMS[type(found.item)]), (Label(found.item.name.span, "hidden in this body"),)
        message = f"the {each.kind} `{each.name}` hides the {what} of that name"
        yield warning(codes.SHADOWING, message, each, "hides it from here on", "rename it", also)


def _items(file: File) -> Iterator[Diagnostic]:
    for used in file.unit.used:
        for name, item in used.items.items():
            if name in file.unit.items:
                own = file.resolution.definition_at(file.unit.source, file.unit.items[name].name.span.start)
                if own is not None:
                    yield warning(
                        codes.SHADOWING,
                        f"`{name}` hides the one of `{Path(used.source.name).name}`",
                        own,
                        "this one is taken in this file",
                        "rename it if both are meant to be used",
                        (Label(item.name.span, "hidden here"),),
                    )


RULE = Rule(codes.SHADOWING, "shadowing", _find)
