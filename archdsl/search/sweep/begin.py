"""A sweep is begun, or joined: what is asked for is checked before anything runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from archdsl.pipeline import Target, check, load
from archdsl.search.derive.runs import searched
from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.folder import SweepFolder
from archdsl.search.sweep.grid import Axis, Point, points
from archdsl.search.sweep.plan import Plan
from archdsl.search.sweep.steps import FINDING, SEARCH

_OURS = ("--out", "--seed", "--resume")
"""Options of commands that a sweep gives itself."""


def begin(
    root: Path,
    source: str,
    *,
    command: str,
    axes: Sequence[str],
    seeds: int,
    options: Sequence[str] = (),
    training: Sequence[str] | None = None,
    cost: Path | None = None,
) -> SweepFolder:
    """The sweep of `source`, a text as `command` takes it; `training` are options of `train`.

    Raises NotSwept, and NotLoaded or NotDerived where the text is wrong at one of the points.
    """
    if training is not None and command not in FINDING:
        raise NotSwept(f"`--train` trains what is found, and `{command}` finds nothing: leave it out")
    for given in (*options, *(training or ())):
        name = given.partition("=")[0]
        if name in _OURS:
            raise NotSwept(f"a sweep gives each member its own `{name}`: leave it out")
    swept = tuple(map(Axis.parse, axes))
    digest = _checked(command, source, points(swept))
    table = None if cost is None else str(cost)
    if table is not None and not Path(table).is_file():
        raise NotSwept(f"`{table}` is no cost table: there is no such file")
    plan = Plan(
        command=command,
        source=source,
        directory=Path(os.path.relpath(Path.cwd(), root.resolve())).as_posix(),
        axes=swept,
        seeds=seeds,
        options=(*options, *(("--cost", table) if table is not None and command in FINDING else ())),
        training=None if training is None else tuple(training),
        cost=table,
        digest=digest,
    )
    return SweepFolder.begin(root, plan)


def _checked(command: str, source: str, grid: Sequence[Point]) -> str:
    """The digest of the text and of all that it uses. Raises NotSwept, and NotLoaded where it is wrong at a point.

    Raises NotDerived where a search has nothing to do.
    """
    file = Target.parse(source).file
    if not Path(file).is_file():
        raise NotSwept(f"`{source}` is no file, and every member reads it: name a text on the disk")
    for point in grid:
        if command == SEARCH:
            searched(source, overrides=dict(point))
        else:
            load(source, overrides=dict(point))
    digest = hashlib.sha256()
    for each in check(file).unit.sources():
        digest.update(each.text.encode())
    return f"sha256:{digest.hexdigest()}"
