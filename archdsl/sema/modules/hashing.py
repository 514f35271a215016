"""The hash of a space's structure (`rule-files`)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from archdsl.ops import Primitive
from archdsl.sema.modules.load import Definition, Unit
from archdsl.syntax import ast
from archdsl.syntax.tree import names, show


def structure_hash(space: ast.Space, unit: Unit) -> str:
    """`sha256:…` over the space and every op, op set and cell that it uses, by their trees.

    Layout, comments, costs, searches, scales and the defaults of the space's own parameters leave it as it is.
    """
    body = tuple(line for line in space.body if not isinstance(line, ast.Scales))
    parameters = tuple(replace(each, default=None) for each in space.parameters)
    bare = replace(space, parameters=parameters, body=body)
    found: dict[str, str] = {}
    waiting: list[tuple[Definition, Unit]] = [(bare, unit)]
    while waiting:
        item, home = waiting.pop()
        key = f"{type(item).__name__} {item.name.text}"
        if key in found:
            continue
        found[key] = show(item)
        for path in names(item):
            known = home.find_path(path) or home.find(path.head.text)
            if known is not None and not isinstance(known.item, Primitive):
                waiting.append((known.item, known.unit))
    digest = sha256("\n".join(found[key] for key in sorted(found)).encode())
    return f"sha256:{digest.hexdigest()}"
