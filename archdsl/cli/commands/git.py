"""`archdsl git`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from archdsl.cli.exits import Exit
from archdsl.cli.groups import Group
from archdsl.cli.output import note, say, say_bytes


@click.group("git", cls=Group, no_args_is_help=False)
def command() -> None:
    """Set up git to compare and merge texts by meaning.

    `git diff` and `git log -p` then show canonical texts, `git difftool -t archdsl` what changes mean and cost, and
    `git merge` brings answers to different questions together.
    """


@command.command("setup")
@click.option("--global", "everywhere", is_flag=True, help="For all your repositories, not the one here.")
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 1 where something is not set up.")
@click.option("--undo", is_flag=True, help="Take it all away again.")
def setup(everywhere: bool, only_check: bool, undo: bool) -> int:
    """Configure git for archdsl: a textconv driver, a difftool and a merge driver for `*.arch`.

    Settings are written with `git config`, and one line to `.gitattributes`, which is yours to commit. A second time
    changes nothing.
    """
    from archdsl.vcs.setup import Place, install, missing, remove

    if only_check and undo:
        raise click.UsageError("`--check` and `--undo` do not go together")
    place = Place.user() if everywhere else Place.repository(Path())
    if undo:
        _report(remove(place), "removed {}", "nothing was set up")
        return Exit.FINE
    if only_check:
        found = missing(place)
        _report(found, "{} is not set up", "all is set up")
        return Exit.FINDINGS if found else Exit.FINE
    _report(install(place), "set up {}", "all was set up already")
    return Exit.FINE


def _report(names: Sequence[str], what: str, otherwise: str) -> None:
    for name in names:
        say(what.format(f"`{_seen(name)}`"))
    if not names:
        note(otherwise)


def _seen(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name


@command.command("textconv", hidden=True)
@click.argument("file", type=click.Path(path_type=Path))
def textconv(file: Path) -> int:
    """Print the canonical text of FILE, or what it holds where that does not parse."""
    from archdsl.vcs.canonical import canonical

    data = file.read_bytes()
    text = canonical(data)
    say_bytes(data if text is None else text.encode())
    return Exit.FINE


@command.command("merge", hidden=True)
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
@click.option("--marker-size", default=7, type=click.IntRange(1, 1_000), help="Signs of a conflict marker.")
def merge(base: Path, ours: Path, theirs: Path, marker_size: int) -> int:
    """Write what BASE became on both sides into OURS; exit 1 where there are conflicts in it."""
    from archdsl.staging import write_atomic
    from archdsl.vcs.merge import merge as merged

    found = merged(base.read_bytes(), ours.read_bytes(), theirs.read_bytes(), marker_size)
    write_atomic(ours, found.data)  # git takes what a failed driver leaves there for a conflict
    return Exit.FINE if found.clean else Exit.FINDINGS


@command.command("difftool", hidden=True)
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.argument("place", type=click.Path(path_type=Path))
def difftool(before: Path, after: Path, place: Path) -> int:
    """Show what changes from BEFORE to AFTER, which are copies of the text at PLACE."""
    from archdsl.cli.changes import changes

    say(changes(before, after, place))
    return Exit.FINE
